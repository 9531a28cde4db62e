//! `readying` and `deploying`: what runs now is captured, then the deploy runs as an operation that outlives us.

use super::prepare::{Rules, advance, failed, failure, outcome, passed};
use super::{Advance, Engine, Loaded, moment};
use crate::decide::{Circumstances, readiness};
use crate::error::EngineError;
use crate::model::{
    Cycle, CycleState, DeploymentKind, Failure, FailureClass, Operation, OperationKind, OperationOutcome,
    Release, ReleaseHealth, Stage, StageOutcome, Target,
};
use crate::observe::{Account, Observed, take_in};
use crate::sources::usual_release_id;
use crate::step::{Input, Learned, TargetUpdate};
use crate::table::CycleEvent;
use crate::world::{Checkout, CommandRun, OutputSink, TargetCommand, Unobserved, limits};
use att_process::OperationState;

/// What became of an operation that outlives us.
pub(super) enum Carried {
    /// It ended.
    Ended(CommandRun, OperationOutcome),
    /// Its runner died; whether it took effect must be looked up.
    Lost(String),
}

/// The target as it was just seen.
pub(crate) struct Seen {
    pub target: Target,
    pub observed: Result<Observed, Unobserved>,
    /// What the journal has to be told; the row in it is `target`.
    pub update: Option<TargetUpdate>,
}

impl Engine {
    pub(crate) async fn target_of(&self, cycle: &Cycle) -> Result<Target, EngineError> {
        let id = cycle.target.as_ref().ok_or_else(|| EngineError::not_found("target of cycle", &cycle.id))?;
        self.store().target(id).await?.ok_or_else(|| EngineError::not_found("target", id))
    }

    /// What a command of the cycle's target is told.
    pub(crate) fn told(&self, cycle: &Cycle, target: &Target) -> TargetCommand {
        let policy = cycle.policy.as_ref();
        TargetCommand {
            cwd: self.world().checkout_dir(&cycle.id, Checkout::Base),
            release_id: cycle.release_id.clone(),
            previous_release_id: cycle.previous_release_id.clone(),
            target: target.name.clone(),
            operation_id: cycle.operation_id.as_ref().map(ToString::to_string),
            expected_generation: cycle.expected_generation,
            commit: cycle.head_commit.clone(),
            worktree: cycle
                .head_commit
                .is_some()
                .then(|| self.world().checkout_dir(&cycle.id, Checkout::Change)),
            health_target: policy.and_then(|policy| policy.health_check_target.clone()),
        }
    }

    /// Looks at the target on somebody's account.
    pub(crate) async fn see(
        &self,
        cycle: &Cycle,
        rules: &Rules,
        account: Account<'_>,
    ) -> Result<Seen, EngineError> {
        let target = self.target_of(cycle).await?;
        let config = rules.target_config(cycle)?;
        let observed = match &config.observe {
            Some(command) => self.world().observe(command, &self.told(cycle, &target)).await,
            None => Err(Unobserved("the target has no observe command".to_owned())),
        };
        let Ok(found) = &observed else { return Ok(Seen { target, observed, update: None }) };
        let releases = self.store().releases(&target.id).await?;
        let update = take_in(&target, &releases, found, account, self.now_ms(), self.randomness());
        Ok(Seen { target: update.target.row.clone(), observed, update: Some(update) })
    }

    pub(super) async fn ready(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        if let Some(mode) = self.store().safe_mode().await?.filter(|mode| mode.active) {
            return Ok(self.held_by_safe_mode(at, &mode.reason, "nothing is deployed"));
        }
        if cycle.waiting.is_some() {
            return Ok(Advance::step(Input::Unheld));
        }
        let fail = |cause: &str, detail: String| Ok(Advance::step(failure(Stage::Readying, cause, detail)));
        let rules = self.rules(cycle).await?;
        let config = rules.target_config(cycle)?;
        let (Some(head), Some(policy), Some(deploy)) = (&cycle.head_commit, &cycle.policy, &config.deploy)
        else {
            return fail("not_deployable", "the target has no deploy command".to_owned());
        };
        let base_dir = self.world().checkout_dir(&cycle.id, Checkout::Base);
        let change_dir = self.world().checkout_dir(&cycle.id, Checkout::Change);
        let laid_out = self.world().lay_out(&rules.project, &rules.base_commit, &base_dir).await;
        // Anew, for what the tests left in it is not part of the release.
        let laid_out = match laid_out {
            Ok(()) => self.world().lay_out_anew(&rules.project, head, &change_dir).await,
            error => error,
        };
        if let Err(error) = laid_out {
            return fail("checkout_failed", error.to_string());
        }
        let seen = self.see(cycle, &rules, Account::OBSERVER).await?;
        if let Err(error) = &seen.observed
            && seen.target.current_release_id.is_some()
        {
            return fail("target_unobservable", format!("nobody can tell what runs: {error}"));
        }
        let releases = self.store().releases(&seen.target.id).await?;
        let release_id = cycle
            .request
            .requested_release_id
            .clone()
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| usual_release_id(&seen.target.name, head));
        let known = releases.iter().find(|release| release.id == release_id);
        if let Some(other) = known.filter(|release| release.commit.as_deref() != Some(head)) {
            let whose =
                other.commit.as_ref().map_or("of unknown content".to_owned(), |id| format!("of commit {id}"));
            return fail("release_id_taken", format!("{release_id} is a release {whose}"));
        }
        let mut learned = Learned {
            release_id: Some(release_id.clone()),
            previous_release_id: seen.target.current_release_id.clone(),
            previous_deployment_id: seen.target.current_deployment_id.clone(),
            expected_generation: Some(seen.target.generation),
            ..Learned::default()
        };
        // The readiness card is about the cycle as it will be once it deploys.
        let mut next_cycle = cycle.clone();
        next_cycle.release_id = Some(release_id.clone());
        next_cycle.previous_release_id.clone_from(&seen.target.current_release_id);
        learned.readiness = Some(
            readiness(&Circumstances {
                world: self.world(),
                store: self.store(),
                project: &rules.project,
                cycle: &next_cycle,
                config: &rules.config,
                target_config: config,
                policy,
                target: &seen.target,
                observed: seen.observed.as_ref(),
            })
            .await?,
        );
        let mut update = seen.update.unwrap_or_else(|| unchanged(&seen.target));
        if known.is_none() {
            update.releases.push(Release {
                id: release_id.clone(),
                target: seen.target.id.clone(),
                commit: Some(head.clone()),
                digest: None,
                health: ReleaseHealth::Unknown,
                healthy_at_ms: None,
                quarantine: None,
                cycle_id: Some(cycle.id.clone()),
                created_at_ms: self.now_ms(),
            });
        }
        learned.target = Some(update);
        let mut operation = self.operation(cycle, OperationKind::Deploy, &deploy.argv, deploy.timeout_ms);
        operation.expected_generation = Some(seen.target.generation);
        let mut next = passed(CycleEvent::Ready, StageOutcome::Passed, Some(format!("deploys {release_id}")));
        next.learned = learned;
        next.intent = Some(operation);
        Ok(advance(next))
    }

    /// Sees an operation that outlives us through to its end, starting it only if it surely never was.
    pub(super) async fn carry(
        &self,
        state: CycleState,
        operation: &Operation,
        what: &str,
        told: &TargetCommand,
        output: &mut OutputSink,
    ) -> Carried {
        let runner = self.world().operations();
        if runner.state(&operation.id) == OperationState::NeverStarted {
            moment(state, "intent");
            let command = crate::config::ConfiguredCommand {
                argv: operation.argv.clone(),
                timeout_ms: operation.timeout_ms,
            };
            let spec = told.spec(&command);
            output.line(&format!("$ {}", operation.argv.join(" ")));
            if let Err(error) = runner.start(&operation.id, &spec, &limits(operation.timeout_ms)).await {
                let detail = format!("the {what} command could not be run: {error}");
                return Carried::Ended(CommandRun::Failed(detail.clone()), outcome(false, detail));
            }
        }
        let mut on_line = |_, line: &str| output.line(line);
        match Box::pin(runner.follow(&operation.id, &mut on_line)).await {
            OperationState::Finished(run) => {
                let result = CommandRun::from_outcome(what, operation.timeout_ms, &run);
                let outcome = OperationOutcome {
                    succeeded: run.success(),
                    unknown: false,
                    exit_code: run.exit.code,
                    timed_out: run.timed_out,
                    detail: result.detail().to_owned(),
                    duration_ms: Some(run.duration_ms),
                };
                Carried::Ended(result, outcome)
            }
            OperationState::Lost { reason } => Carried::Lost(reason),
            OperationState::Running | OperationState::NeverStarted => {
                Carried::Lost("its runner cannot be found".to_owned())
            }
        }
    }

    pub(super) async fn deploy(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let Some(operation) = at.awaited(OperationKind::Deploy) else {
            let detail = "the deploy's operation is not in the journal".to_owned();
            return Ok(Advance::step(Input::Lost { detail, finish: None }));
        };
        let rules = self.rules(cycle).await?;
        let target = self.target_of(cycle).await?;
        let mut output = self.world().output(cycle, Stage::Deploying);
        let runner = self.world().operations();
        if cycle.cancel.is_some() {
            match runner.state(&operation.id) {
                // It surely never happened, and nobody wants it any more.
                OperationState::NeverStarted => {
                    let learned = Learned { deployed_by_this_cycle: Some(false), ..Learned::default() };
                    let never = outcome(false, "stopped before it began");
                    return Ok(Advance::step(release_failed(
                        at,
                        FailureClass::DeployFailure,
                        learned,
                        never,
                    )));
                }
                _ => {
                    // A runner that ended meanwhile needs no telling.
                    let _ = runner.cancel(&operation.id);
                }
            }
        }
        let told = self.told(cycle, &target);
        let carried = self.carry(cycle.state, operation, "deploy", &told, &mut output).await;
        let account = Account {
            kind: DeploymentKind::Deploy,
            expected: cycle.release_id.as_deref(),
            cycle_id: Some(&cycle.id),
            operation_id: Some(&operation.id),
        };
        let seen = self.see(cycle, &rules, account).await?;
        let mut learned = self.learned_after_deploy(cycle, &seen);
        if cycle.cancel.is_none()
            && matches!(&carried, Carried::Ended(CommandRun::Failed(_) | CommandRun::NoVerdict(_), _))
        {
            self.mark(&seen.target, &mut learned, cycle.release_id.as_deref(), Some(false)).await?;
        }
        let ours = learned.deployed_by_this_cycle;
        let input = match carried {
            _ if cycle.cancel.is_some() => {
                let stopped = outcome(false, "stopped by an operator");
                release_failed(at, FailureClass::DeployFailure, learned, stopped)
            }
            Carried::Ended(CommandRun::Passed(_), outcome) => {
                let mut next = passed(CycleEvent::Deployed, StageOutcome::Passed, None);
                next.finish = Some(outcome);
                next.learned = learned;
                Input::Passed(Box::new(next))
            }
            Carried::Ended(_, outcome) => release_failed(at, FailureClass::DeployFailure, learned, outcome),
            Carried::Lost(_) if ours == Some(true) => {
                let detail = "its runner died, but the new release answers";
                let mut next = passed(CycleEvent::Deployed, StageOutcome::Passed, Some(detail.to_owned()));
                next.finish = Some(outcome(true, detail));
                next.learned = learned;
                Input::Passed(Box::new(next))
            }
            Carried::Lost(reason) => {
                let detail = format!("nobody can tell whether the deploy took effect: {reason}");
                let finish = Some(OperationOutcome { unknown: true, ..outcome(false, detail.clone()) });
                Input::Lost { detail, finish }
            }
        };
        Ok(Advance::Step(Box::new(input), output.row()))
    }

    /// What a look at the target says about this cycle's own deploy.
    pub(super) fn learned_after_deploy(&self, cycle: &Cycle, seen: &Seen) -> Learned {
        let mut learned = Learned { target: seen.update.clone(), ..Learned::default() };
        if seen.observed.is_err() {
            return learned;
        }
        if seen.target.current_release_id == cycle.release_id {
            learned.deployed_by_this_cycle = Some(
                cycle.deployed_by_this_cycle == Some(true)
                    || Some(seen.target.generation) != cycle.expected_generation,
            );
            learned.expected_generation = Some(seen.target.generation);
        } else if Some(seen.target.generation) == cycle.expected_generation
            && cycle.deployed_by_this_cycle.is_none()
        {
            learned.deployed_by_this_cycle = Some(false);
        }
        learned
    }
}

pub(super) fn unchanged(target: &Target) -> TargetUpdate {
    TargetUpdate {
        target: crate::store::TargetChange {
            expected_generation: Some(target.generation),
            row: target.clone(),
        },
        deployments: Vec::new(),
        releases: Vec::new(),
    }
}

fn release_failed(at: &Loaded, class: FailureClass, learned: Learned, outcome: OperationOutcome) -> Input {
    let cancel = at.cycle.cancel.as_ref();
    let detail = match cancel {
        Some(cancel) => format!("stopped by {}: {}", cancel.actor.name, cancel.reason),
        None => outcome.detail.clone(),
    };
    let cause = if cancel.is_some() { "operator_cancel" } else { "deploy_failed" };
    let failure = Failure {
        class: Some(class),
        cause: cause.to_owned(),
        detail,
        inconclusive: false,
        stage: Stage::Deploying,
    };
    failed(Input::Failed { failure: Box::new((failure, learned)), finish: None }, outcome)
}
