//! `watching`, `health_checking` and `verifying_rollback`: several looks, each a row's due time apart, and proof
//! that the release that should answer is the one that does.

use super::deploy::{Seen, unchanged};
use super::prepare::{Rules, passed};
use super::{Advance, Engine, Loaded};
use crate::error::EngineError;
use crate::model::{
    Cycle, DeploymentKind, Failure, FailureClass, GateStatus, ProbeProgress, Release, ReleaseHealth,
    ResolvedPolicy, Stage, StageOutcome, Target,
};
use crate::observe::Account;
use crate::step::{Input, Learned, Proof};
use crate::table::CycleEvent;
use crate::world::{CommandRun, OutputSink, TargetCommand};

/// One look of a gate.
struct Look {
    good: bool,
    inconclusive: bool,
    detail: String,
}

impl Look {
    fn of(run: &CommandRun) -> Self {
        Self {
            good: matches!(run, CommandRun::Passed(_)),
            inconclusive: matches!(run, CommandRun::NoVerdict(_)),
            detail: run.detail().to_owned(),
        }
    }
}

/// What a gate comes to after one more look.
enum Gate {
    Passed(ProbeProgress),
    Again(ProbeProgress),
    Failed,
}

fn count(before: &ProbeProgress, look: &Look, wanted: u32, forgiven: u32) -> Gate {
    let mut progress = before.clone();
    progress.polls = progress.polls.saturating_add(1);
    progress.last = Some(look.detail.clone());
    if look.good {
        progress.good += 1;
    } else {
        progress.good = 0;
        progress.bad += 1;
    }
    if progress.good >= wanted.max(1) {
        Gate::Passed(progress)
    } else if progress.bad > forgiven {
        Gate::Failed
    } else {
        Gate::Again(progress)
    }
}

impl Engine {
    fn deploy_account<'a>(&self, cycle: &'a Cycle) -> Account<'a> {
        Account {
            kind: DeploymentKind::Deploy,
            expected: cycle.release_id.as_deref(),
            cycle_id: Some(&cycle.id),
            operation_id: None,
        }
    }

    fn again(&self, progress: ProbeProgress, interval_ms: i64, learned: Learned) -> Advance {
        let detail = progress.last.clone().unwrap_or_default();
        Advance::step(Input::Probed {
            progress,
            due_at_ms: self.now_ms() + interval_ms.max(1),
            detail,
            learned: Box::new(learned),
        })
    }

    pub(super) async fn watch(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let (rules, policy) = (self.rules(cycle).await?, cycle.policy.clone().unwrap_or_default());
        let mut output = self.world().output(cycle, Stage::Watching);
        let seen = self.see(cycle, &rules, self.deploy_account(cycle)).await?;
        let mut learned = self.learned_after_deploy(cycle, &seen);
        if let Some(input) = self.stopped(at, &mut learned, Stage::Watching).await? {
            return Ok(Advance::step(input));
        }
        let mut look = answers(&seen, cycle.release_id.as_deref());
        output.line(&look.detail);
        if look.good
            && let Some(command) = &rules.target_config(cycle)?.watchdog
        {
            let told = self.told(cycle, &seen.target);
            let run = self
                .world()
                .run("watchdog", &told.spec(command), command.timeout_ms, Some(&mut output))
                .await;
            look = Look::of(&run);
            output.line(&look.detail);
        }
        let wanted = policy.restart_watchdog_successes;
        let advance = match count(&cycle.probe, &look, wanted, policy.restart_watchdog_retries) {
            Gate::Passed(progress) => {
                let reason = format!("{} good probes in a row, answered by the new release", progress.good);
                learned.watchdog = Some((GateStatus::Passed, reason.clone()));
                let mut next = passed(CycleEvent::Watched, StageOutcome::Passed, Some(reason));
                next.learned = learned;
                Advance::step(Input::Passed(Box::new(next)))
            }
            Gate::Again(progress) => self.again(progress, policy.restart_watchdog_interval_ms, learned),
            Gate::Failed => {
                let failure = Failure {
                    class: Some(FailureClass::RestartWatchdogFailure),
                    cause: "watchdog_failed".to_owned(),
                    detail: look.detail,
                    inconclusive: false,
                    stage: Stage::Watching,
                };
                Advance::step(self.gate_failed(cycle, &seen.target, failure, learned).await?)
            }
        };
        Ok(with_output(advance, &output))
    }

    pub(super) async fn check_health(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let (rules, policy) = (self.rules(cycle).await?, cycle.policy.clone().unwrap_or_default());
        let mut output = self.world().output(cycle, Stage::HealthChecking);
        let seen = self.see(cycle, &rules, self.deploy_account(cycle)).await?;
        let mut learned = self.learned_after_deploy(cycle, &seen);
        if let Some(input) = self.stopped(at, &mut learned, Stage::HealthChecking).await? {
            return Ok(Advance::step(input));
        }
        let mut look = answers(&seen, cycle.release_id.as_deref());
        let health = rules.target_config(cycle)?.health.clone();
        if look.good
            && let Some(command) = &health
        {
            let told = self.told(cycle, &seen.target);
            let run =
                self.world().run("health", &told.spec(command), command.timeout_ms, Some(&mut output)).await;
            look = Look::of(&run);
        }
        output.line(&look.detail);
        let advance = match count(&cycle.probe, &look, 1, policy.health_check_retries) {
            Gate::Passed(_) => {
                self.mark(
                    &seen.target,
                    &mut learned,
                    cycle.release_id.as_deref(),
                    health.as_ref().map(|_| true),
                )
                .await?;
                learned.proof = proof(&seen);
                let (status, outcome, detail) = match health {
                    Some(_) => (GateStatus::Passed, StageOutcome::Passed, "the health gate passed"),
                    None => (GateStatus::Skipped, StageOutcome::Skipped, "the target has no health gate"),
                };
                learned.health = Some(status);
                let mut next = passed(CycleEvent::Healthy, outcome, Some(detail.to_owned()));
                next.learned = learned;
                Advance::step(Input::Passed(Box::new(next)))
            }
            Gate::Again(progress) => self.again(progress, policy.health_check_interval_ms, learned),
            Gate::Failed => {
                let failure = Failure {
                    class: Some(FailureClass::HealthFailure),
                    cause: if look.inconclusive { "health_inconclusive" } else { "health_failed" }.to_owned(),
                    detail: look.detail,
                    inconclusive: look.inconclusive,
                    stage: Stage::HealthChecking,
                };
                Advance::step(self.gate_failed(cycle, &seen.target, failure, learned).await?)
            }
        };
        Ok(with_output(advance, &output))
    }

    /// From the deploy on, somebody's stop is a failure of the deploy (design 4).
    async fn stopped(
        &self,
        at: &Loaded,
        learned: &mut Learned,
        stage: Stage,
    ) -> Result<Option<Input>, EngineError> {
        let Some(cancel) = &at.cycle.cancel else { return Ok(None) };
        let failure = Failure {
            class: Some(FailureClass::DeployFailure),
            cause: "operator_cancel".to_owned(),
            detail: format!("stopped by {}: {}", cancel.actor.name, cancel.reason),
            inconclusive: false,
            stage,
        };
        let learned = std::mem::take(learned);
        Ok(Some(Input::Failed { failure: Box::new((failure, learned)), finish: None }))
    }

    async fn gate_failed(
        &self,
        cycle: &Cycle,
        seen: &Target,
        failure: Failure,
        mut learned: Learned,
    ) -> Result<Input, EngineError> {
        let verdict = (!failure.inconclusive).then_some(false);
        self.mark(seen, &mut learned, cycle.release_id.as_deref(), verdict).await?;
        Ok(Input::Failed { failure: Box::new((failure, learned)), finish: None })
    }

    /// Notes a release's health among what was learned; no verdict leaves it as it is.
    pub(super) async fn mark(
        &self,
        seen: &Target,
        learned: &mut Learned,
        release_id: Option<&str>,
        healthy: Option<bool>,
    ) -> Result<(), EngineError> {
        let (Some(id), Some(healthy)) = (release_id, healthy) else { return Ok(()) };
        let stored = self.store().release(&seen.id, id).await?;
        let update = learned.target.get_or_insert_with(|| unchanged(seen));
        let pending =
            update.releases.iter().position(|row| row.id == id).map(|at| update.releases.remove(at));
        let Some(row) = pending.or(stored) else { return Ok(()) };
        update.releases.push(Release {
            health: if healthy { ReleaseHealth::Healthy } else { ReleaseHealth::Unhealthy },
            healthy_at_ms: if healthy { Some(self.now_ms()) } else { row.healthy_at_ms },
            ..row
        });
        Ok(())
    }

    pub(super) async fn verify_rollback(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let Some(decision) = &at.decision else {
            return Err(EngineError::not_found("decision of cycle", &cycle.id));
        };
        let (rules, policy) = (self.rules(cycle).await?, cycle.policy.clone().unwrap_or_default());
        let mut output = self.world().output(cycle, Stage::VerifyingRollback);
        let goal = decision.target_release_id.as_deref();
        let account = Account {
            kind: DeploymentKind::Rollback,
            expected: goal,
            cycle_id: Some(&cycle.id),
            operation_id: decision.operation_id.as_ref(),
        };
        let seen = self.see(cycle, &rules, account).await?;
        let mut learned = Learned {
            target: seen.update.clone(),
            expected_generation: seen.observed.is_ok().then_some(seen.target.generation),
            ..Learned::default()
        };
        let mut look = match goal {
            Some(_) => answers(&seen, goal),
            None => another_than(&seen, decision.deployed_release_id.as_deref()),
        };
        let told = TargetCommand {
            release_id: seen.target.current_release_id.clone(),
            previous_release_id: decision.deployed_release_id.clone(),
            ..self.told(cycle, &seen.target)
        };
        let judged = self.verification_looks(&mut look, &rules, cycle, &told, &mut output).await?;
        output.line(&look.detail);
        let forgiven = policy.restart_watchdog_retries + policy.health_check_retries;
        let advance = match count(&cycle.probe, &look, policy.restart_watchdog_successes, forgiven) {
            Gate::Passed(_) => {
                let id = seen.target.current_release_id.clone();
                self.mark(&seen.target, &mut learned, id.as_deref(), judged.then_some(true)).await?;
                learned.proof = proof(&seen);
                let detail = format!("{} answers", id.unwrap_or_default());
                Advance::step(Input::RollbackEnded {
                    succeeded: true,
                    detail,
                    finish: None,
                    learned: Box::new(learned),
                })
            }
            Gate::Again(progress) => self.again(progress, verify_interval(&policy), learned),
            Gate::Failed => Advance::step(Input::RollbackEnded {
                succeeded: false,
                detail: format!("the rollback could not be verified: {}", look.detail),
                finish: None,
                learned: Box::new(learned),
            }),
        };
        Ok(with_output(advance, &output))
    }

    /// Watchdog and health gate over a look that is good so far. True when a health gate judged.
    async fn verification_looks(
        &self,
        look: &mut Look,
        rules: &Rules,
        cycle: &Cycle,
        told: &TargetCommand,
        output: &mut OutputSink,
    ) -> Result<bool, EngineError> {
        let config = rules.target_config(cycle)?;
        for (what, command) in [("watchdog", &config.watchdog), ("health", &config.health)] {
            if !look.good {
                return Ok(false);
            }
            if let Some(command) = command {
                let run = self.world().run(what, &told.spec(command), command.timeout_ms, Some(output)).await;
                *look = Look::of(&run);
            }
        }
        Ok(look.good && config.health.is_some())
    }
}

fn verify_interval(policy: &ResolvedPolicy) -> i64 {
    policy.restart_watchdog_interval_ms.max(policy.health_check_interval_ms)
}

fn answers(seen: &Seen, expected: Option<&str>) -> Look {
    match &seen.observed {
        Err(error) => {
            Look { good: false, inconclusive: true, detail: format!("nobody can tell what runs: {error}") }
        }
        Ok(_) if seen.target.current_release_id.as_deref() == expected => {
            let detail = format!("{} answers", expected.unwrap_or_default());
            Look { good: true, inconclusive: false, detail }
        }
        Ok(found) => {
            let detail = format!("{} answers, not {}", found.release_id, expected.unwrap_or_default());
            Look { good: false, inconclusive: false, detail }
        }
    }
}

/// For a rollback to no named release: anything but the one that failed.
fn another_than(seen: &Seen, failed: Option<&str>) -> Look {
    match &seen.observed {
        Err(error) => {
            Look { good: false, inconclusive: true, detail: format!("nobody can tell what runs: {error}") }
        }
        Ok(found) => {
            let good = seen.target.current_release_id.as_deref() != failed;
            Look { good, inconclusive: false, detail: format!("{} answers", found.release_id) }
        }
    }
}

fn proof(seen: &Seen) -> Option<Proof> {
    let release_id = seen.target.current_release_id.clone().filter(|_| seen.observed.is_ok())?;
    Some(Proof { release_id, observed_at_ms: seen.target.observed_at_ms? })
}

fn with_output(advance: Advance, output: &OutputSink) -> Advance {
    match advance {
        Advance::Step(input, _) => Advance::Step(input, output.row()),
        wait => wait,
    }
}
