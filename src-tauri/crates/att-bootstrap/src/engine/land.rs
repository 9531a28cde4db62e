//! From `pushing` to `merging`: the change reaches the remote, is judged by its commit id, and becomes the base.

use super::prepare::{Rules, advance, failed, failure, outcome, passed};
use super::{Advance, Engine, Loaded};
use crate::config::{Ci, FILE};
use crate::error::EngineError;
use crate::model::{
    GateStatus, InterruptionKind, OperationKind, ProbeProgress, ResolvedPolicy, Stage, StageOutcome,
    WaitingFor,
};
use crate::step::{Hold, Input, Learned};
use crate::table::CycleEvent;
use crate::world::{Checkout, CommandRun, PushOutcome, limits};
use att_process::CommandSpec;

/// A CI command says "not done yet" with this exit code (`EX_TEMPFAIL` of sysexits).
const STILL_RUNNING: i32 = 75;

impl Engine {
    fn head(at: &Loaded) -> Result<&str, EngineError> {
        at.cycle
            .head_commit
            .as_deref()
            .ok_or_else(|| EngineError::not_found("head commit of cycle", &at.cycle.id))
    }

    pub(super) async fn push(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let Some(operation) = at.awaited(OperationKind::Push) else {
            let operation = self.operation(cycle, OperationKind::Push, &[], 120_000);
            return Ok(Advance::step(Input::Intended(Box::new(operation))));
        };
        let project = self.project(cycle).await?;
        let head = Self::head(at)?;
        let done = |outcome_is: StageOutcome, detail: String| {
            let mut next = passed(CycleEvent::Pushed, outcome_is, Some(detail.clone()));
            next.finish = Some(outcome(true, detail));
            advance(next)
        };
        let fail = |cause: &str, detail: String| {
            Advance::step(failed(failure(Stage::Pushing, cause, detail.clone()), outcome(false, detail)))
        };
        let there = match self.world().remote_commit(&project, &cycle.branch).await {
            Ok(there) => there,
            Err(error) => return Ok(fail("remote_unreachable", error.to_string())),
        };
        if there.as_deref() == Some(head) {
            return Ok(done(StageOutcome::Passed, format!("{} is at {head}", cycle.branch)));
        }
        if let Some(other) = there {
            let detail = format!("the remote's branch {} is at {other}, which is not ours", cycle.branch);
            return Ok(fail("branch_taken", detail));
        }
        match self.world().push(&project, head, &cycle.branch, "", operation).await {
            Ok(PushOutcome::Pushed) => {
                Ok(done(StageOutcome::Passed, format!("{} is at {head}", cycle.branch)))
            }
            Ok(PushOutcome::Refused(said)) => Ok(fail("push_refused", said)),
            Err(error) => Ok(fail("push_failed", error.to_string())),
        }
    }

    pub(super) fn open_pr(&self) -> Advance {
        let detail = Some("the remote is no pull request host".to_owned());
        advance(passed(CycleEvent::PrSettled, StageOutcome::NotRun, detail))
    }

    pub(super) async fn await_ci(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let rules = self.rules(&at.cycle).await?;
        let command = match &rules.config.ci {
            None => {
                let detail = "att.toml has no [ci]; say `kind = \"none\"` to merge without";
                return Ok(Advance::step(failure(Stage::AwaitingCi, "ci_not_configured", detail)));
            }
            Some(Ci::None) => {
                let detail = Some("att.toml says that there is no CI".to_owned());
                let mut next = passed(CycleEvent::CiPassed, StageOutcome::Skipped, detail);
                next.learned.ci_status = Some(GateStatus::Skipped);
                return Ok(advance(next));
            }
            Some(Ci::Command(command)) => command,
        };
        let Some(_) = at.awaited(OperationKind::Ci) else {
            let operation = self.operation(&at.cycle, OperationKind::Ci, &command.argv, command.timeout_ms);
            return Ok(Advance::step(Input::Intended(Box::new(operation))));
        };
        let policy = at.cycle.policy.clone().unwrap_or_default();
        let head = Self::head(at)?;
        let change = self.world().checkout_dir(&at.cycle.id, Checkout::Change);
        let spec = CommandSpec::new(command.argv.iter().cloned())
            .cwd(self.world().checkout_dir(&at.cycle.id, Checkout::Base))
            .env("ATT_COMMIT", head)
            .env("ATT_BRANCH", &at.cycle.branch)
            .env("ATT_WORKTREE", change.to_string_lossy())
            // It may run what the change brings along, such as its tests: no tokens, no keyring.
            .scrubbed();
        let mut output = self.world().output(&at.cycle, Stage::AwaitingCi);
        output.line(&format!("$ {}", spec.argv.join(" ")));
        let timeout_ms = command.timeout_ms.min(policy.ci_timeout_ms);
        let mut on_line = |_, line: &str| output.line(line);
        let bounds = limits(timeout_ms);
        let run = Box::pin(att_process::run_streaming(&spec, &bounds, &mut on_line)).await;
        let input = match run {
            Ok(run) if run.exit.code == Some(STILL_RUNNING) && !run.timed_out => self.poll_again(at, &policy),
            Ok(run) => self.ci_verdict(&CommandRun::from_outcome("ci", timeout_ms, &run)),
            Err(error) => self.ci_verdict(&CommandRun::NoVerdict(error.to_string())),
        };
        Ok(Advance::Step(Box::new(input), output.row()))
    }

    fn ci_verdict(&self, run: &CommandRun) -> Input {
        match run {
            CommandRun::Passed(_) => {
                let mut next = passed(CycleEvent::CiPassed, StageOutcome::Passed, None);
                next.finish = Some(outcome(true, "CI passed"));
                next.learned.ci_status = Some(GateStatus::Passed);
                Input::Passed(Box::new(next))
            }
            other => ci_failed(other.detail()),
        }
    }

    fn poll_again(&self, at: &Loaded, policy: &ResolvedPolicy) -> Input {
        let since = at.cycle.state_since_ms;
        if self.now_ms() - since >= policy.ci_timeout_ms {
            return ci_failed(&format!("no verdict within {} ms", policy.ci_timeout_ms));
        }
        let polls = at.cycle.probe.polls;
        let factor = 1_i64.checked_shl(polls).unwrap_or(i64::MAX);
        let pause = policy.ci_initial_poll_ms.saturating_mul(factor).min(policy.ci_max_poll_ms).max(1);
        Input::Probed {
            progress: ProbeProgress { polls: polls.saturating_add(1), ..at.cycle.probe.clone() },
            due_at_ms: self.now_ms() + pause,
            detail: "CI is still running".to_owned(),
            learned: Box::default(),
        }
    }

    pub(super) async fn merge(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let rules = self.rules(cycle).await?;
        let head = Self::head(at)?.to_owned();
        if let Some(hold) = self.merge_hold(at, &rules, &head)? {
            return Ok(hold);
        }
        let Some(operation) = at.awaited(OperationKind::Merge) else {
            let operation = self.operation(cycle, OperationKind::Merge, &[], 120_000);
            return Ok(Advance::step(Input::Intended(Box::new(operation))));
        };
        let fail = |cause: &str, detail: String| {
            Advance::step(failed(failure(Stage::Merging, cause, detail.clone()), outcome(false, detail)))
        };
        let project = &rules.project;
        let now_there = match self.world().fetch(project).await {
            Ok(base) => base,
            Err(error) => return Ok(fail("remote_unreachable", error.to_string())),
        };
        if !self.world().contains(project, &head, &now_there)? {
            if now_there != rules.base_commit || !self.world().contains(project, &now_there, &head)? {
                let detail = format!(
                    "the base {} moved to {now_there} since the change was made from {}; run the change again",
                    project.base, rules.base_commit
                );
                return Ok(fail("base_moved", detail));
            }
            match self.world().push(project, &head, &project.base, &now_there, operation).await {
                Ok(PushOutcome::Pushed) => {}
                Ok(PushOutcome::Refused(said)) => return Ok(fail("merge_refused", said)),
                Err(error) => return Ok(fail("merge_failed", error.to_string())),
            }
            // Our own fetch has to know the new base: the source `git` and every diff read it.
            self.world().fetch(project).await?;
        }
        let event = if cycle.target.is_some() { CycleEvent::Merged } else { CycleEvent::MergedOnly };
        let mut next = passed(event, StageOutcome::Passed, Some(format!("{} is at {head}", project.base)));
        next.finish = Some(outcome(true, head));
        next.learned = Learned { merged: true, ..Learned::default() };
        Ok(advance(next))
    }

    /// A change of `att.toml` always waits for a person, and any change where merging by itself is off.
    fn merge_hold(&self, at: &Loaded, rules: &Rules, head: &str) -> Result<Option<Advance>, EngineError> {
        let cycle = &at.cycle;
        if cycle.merge_allowed {
            return Ok(None);
        }
        let file = |commit: &str| self.world().file_at(&rules.project, commit, FILE);
        let touches_config = file(head)? != file(&rules.base_commit)?;
        let automatic = cycle.policy.as_ref().is_none_or(|policy| policy.auto_merge_on_ci_success);
        if automatic && !touches_config {
            return Ok(None);
        }
        if cycle.waiting.as_ref().is_some_and(|row| row.waiting_for == WaitingFor::MergeApproval) {
            return Ok(Some(Advance::Wait(None)));
        }
        let (kind, detail) = if touches_config {
            (
                InterruptionKind::ConfigChanged,
                format!("commit {head} changes att.toml: a person lets it in or not"),
            )
        } else {
            (InterruptionKind::MergeWaits, format!("commit {head} passed; merging by itself is off"))
        };
        Ok(Some(Advance::step(Input::Held(Hold {
            waiting_for: WaitingFor::MergeApproval,
            until_ms: None,
            interruption: Some((kind, format!("{}: merge {}?", rules.project.id, cycle.branch))),
            detail,
        }))))
    }
}

fn ci_failed(detail: &str) -> Input {
    let failure = crate::model::Failure {
        class: None,
        cause: "ci_failed".to_owned(),
        detail: detail.to_owned(),
        inconclusive: false,
        stage: Stage::AwaitingCi,
    };
    let learned = Learned { ci_status: Some(GateStatus::Failed), ..Learned::default() };
    Input::Failed { failure: Box::new((failure, learned)), finish: Some(outcome(false, detail)) }
}
