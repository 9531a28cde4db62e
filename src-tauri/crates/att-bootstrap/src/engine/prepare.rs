//! From `queued` to `committing`: base, rules, worktree, change, tests, commit. Nothing of it is seen outside.

use super::{Advance, Engine, Loaded};
use crate::config::{Config, ConfigError, FILE, TargetConfig};
use crate::error::EngineError;
use crate::model::{
    Cycle, CycleKind, Failure, InterruptionKind, OperationKind, OperationOutcome, Project, ResolvedPolicy,
    Stage, StageOutcome, Target, WaitingFor,
};
use crate::request::ChangeKind;
use crate::step::{Hold, Input, Learned, Passed, TargetUpdate};
use crate::store::TargetChange;
use crate::table::CycleEvent;
use crate::world::{Checkout, CommandRun, CommitOutcome, GitError};

/// The rules of a cycle, as its base commit has them.
pub(crate) struct Rules {
    pub project: Project,
    pub config: Config,
    pub base_commit: String,
}

impl Rules {
    pub(crate) fn target_config(&self, cycle: &Cycle) -> Result<&TargetConfig, EngineError> {
        let name = cycle.target.as_ref().map_or("", |target| target.name());
        self.config.targets.get(name).ok_or_else(|| EngineError::not_found("target", name))
    }
}

pub(crate) fn failure(stage: Stage, cause: &str, detail: impl Into<String>) -> Input {
    Input::Failed {
        failure: Box::new((
            Failure {
                class: None,
                cause: cause.to_owned(),
                detail: detail.into(),
                inconclusive: false,
                stage,
            },
            Learned::default(),
        )),
        finish: None,
    }
}

pub(crate) fn failed(input: Input, outcome: OperationOutcome) -> Input {
    match input {
        Input::Failed { failure, .. } => Input::Failed { failure, finish: Some(outcome) },
        other => other,
    }
}

pub(crate) fn outcome(succeeded: bool, detail: impl Into<String>) -> OperationOutcome {
    OperationOutcome {
        succeeded,
        unknown: false,
        exit_code: None,
        timed_out: false,
        detail: detail.into(),
        duration_ms: None,
    }
}

pub(crate) fn passed(event: CycleEvent, outcome: StageOutcome, detail: Option<String>) -> Passed {
    Passed { event, outcome, detail, finish: None, intent: None, learned: Learned::default() }
}

pub(crate) fn advance(passed: Passed) -> Advance {
    Advance::step(Input::Passed(Box::new(passed)))
}

impl Engine {
    pub(crate) async fn project(&self, cycle: &Cycle) -> Result<Project, EngineError> {
        let found = self.store().project(&cycle.project).await?;
        found.ok_or_else(|| EngineError::not_found("project", &cycle.project))
    }

    /// The rules that the cycle runs under.
    pub(crate) async fn rules(&self, cycle: &Cycle) -> Result<Rules, EngineError> {
        let project = self.project(cycle).await?;
        let base_commit = match &cycle.base_commit {
            Some(commit) => commit.clone(),
            None => self.world().base_commit(&project)?,
        };
        let config = self.config_at(&project, &base_commit)?;
        Ok(Rules { project, config, base_commit })
    }

    /// The `att.toml` of a commit.
    pub(crate) fn config_at(&self, project: &Project, commit: &str) -> Result<Config, EngineError> {
        let bytes = self.world().file_at(project, commit, FILE)?.ok_or_else(|| {
            EngineError::Config(ConfigError {
                file: FILE.to_owned(),
                line: 1,
                column: 1,
                message: format!("there is no {FILE} in commit {commit}"),
                cure: format!("commit an {FILE} to the base branch"),
            })
        })?;
        Ok(Config::read(&bytes, FILE)?)
    }

    pub(super) async fn begin(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let safe_mode = self.store().safe_mode().await?.filter(|mode| mode.active);
        if let Some(mode) = safe_mode.filter(|_| at.cycle.kind == CycleKind::Release) {
            return Ok(self.held_by_safe_mode(at, &mode.reason, "the cycle waits"));
        }
        Ok(advance(passed(CycleEvent::Begun, StageOutcome::Passed, None)))
    }

    pub(super) fn held_by_safe_mode(&self, at: &Loaded, reason: &str, what: &str) -> Advance {
        let held = at.cycle.waiting.as_ref().is_some_and(|row| row.waiting_for == WaitingFor::SafeMode);
        if held {
            return Advance::Wait(None);
        }
        Advance::step(Input::Held(Hold {
            waiting_for: WaitingFor::SafeMode,
            until_ms: None,
            detail: format!("safe mode is on: {reason}"),
            interruption: Some((InterruptionKind::DeployHeld, format!("{what} until safe mode is lifted"))),
        }))
    }

    pub(super) async fn prepare(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let project = self.project(cycle).await?;
        let stage = Stage::Preparing;
        let held = cycle.waiting.as_ref().is_some_and(|row| row.waiting_for == WaitingFor::ConfigApproval);
        // While a person is asked, the remote is not fetched at every look.
        let base = if held { self.world().base_commit(&project) } else { self.world().fetch(&project).await };
        let base = match base {
            Ok(base) => base,
            Err(error) => return Ok(Advance::step(failure(stage, "fetch_failed", error.to_string()))),
        };
        let config = match self.config_at(&project, &base) {
            Ok(config) => config,
            Err(error) => return Ok(Advance::step(failure(stage, "config_invalid", error.to_string()))),
        };
        if self.store().config_approval(&project.id, &config.digest).await?.is_none() {
            if held {
                return Ok(Advance::Wait(None));
            }
            let detail = format!(
                "the att.toml of {} (digest {}) was never approved; it names the commands that will be run",
                &base[..12.min(base.len())],
                &config.digest[..12]
            );
            let title = format!("{}: approve att.toml", project.id);
            return Ok(Advance::step(Input::Held(Hold {
                waiting_for: WaitingFor::ConfigApproval,
                until_ms: None,
                detail,
                interruption: Some((InterruptionKind::ConfigUnapproved, title)),
            })));
        }
        if held {
            return Ok(Advance::step(Input::Unheld));
        }
        let policy = match self.policy_of(cycle, &config) {
            Ok(policy) => policy,
            Err(EngineError::Request(refusal)) => {
                return Ok(Advance::step(failure(stage, refusal.word(), refusal.to_string())));
            }
            Err(error) => return Err(error),
        };
        let dir = self.world().checkout_dir(&cycle.id, Checkout::Base);
        if let Err(error) = self.world().lay_out(&project, &base, &dir).await {
            return Ok(Advance::step(failure(stage, "checkout_failed", error.to_string())));
        }
        let target = self.target_update(cycle, &policy).await?;
        let event = match cycle.kind {
            CycleKind::Release => CycleEvent::Prepared,
            CycleKind::Rollback => CycleEvent::RollbackPrepared,
        };
        let mut next = passed(event, StageOutcome::Passed, Some(format!("base {base}")));
        next.learned = Learned {
            base_commit: Some(base),
            config_digest: Some(config.digest),
            policy: Some(policy),
            target,
            ..Learned::default()
        };
        Ok(advance(next))
    }

    pub(crate) fn policy_of(&self, cycle: &Cycle, config: &Config) -> Result<ResolvedPolicy, EngineError> {
        let Some(id) = &cycle.target else { return Ok(cycle.request.resolve(&ResolvedPolicy::default())?) };
        let target = config.targets.get(id.name()).ok_or_else(|| {
            EngineError::Request(crate::request::RequestRefusal::UnknownTarget {
                name: id.name().to_owned(),
                known: config.targets.keys().cloned().collect(),
            })
        })?;
        Ok(cycle.request.resolve(&target.policy)?)
    }

    /// The target's row, made or brought in line with `att.toml`; none when it is already.
    async fn target_update(
        &self,
        cycle: &Cycle,
        policy: &ResolvedPolicy,
    ) -> Result<Option<TargetUpdate>, EngineError> {
        let Some(id) = &cycle.target else { return Ok(None) };
        let context = policy.deployment_context;
        let change = match self.store().target(id).await? {
            Some(row) if row.deployment_context == context => return Ok(None),
            Some(row) => TargetChange {
                expected_generation: Some(row.generation),
                row: Target { deployment_context: context, ..row },
            },
            None => TargetChange {
                expected_generation: None,
                row: Target {
                    id: id.clone(),
                    project: cycle.project.clone(),
                    name: id.name().to_owned(),
                    deployment_context: context,
                    generation: 0,
                    current_release_id: None,
                    current_digest: None,
                    current_deployment_id: None,
                    observed_at_ms: None,
                },
            },
        };
        Ok(Some(TargetUpdate { target: change, deployments: Vec::new(), releases: Vec::new() }))
    }

    pub(super) async fn change(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let rules = self.rules(&at.cycle).await?;
        match self.world().apply_change(&rules.project, &at.cycle, &rules.base_commit).await {
            Ok(_) => Ok(advance(passed(CycleEvent::Changed, StageOutcome::Passed, None))),
            Err(error) => Ok(Advance::step(failure(Stage::Changing, "change_failed", error.to_string()))),
        }
    }

    pub(super) async fn test(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let rules = self.rules(&at.cycle).await?;
        let Some(tests) = &rules.config.tests else {
            let detail = Some("att.toml names no tests".to_owned());
            return Ok(advance(passed(CycleEvent::TestsPassed, StageOutcome::Skipped, detail)));
        };
        let Some(_) = at.awaited(OperationKind::Test) else {
            let operation = self.operation(&at.cycle, OperationKind::Test, &tests.argv, tests.timeout_ms);
            return Ok(Advance::step(Input::Intended(Box::new(operation))));
        };
        // Tests act on nothing outside: an intent without an outcome is simply run again, from a clean change.
        let dir = self.world().checkout_dir(&at.cycle.id, Checkout::Change);
        if at.cycle.resumes > 0
            && let Err(error) = self.world().apply_change(&rules.project, &at.cycle, &rules.base_commit).await
        {
            let input = failure(Stage::Testing, "change_failed", error.to_string());
            return Ok(Advance::step(failed(input, outcome(false, error.to_string()))));
        }
        let mut output = self.world().output(&at.cycle, Stage::Testing);
        let suite = at.cycle.request.suite.as_deref().unwrap_or("unit");
        let variables = [("ATT_SUITE", suite)];
        let run = self.world().run_scrubbed("test", tests, &dir, &variables, &mut output).await;
        let input = match &run {
            CommandRun::Passed(_) => {
                let mut next = passed(CycleEvent::TestsPassed, StageOutcome::Passed, None);
                next.finish = Some(outcome(true, "the tests passed"));
                Input::Passed(Box::new(next))
            }
            other => {
                let input = failure(Stage::Testing, "tests_failed", other.detail());
                failed(input, outcome(false, other.detail()))
            }
        };
        Ok(Advance::Step(Box::new(input), output.row()))
    }

    pub(super) async fn commit_change(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let Some(operation) = at.awaited(OperationKind::Commit) else {
            let operation = self.operation(&at.cycle, OperationKind::Commit, &[], 120_000);
            return Ok(Advance::step(Input::Intended(Box::new(operation))));
        };
        let rules = self.rules(&at.cycle).await?;
        let dir = self.world().checkout_dir(&at.cycle.id, Checkout::Change);
        let existing = at
            .cycle
            .request
            .change()
            .is_ok_and(|change| matches!(change, ChangeKind::Branch(_) | ChangeKind::Commit(_)));
        if existing {
            let head = self.world().head_of(&dir)?;
            let detail = Some(format!("{head} was there already"));
            let mut next = passed(CycleEvent::Committed, StageOutcome::Skipped, detail);
            next.finish = Some(outcome(true, "nothing to commit"));
            next.learned.head_commit = Some(head);
            return Ok(advance(next));
        }
        let message = at.cycle.request.commit_message.as_deref().unwrap_or("Change by ATT");
        let base = &rules.base_commit;
        let input = match self.world().commit_all(&dir, base, message, &operation.id).await {
            Ok(CommitOutcome::Made(head)) => {
                let mut next = passed(CycleEvent::Committed, StageOutcome::Passed, Some(head.clone()));
                next.finish = Some(outcome(true, head.clone()));
                next.learned.head_commit = Some(head);
                Input::Passed(Box::new(next))
            }
            Ok(CommitOutcome::NothingToCommit) => {
                let detail = "the change changes nothing";
                failed(failure(Stage::Committing, "nothing_to_commit", detail), outcome(false, detail))
            }
            Err(error) => commit_failed(&error),
        };
        Ok(Advance::step(input))
    }
}

fn commit_failed(error: &GitError) -> Input {
    let input = failure(Stage::Committing, "commit_failed", error.to_string());
    failed(input, outcome(false, error.to_string()))
}
