//! Gathers everything a decision rests on, and lets policy speak.

use super::facts::facts;
use crate::config::{Config, TargetConfig};
use crate::guardrails::{PastRollback, Preflight, Situation, Verdict, conclude, evaluate};
use crate::model::{
    ChangeSet, Cycle, CycleKind, Decision, DecisionState, Deployment, DeploymentKind, Fact, FailureClass,
    Guardrail, GuardrailOutcome, PlanStep, Project, ReadinessCard, Release, ResolvedPolicy, Ruling,
    SourceAnswer, SourceKind, Target,
};
use crate::observe::Observed;
use crate::policy::{MatrixInput, rule, would_allow_if};
use crate::sources::{ReleaseSourceContext, ask_all};
use crate::store::{CycleStore, StoreError};
use crate::world::{Checkout, CommandRun, TargetCommand, Unobserved, World};
use att_core::id::{CycleId, DecisionId};

/// How far back the chain is looked at.
const CHAIN: u32 = 200;

/// What the question is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The outside.
    pub world: &'a World,
    /// The journal.
    pub store: &'a dyn CycleStore,
    /// The project.
    pub project: &'a Project,
    /// The cycle.
    pub cycle: &'a Cycle,
    /// The `att.toml` of its base commit.
    pub config: &'a Config,
    /// Its target's part of it.
    pub target_config: &'a TargetConfig,
    /// The rules it runs under.
    pub policy: &'a ResolvedPolicy,
    /// The target, with what was observed taken in.
    pub target: &'a Target,
    /// What was observed.
    pub observed: Result<&'a Observed, &'a Unobserved>,
}

/// Everything a decision rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// Of which failure.
    pub failure_class: FailureClass,
    /// The facts.
    pub facts: Vec<Fact>,
    /// Every source's answer.
    pub sources: Vec<SourceAnswer>,
    /// The matrix.
    pub ruling: Ruling,
    /// The guardrails.
    pub guardrails: Vec<Guardrail>,
    /// The two together.
    pub verdict: Verdict,
    /// What would have allowed it.
    pub would_allow_if: Vec<String>,
    /// The release that runs.
    pub deployed_release_id: Option<String>,
    /// The release to bring back.
    pub target_release_id: Option<String>,
    /// Its commit.
    pub target_commit: Option<String>,
    /// Who named it.
    pub target_release_source: Option<SourceKind>,
    /// What will be run.
    pub plan: Vec<PlanStep>,
    /// What a rollback takes away.
    pub diff: ChangeSet,
    /// When.
    pub at_ms: i64,
}

/// The release to bring back, and who named it.
struct Goal {
    id: Option<String>,
    source: Option<SourceKind>,
    unspecified: bool,
}

/// What the journal knows of the target.
struct Ledger {
    releases: Vec<Release>,
    chain: Vec<Deployment>,
    safe_mode: Option<String>,
    other_rollback: Option<CycleId>,
}

async fn ledger(of: &Circumstances<'_>) -> Result<Ledger, StoreError> {
    let store = of.store;
    let live = store.live_cycles().await?;
    Ok(Ledger {
        releases: store.releases(&of.target.id).await?,
        chain: store.chain(&of.target.id, CHAIN).await?,
        safe_mode: store.safe_mode().await?.filter(|mode| mode.active).map(|mode| mode.reason),
        other_rollback: live
            .into_iter()
            .find(|other| {
                other.id != of.cycle.id
                    && other.target.as_ref() == Some(&of.target.id)
                    && other.result.rollback_performed
            })
            .map(|other| other.id),
    })
}

fn goal(of: &Circumstances<'_>, sources: &[SourceAnswer], ledger: &Ledger, deployed: Option<&str>) -> Goal {
    let request = &of.cycle.request;
    let named = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
    if let Some(id) = named(&request.rollback_release_id).or_else(|| named(&request.previous_release_id)) {
        return Goal { id: Some(id), source: Some(SourceKind::Request), unspecified: false };
    }
    if let Some(winner) = sources.iter().find(|answer| answer.won) {
        let id = winner.previous_release_id.clone();
        return Goal { id, source: Some(winner.source), unspecified: false };
    }
    if of.policy.deployment_context == crate::model::DeploymentContext::External {
        return Goal { id: None, source: None, unspecified: true };
    }
    // Rule 4 allows it without a name: the last known good of the chain is what it comes to.
    let healthy = |id: &str| ledger.releases.iter().any(|row| row.id == id && row.healthy_at_ms.is_some());
    let good = ledger
        .chain
        .iter()
        .map(|row| row.release_id.as_str())
        .find(|id| Some(*id) != deployed && healthy(id));
    Goal { id: good.map(str::to_owned), source: good.map(|_| SourceKind::Ledger), unspecified: true }
}

fn past_rollbacks(chain: &[Deployment]) -> Vec<PastRollback> {
    chain
        .iter()
        .filter(|row| row.kind == DeploymentKind::Rollback)
        .map(|row| PastRollback {
            from: chain
                .iter()
                .find(|other| Some(&other.id) == row.predecessor.as_ref())
                .map(|other| other.release_id.clone()),
            to: row.release_id.clone(),
            at_ms: row.at_ms,
        })
        .collect()
}

fn known_only_from_log(goal: &Goal, sources: &[SourceAnswer], ledger: &Ledger) -> bool {
    goal.source == Some(SourceKind::RuntimeLog)
        && !ledger.chain.iter().any(|row| Some(&row.release_id) == goal.id.as_ref())
        && !sources.iter().any(|answer| {
            answer.source != SourceKind::RuntimeLog
                && goal.id.is_some()
                && (answer.previous_release_id == goal.id || answer.current_release_id == goal.id)
        })
}

async fn preflight(
    of: &Circumstances<'_>,
    goal: &Goal,
    deployed: Option<&str>,
    commit: Option<&str>,
) -> Preflight {
    let (Some(command), Some(id)) = (&of.target_config.preflight, &goal.id) else {
        return Preflight::NotAsked;
    };
    let told = TargetCommand {
        cwd: of.world.checkout_dir(&of.cycle.id, Checkout::Base),
        release_id: Some(id.clone()),
        previous_release_id: deployed.map(str::to_owned),
        target: of.target.name.clone(),
        commit: commit.map(str::to_owned),
        ..TargetCommand::default()
    };
    match of.world.run("preflight", &told.spec(command), command.timeout_ms, None).await {
        CommandRun::Passed(_) => Preflight::Available,
        CommandRun::Failed(detail) => Preflight::Unavailable(detail),
        CommandRun::NoVerdict(detail) => Preflight::Unknown(detail),
    }
}

fn plan(of: &Circumstances<'_>) -> Vec<PlanStep> {
    let cwd = of.world.checkout_dir(&of.cycle.id, Checkout::Base).to_string_lossy().into_owned();
    let config = of.target_config;
    let commands = [&config.rollback, &config.observe, &config.watchdog, &config.health];
    commands
        .into_iter()
        .flatten()
        .map(|command| PlanStep {
            argv: command.argv.clone(),
            cwd: cwd.clone(),
            timeout_ms: command.timeout_ms,
        })
        .collect()
}

/// Gathers the facts about `class`, and lets matrix and guardrails speak.
///
/// # Errors
/// When the journal cannot be read. Whatever is outside fails into a fact, not into an error.
pub async fn gather(of: &Circumstances<'_>, class: FailureClass) -> Result<Gathered, StoreError> {
    gather_as(of, class, false).await
}

async fn gather_as(
    of: &Circumstances<'_>,
    class: FailureClass,
    before_deploy: bool,
) -> Result<Gathered, StoreError> {
    let ledger = ledger(of).await?;
    let at_ms = of.world.now_ms();
    let running = of.target.current_release_id.as_deref();
    let deployed = match of.cycle.kind {
        CycleKind::Release => of.cycle.release_id.as_deref(),
        CycleKind::Rollback => running,
    };
    let context = ReleaseSourceContext {
        world: of.world,
        store: of.store,
        project: of.project,
        cycle: of.cycle,
        config: of.config,
        target_config: of.target_config,
        target: of.target,
        releases: &ledger.releases,
        running: if before_deploy { deployed } else { running },
    };
    let sources = ask_all(context).await;
    let goal = goal(of, &sources, &ledger, deployed);
    let find = |id: Option<&str>| ledger.releases.iter().find(|row| Some(row.id.as_str()) == id);
    let (target_release, deployed_release) = (find(goal.id.as_deref()), find(deployed));
    let same = |a: Option<&String>, b: Option<&String>| a.is_some() && a == b;
    let same_content = match (target_release, deployed_release) {
        (Some(a), Some(b)) => {
            same(a.commit.as_ref(), b.commit.as_ref()) || same(a.digest.as_ref(), b.digest.as_ref())
        }
        _ => false,
    };
    let mut matrix = MatrixInput {
        failure_class: class,
        context: of.policy.deployment_context,
        rollback_enabled: of.policy.rollback_enabled(class),
        executor_present: of.target_config.rollback.is_some(),
        target_release_id: goal.id.as_deref().filter(|_| !goal.unspecified),
        deployed_release_id: deployed,
        same_content: same_content && !goal.unspecified,
    };
    let mut ruling = rule(&matrix);
    if ruling.rule == 4 && goal.id.is_some() {
        matrix.target_release_id = goal.id.as_deref();
        matrix.same_content = same_content;
        let again = rule(&matrix);
        if !again.allowed {
            ruling = again;
        }
    }
    let target_commit = target_release.and_then(|row| row.commit.clone());
    let past = past_rollbacks(&ledger.chain);
    let preflight = if ruling.allowed && !before_deploy {
        preflight(of, &goal, deployed, target_commit.as_deref()).await
    } else {
        Preflight::NotAsked
    };
    let situation = Situation {
        now_ms: at_ms,
        failure_class: class,
        safe_mode: ledger.safe_mode.as_deref(),
        deployed_by_this_cycle: if before_deploy { Some(true) } else { of.cycle.deployed_by_this_cycle },
        expected_generation: of.cycle.expected_generation.filter(|_| !before_deploy),
        generation: (before_deploy || of.observed.is_ok()).then_some(of.target.generation),
        other_rollback: ledger.other_rollback.as_ref(),
        deployed_release_id: deployed,
        target_release_id: goal.id.as_deref(),
        target_release,
        target_in_chain: ledger.chain.iter().any(|row| Some(&row.release_id) == goal.id.as_ref()),
        target_from_log_only: known_only_from_log(&goal, &sources, &ledger),
        preflight,
        past_rollbacks: &past,
        freeze: None,
        unspecified: goal.unspecified && ruling.rule == 4,
        inconclusive: of.cycle.failure.as_ref().is_some_and(|failure| failure.inconclusive),
    };
    let guardrails = evaluate(&situation);
    let context = of.policy.deployment_context;
    let verdict = conclude(&ruling, &guardrails, class, context, of.policy.always_ask);
    let mut counterfactuals = would_allow_if(&matrix);
    if !verdict.allowed {
        let denying = guardrails.iter().filter(|guard| guard.outcome == GuardrailOutcome::Deny);
        counterfactuals.extend(denying.filter_map(|guard| guard.would_allow_if.clone()));
    }
    let deployed_commit = deployed_release.and_then(|row| row.commit.clone());
    let diff = of.world.between(of.project, deployed_commit.as_deref(), target_commit.as_deref());
    let named = (goal.id.as_deref(), goal.source);
    let facts = facts(of, class, at_ms, named, &sources, &guardrails);
    Ok(Gathered {
        failure_class: class,
        facts,
        ruling,
        verdict,
        would_allow_if: counterfactuals,
        deployed_release_id: deployed.map(str::to_owned),
        target_commit,
        target_release_source: goal.source,
        plan: plan(of),
        diff,
        at_ms,
        target_release_id: goal.id,
        sources,
        guardrails,
    })
}

/// What a rollback would do for each failure class, were it needed after this deploy (design 2.3).
///
/// # Errors
/// When the journal cannot be read.
pub async fn readiness(of: &Circumstances<'_>) -> Result<Vec<ReadinessCard>, StoreError> {
    let classes =
        [FailureClass::DeployFailure, FailureClass::RestartWatchdogFailure, FailureClass::HealthFailure];
    let mut cards = Vec::with_capacity(classes.len());
    for failure_class in classes {
        let gathered = gather_as(of, failure_class, true).await?;
        cards.push(ReadinessCard {
            failure_class,
            allowed: gathered.verdict.allowed,
            reason: gathered.verdict.reason,
            needs_person: gathered.verdict.needs_person,
            target_release_id: gathered.target_release_id,
        });
    }
    Ok(cards)
}

impl Gathered {
    /// The decision that this amounts to, for version `version` of `id`.
    #[must_use]
    pub fn into_decision(self, of: &Circumstances<'_>, id: DecisionId, version: u64) -> Decision {
        let failure = of.cycle.failure.as_ref();
        let mut decision = Decision {
            id,
            version,
            state: DecisionState::Proposed,
            cycle_id: of.cycle.id.clone(),
            target: of.target.id.clone(),
            generation: of.target.generation,
            failure_class: self.failure_class,
            failure_detail: failure
                .map_or_else(|| "a person asks for it".to_owned(), |row| row.detail.clone()),
            deployment_context: of.policy.deployment_context,
            ruling: Some(self.ruling),
            reason: self.verdict.reason,
            allowed: self.verdict.allowed,
            needs_person: self.verdict.needs_person,
            deployed_release_id: self.deployed_release_id,
            target_release_id: self.target_release_id,
            target_commit: self.target_commit,
            target_release_source: self.target_release_source,
            facts: self.facts,
            guardrails: self.guardrails,
            sources: self.sources,
            would_allow_if: self.would_allow_if,
            plan: self.plan,
            diff: self.diff,
            digest: String::new(),
            approval_id: None,
            operation_id: None,
            created_at_ms: self.at_ms,
            evaluated_at_ms: self.at_ms,
            updated_at_ms: self.at_ms,
        };
        decision.digest = super::digest_of(&decision);
        decision
    }
}
