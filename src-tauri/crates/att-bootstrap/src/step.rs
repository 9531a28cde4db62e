//! The pure step: a state and an input make the changes of one transaction, or a refusal. Never panics.
//!
//! **Invariant:** a cycle changes its state only here, only along [`crate::table::CYCLE`], and what the design
//! forbids (a rollback without its approval, a success without proof) is refused here, whoever asks.

mod answer;
mod input;
mod motion;

pub(crate) use answer::check_person;
pub use input::{Answer, Hold, Input, Learned, Passed, Proof, TargetUpdate};

use crate::model::{
    Approval, AuditEvent, Cycle, CycleState, Decision, DecisionState, Interruption, InterruptionKind,
    Operation, OperationOutcome, OperationPhase, StageOutcome, TimerKind, TimerRow, Waiting, WaitingFor,
};
use crate::store::{Changes, OperationChange};
use crate::table::CycleEvent;
use att_core::Actor;
use att_core::id::Randomness;
use motion::Motion;

/// More resumes than this, and a person looks at it (design 2.3).
pub const MAX_RESUMES: u32 = 28;
/// How long an approval may be given (design 2.6).
pub const APPROVAL_LIFE_MS: i64 = 30 * 60 * 1000;
/// How old the facts of an approval may be.
pub const FACTS_LIFE_MS: i64 = 10_000;
/// The shortest reason that a person may give.
pub const MIN_REASON_CHARS: usize = 10;

/// Everything a step looks at.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The cycle.
    pub cycle: &'a Cycle,
    /// Its decision.
    pub decision: Option<&'a Decision>,
    /// The decision's last approval.
    pub approval: Option<&'a Approval>,
    /// The operation whose outcome is awaited.
    pub operation: Option<&'a Operation>,
    /// What of this cycle is open in the inbox.
    pub interruptions: &'a [Interruption],
}

/// Time, identity and randomness of one step.
#[derive(Debug, Clone)]
pub struct Now<'a> {
    /// The time.
    pub at_ms: i64,
    /// Who acts, where the input does not say.
    pub actor: Actor,
    /// For new ids.
    pub randomness: &'a dyn Randomness,
}

/// Why an input was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table has no such row.
    #[error("a cycle in `{from}` does not know `{event}`")]
    NotInTable {
        /// Where it stands.
        from: CycleState,
        /// What was to happen.
        event: CycleEvent,
    },
    /// It has ended.
    #[error("the cycle has ended as `{0}`")]
    Ended(CycleState),
    /// The outcome is not that of the awaited operation, or there is none.
    #[error("no such operation is awaited")]
    OperationNotAwaited,
    /// An effect without a committed intent.
    #[error("{0} needs the intent of its operation in the same transaction")]
    IntentMissing(CycleState),
    /// Success without having seen the release answer.
    #[error("{0} needs proof that the release is what answers")]
    ProofMissing(CycleState),
    /// There is no decision, or it is in another state.
    #[error("the decision is {}", .0.map_or("not there", DecisionState::as_str))]
    DecisionNotReady(Option<DecisionState>),
    /// The approval is not open any more.
    #[error("nothing is asked: the question was answered, lapsed or was superseded")]
    NothingAsked,
    /// The version on screen is not the version in the journal.
    #[error("the decision is at version {found}, you looked at version {seen}: look again")]
    OtherVersion {
        /// What was on screen.
        seen: u64,
        /// What there is.
        found: u64,
    },
    /// The digest on screen is not the digest in the journal.
    #[error("the decision is not the one that was on screen: look again")]
    OtherDigest,
    /// Only a person approves.
    #[error("only a person at the desktop or a terminal may do this")]
    PersonOnly,
    /// The reason is too short.
    #[error("a reason of at least {MIN_REASON_CHARS} characters is needed")]
    ReasonTooShort,
    /// The typed release id is not the target release's.
    #[error("type the id of the release to roll back to, exactly: {expected}")]
    OtherReleaseTyped {
        /// What had to be typed.
        expected: String,
    },
    /// The 30 minutes are over.
    #[error("the question lapsed; evaluate again")]
    Lapsed,
    /// The facts are too old.
    #[error("the facts are more than 10 seconds old; gather them again")]
    FactsTooOld,
}

/// What `input` does to `state`.
///
/// # Errors
/// [`Refusal`] when it may not happen; nothing is to be written then.
pub fn step(state: &State<'_>, input: Input, now: &Now<'_>) -> Result<Changes, Refusal> {
    if state.cycle.state.is_terminal() {
        return Err(Refusal::Ended(state.cycle.state));
    }
    let mut motion = Motion::new(state, now);
    match input {
        Input::Resumed => motion.resumed(),
        Input::CancelAsked { actor, reason } => motion.cancel_asked(actor, reason),
        Input::MergeAllowed { actor, reason } => motion.merge_allowed(actor, reason)?,
        Input::Intended(operation) => motion.intend(*operation),
        Input::Finished(outcome) => motion.finish(outcome)?,
        Input::Held(hold) => motion.hold(hold),
        Input::Unheld => motion.unhold(),
        Input::Probed { progress, due_at_ms, detail, learned } => {
            motion.learn(*learned);
            motion.next.probe = progress;
            motion.wait_until(due_at_ms, detail);
        }
        Input::Passed(passed) => motion.passed(*passed)?,
        Input::Failed { failure, finish } => motion.failed(failure, finish)?,
        Input::Cancelled { finish, detail } => {
            motion.finish_if_given(finish)?;
            motion.go(CycleEvent::Cancelled, StageOutcome::Cancelled, Some(detail))?;
        }
        Input::Lost { detail, finish } => motion.lost(detail, finish)?,
        Input::Proposed { decision, intent } => motion.proposed(*decision, intent)?,
        Input::Approved { answer, fresh_digest, gathered_at_ms, intent } => {
            motion.approved(answer, &fresh_digest, gathered_at_ms, *intent)?;
        }
        Input::Rejected(answer) => motion.rejected(answer)?,
        Input::Expired => motion.expired()?,
        Input::Superseded { changed } => motion.superseded(&changed)?,
        Input::Reconsidered { actor } => motion.reconsidered(actor)?,
        Input::Stated { actor, to, running_release_id, reason } => {
            motion.stated(actor, to, running_release_id, reason)?;
        }
        Input::RollbackEnded { succeeded, detail, finish, learned } => {
            motion.rollback_ended(succeeded, detail, finish, *learned)?;
        }
        Input::Saw(update) => motion.take_in(*update),
    }
    Ok(motion.into_changes())
}

impl Motion<'_> {
    fn resumed(&mut self) {
        self.next.resumes += 1;
        let event = AuditEvent::CycleResumed {
            cycle_id: self.next.id.clone(),
            state: self.next.state,
            resumes: self.next.resumes,
        };
        self.record(event);
    }

    fn cancel_asked(&mut self, actor: Actor, reason: String) {
        let event = AuditEvent::CancelRequested { cycle_id: self.next.id.clone(), reason: reason.clone() };
        self.record_by(actor.clone(), event);
        self.next.cancel = Some(crate::model::CancelRequest { actor, reason, at_ms: self.now.at_ms });
    }

    fn merge_allowed(&mut self, actor: Actor, reason: String) -> Result<(), Refusal> {
        answer::check_person(&actor, &reason)?;
        let event = AuditEvent::MergeAllowed { cycle_id: self.next.id.clone(), reason };
        self.record_by(actor, event);
        self.next.merge_allowed = true;
        self.unhold();
        Ok(())
    }

    pub(super) fn intend(&mut self, operation: Operation) {
        self.next.operation_id = Some(operation.id.clone());
        let event = AuditEvent::OperationIntended {
            operation_id: operation.id.clone(),
            cycle_id: self.next.id.clone(),
            operation: operation.kind,
            argv: operation.argv.clone(),
        };
        self.record(event);
        self.changes.operations.push(OperationChange::Intend(operation));
    }

    pub(super) fn finish(&mut self, outcome: OperationOutcome) -> Result<(), Refusal> {
        let awaited = self.state.operation.filter(|operation| {
            operation.phase == OperationPhase::Intended
                && self.next.operation_id.as_ref() == Some(&operation.id)
        });
        let Some(awaited) = awaited else { return Err(Refusal::OperationNotAwaited) };
        let event = AuditEvent::OperationFinished {
            operation_id: awaited.id.clone(),
            cycle_id: self.next.id.clone(),
            operation: awaited.kind,
            outcome: outcome.clone(),
        };
        self.record(event);
        self.changes.operations.push(OperationChange::Finish(Operation {
            phase: OperationPhase::Finished,
            finished_at_ms: Some(self.now.at_ms),
            outcome: Some(outcome),
            ..awaited.clone()
        }));
        self.next.operation_id = None;
        Ok(())
    }

    pub(super) fn finish_if_given(&mut self, outcome: Option<OperationOutcome>) -> Result<(), Refusal> {
        outcome.map_or(Ok(()), |outcome| self.finish(outcome))
    }

    fn hold(&mut self, hold: Hold) {
        let event = AuditEvent::CycleHeld {
            cycle_id: self.next.id.clone(),
            stage: self.next.state,
            detail: hold.detail.clone(),
        };
        self.record(event);
        self.close_interruptions("it waits for something else now");
        let interruption_id =
            hold.interruption.map(|(kind, title)| self.open(kind, title, &hold.detail, None));
        self.next.waiting = Some(Waiting {
            waiting_for: hold.waiting_for,
            since_ms: self.now.at_ms,
            until_ms: hold.until_ms,
            interruption_id,
            detail: hold.detail,
        });
    }

    fn unhold(&mut self) {
        self.next.waiting = None;
        self.close_interruptions("it goes on");
    }

    fn wait_until(&mut self, due_at_ms: i64, detail: String) {
        self.next.waiting = Some(Waiting {
            waiting_for: WaitingFor::Timer,
            since_ms: self.now.at_ms,
            until_ms: Some(due_at_ms),
            interruption_id: None,
            detail,
        });
        self.changes.timers_set.push(TimerRow {
            id: timer_id(TimerKind::Probe, &self.next),
            kind: TimerKind::Probe,
            cycle_id: self.next.id.clone(),
            due_at_ms,
        });
    }

    fn lost(&mut self, detail: String, finish: Option<OperationOutcome>) -> Result<(), Refusal> {
        self.finish_if_given(finish)?;
        if let Some(state) = self.state.decision.map(|decision| decision.state)
            && matches!(state, DecisionState::Executing | DecisionState::Verifying)
        {
            self.move_decision(DecisionState::Unknown, Some(detail.clone()))?;
        }
        self.go(CycleEvent::Lost, StageOutcome::Unknown, Some(detail.clone()))?;
        let title = self.title("needs you: nobody can tell what runs");
        let id = self.open(InterruptionKind::OperatorNeeded, title, &detail, None);
        self.next.waiting = Some(Waiting {
            waiting_for: WaitingFor::Operator,
            since_ms: self.now.at_ms,
            until_ms: None,
            interruption_id: Some(id),
            detail,
        });
        Ok(())
    }
}

/// The key of a cycle's timer.
#[must_use]
pub fn timer_id(kind: TimerKind, cycle: &Cycle) -> String {
    format!("{kind}:{}", cycle.id)
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
