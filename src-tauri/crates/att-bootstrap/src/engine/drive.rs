//! The loop around one cycle, and around all of them.

use super::{Advance, Driven, Engine, Loaded, moment};
use crate::error::EngineError;
use crate::model::{CycleState, OperationKind, OperationOutcome, OperationPhase, WaitingFor};
use crate::step::{Input, MAX_RESUMES};
use att_core::id::CycleId;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest sleep before the clock is looked at again: it may have been set, or the machine been asleep.
const LOOK_MS: i64 = 250;
/// So many conflicts in a row are no race any more.
const MAX_CONFLICTS: u32 = 20;

/// Why a drive came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The cycle has ended.
    Ended(CycleState),
    /// It waits for a person, or for that time.
    Waiting(Option<i64>),
    /// The driver was told to stop, or somebody else in this process drives it.
    Stopped,
}

impl Engine {
    /// Drives every live cycle until none can go on without a person. Answers when something is due by itself.
    ///
    /// # Errors
    /// When the journal fails, or the lease is lost.
    pub async fn run_until_idle(&self, stop: &CancellationToken) -> Result<Option<i64>, EngineError> {
        loop {
            let live = self.store().live_cycles().await?;
            let drives = live.iter().map(|cycle| Box::pin(self.drive(&cycle.id, stop)));
            let mut due = None;
            let mut ended = false;
            for rest in futures::future::join_all(drives).await {
                match rest? {
                    Rest::Ended(_) => ended = true,
                    Rest::Waiting(Some(at_ms)) => due = Some(due.map_or(at_ms, |due: i64| due.min(at_ms))),
                    Rest::Waiting(None) | Rest::Stopped => {}
                }
            }
            // What ended may have made room for one that was queued behind it.
            if !ended || stop.is_cancelled() {
                return Ok(due);
            }
        }
    }

    /// Drives one cycle until it ends or waits for a person. Probes that are due soon are waited for.
    ///
    /// # Errors
    /// When the journal fails, or the lease is lost.
    pub async fn drive(&self, id: &CycleId, stop: &CancellationToken) -> Result<Rest, EngineError> {
        let first = {
            let mut driven = self.driven();
            let known = driven.contains_key(id);
            let entry = driven.entry(id.clone()).or_default();
            if entry.busy {
                return Ok(Rest::Stopped);
            }
            entry.busy = true;
            !known
        };
        let _busy = Busy { engine: self, id };
        if first {
            self.take_up(id).await?;
        }
        let mut conflicts = 0;
        let mut stopping = false;
        loop {
            let cancel = self.cancel_token(id);
            let turn = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Rest::Stopped),
                // What was under way is dropped; the next look finds the request to stop in the journal.
                () = cancel.cancelled() => {
                    self.driven().entry(id.clone()).or_default().cancel = CancellationToken::new();
                    stopping = true;
                    continue;
                }
                () = self.cancel_asked(id), if !stopping => {
                    stopping = true;
                    continue;
                }
                turn = Box::pin(self.turn(id)) => turn,
            };
            match turn {
                Ok(None) => conflicts = 0,
                Ok(Some(Rest::Waiting(Some(due)))) if self.waits_for_timer(id).await? => {
                    let left = (due - self.now_ms()).clamp(1, LOOK_MS);
                    let nap = Duration::from_millis(u64::try_from(left).unwrap_or(1));
                    tokio::select! {
                        () = stop.cancelled() => return Ok(Rest::Stopped),
                        () = cancel.cancelled() => {}
                        () = tokio::time::sleep(nap) => {}
                    }
                }
                Ok(Some(rest)) => return Ok(rest),
                Err(error) if error.is_conflict() && !error.is_lease_lost() && conflicts < MAX_CONFLICTS => {
                    conflicts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Comes back once the journal holds a request to stop: another process may have written it.
    async fn cancel_asked(&self, id: &CycleId) {
        let pause = Duration::from_millis(u64::try_from(LOOK_MS).unwrap_or(1));
        loop {
            tokio::time::sleep(pause).await;
            let cycle = self.store().cycle(id).await;
            if cycle.is_ok_and(|cycle| cycle.is_some_and(|cycle| cycle.cancel.is_some())) {
                return;
            }
        }
    }

    /// A cycle that a driver left behind is counted, and given to a person when that happened too often.
    async fn take_up(&self, id: &CycleId) -> Result<(), EngineError> {
        let at = self.load(id).await?;
        let under_way = !at.cycle.state.is_terminal()
            && at.cycle.state != CycleState::Queued
            && at.cycle.state != CycleState::NeedsOperator
            && at.cycle.waiting.as_ref().is_none_or(|waiting| waiting.waiting_for == WaitingFor::Timer);
        if !under_way {
            return Ok(());
        }
        let input = if at.cycle.resumes >= MAX_RESUMES {
            let detail = format!("it was taken up {} times and did not get on", at.cycle.resumes);
            Input::Lost { detail, finish: None }
        } else {
            Input::Resumed
        };
        match self.commit_step(&at, input, None).await {
            Err(error) if error.is_conflict() && !error.is_lease_lost() => Ok(()),
            other => other,
        }
    }

    async fn waits_for_timer(&self, id: &CycleId) -> Result<bool, EngineError> {
        let cycle = self.store().cycle(id).await?;
        let waiting = cycle.and_then(|cycle| cycle.waiting);
        Ok(waiting.is_some_and(|waiting| waiting.waiting_for == WaitingFor::Timer))
    }

    /// One look, and one commit. None: look again.
    async fn turn(&self, id: &CycleId) -> Result<Option<Rest>, EngineError> {
        let at = self.load(id).await?;
        let state = at.cycle.state;
        if state.is_terminal() {
            return Ok(Some(Rest::Ended(state)));
        }
        let advance = match Box::pin(self.advance(&at)).await {
            Err(error) => Advance::step(lost(&at, error)?),
            Ok(advance) => advance,
        };
        match advance {
            Advance::Wait(due) => Ok(Some(Rest::Waiting(due))),
            Advance::Step(input, output) => {
                let intends = matches!(*input, Input::Intended(_));
                if !intends {
                    moment(state, "done");
                }
                match self.commit_step(&at, *input, output).await {
                    // What the step refuses today it refuses tomorrow: a person looks at it.
                    Err(error @ EngineError::Refused(_)) if can_be_lost(&at) => {
                        tracing::error!(cycle = %id, %error, "the step refused what its driver found");
                        self.commit_step(&at, given_up(&at, &error), None).await?;
                    }
                    other => other?,
                }
                moment(state, if intends { "intent" } else { "committed" });
                Ok(None)
            }
        }
    }

    async fn advance(&self, at: &Loaded) -> Result<Advance, EngineError> {
        if let Some(input) = cancelled_before_deploy(at) {
            return Ok(Advance::step(input));
        }
        if let Some(waiting) = at.cycle.waiting.as_ref().filter(|row| row.waiting_for == WaitingFor::Timer)
            && let Some(due) = waiting.until_ms
            && due > self.now_ms()
            && at.cycle.cancel.is_none()
        {
            return Ok(Advance::Wait(Some(due)));
        }
        match at.cycle.state {
            CycleState::Queued => self.begin(at).await,
            CycleState::Preparing => self.prepare(at).await,
            CycleState::Changing => self.change(at).await,
            CycleState::Testing => self.test(at).await,
            CycleState::Committing => self.commit_change(at).await,
            CycleState::Pushing => self.push(at).await,
            CycleState::OpeningPr => Ok(self.open_pr()),
            CycleState::AwaitingCi => self.await_ci(at).await,
            CycleState::Merging => self.merge(at).await,
            CycleState::Readying => self.ready(at).await,
            CycleState::Deploying => self.deploy(at).await,
            CycleState::Watching => self.watch(at).await,
            CycleState::HealthChecking => self.check_health(at).await,
            CycleState::Deciding => self.decide(at).await,
            CycleState::AwaitingApproval => Ok(self.await_approval(at)),
            CycleState::RollingBack => self.roll_back(at).await,
            CycleState::VerifyingRollback => self.verify_rollback(at).await,
            CycleState::NeedsOperator
            | CycleState::Succeeded
            | CycleState::Denied
            | CycleState::RolledBack
            | CycleState::RollbackFailed
            | CycleState::Failed
            | CycleState::Cancelled => Ok(Advance::Wait(None)),
        }
    }
}

/// What the outside refuses to tell is a person's matter. What the journal refuses is not: it is tried again.
fn lost(at: &Loaded, error: EngineError) -> Result<Input, EngineError> {
    let outside = !matches!(error, EngineError::Store(_) | EngineError::Refused(_));
    if outside && can_be_lost(at) { Ok(given_up(at, &error)) } else { Err(error) }
}

fn can_be_lost(at: &Loaded) -> bool {
    crate::table::next(at.cycle.state, crate::table::CycleEvent::Lost).is_some()
}

fn given_up(at: &Loaded, error: &EngineError) -> Input {
    let detail = error.to_string();
    let awaited = at.operation.as_ref().filter(|row| row.phase == OperationPhase::Intended);
    let finish = awaited.map(|_| unknown(&detail));
    Input::Lost { detail, finish }
}

fn unknown(detail: &str) -> OperationOutcome {
    OperationOutcome {
        succeeded: false,
        unknown: true,
        exit_code: None,
        timed_out: false,
        detail: detail.to_owned(),
        duration_ms: None,
    }
}

fn cancelled_before_deploy(at: &Loaded) -> Option<Input> {
    let asked = at.cycle.cancel.as_ref()?;
    crate::table::next(at.cycle.state, crate::table::CycleEvent::Cancelled)?;
    // A merge that was begun may have landed: it is looked up first, and the cycle stopped after it.
    if at.awaited(OperationKind::Merge).is_some() {
        return None;
    }
    let detail = format!("stopped by {}: {}", asked.actor.name, asked.reason);
    // What the dropped effect did is not looked at: nothing of it is live.
    let awaited = at.operation.as_ref().filter(|row| row.phase == OperationPhase::Intended);
    let finish = awaited.map(|_| unknown(&detail));
    Some(Input::Cancelled { finish, detail })
}

struct Busy<'a> {
    engine: &'a Engine,
    id: &'a CycleId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut driven = self.engine.driven();
        let entry: &mut Driven = driven.entry(self.id.clone()).or_default();
        entry.busy = false;
    }
}
