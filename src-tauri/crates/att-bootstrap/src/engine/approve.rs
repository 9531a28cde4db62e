//! What a person answers: approve, reject, evaluate again, let a merge happen, state what runs, acknowledge.

use super::rollback::Looked;
use super::{Engine, Loaded};
use crate::decide::what_changed;
use crate::error::EngineError;
use crate::model::{AuditEntry, AuditEvent, CycleState, Decision, Interruption, InterruptionClosure};
use crate::step::{Answer, Input, Refusal, check_person, step};
use crate::store::Changes;
use att_core::Actor;
use att_core::id::{AuditId, CycleId, DecisionId, InterruptionId};

/// An approval as a person gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// The decision.
    pub decision_id: DecisionId,
    /// The version that was on screen.
    pub version: u64,
    /// The digest that was on screen.
    pub digest: String,
    /// The release id that was typed; needed in `external`.
    pub typed_release_id: Option<String>,
    /// Why; 10 characters at least.
    pub reason: String,
}

impl Engine {
    async fn load_decision(&self, id: &DecisionId) -> Result<(Loaded, Decision), EngineError> {
        let decision = self.store().decision(id).await?;
        let decision = decision.ok_or_else(|| EngineError::not_found("decision", id))?;
        let at = self.load(&decision.cycle_id).await?;
        Ok((at, decision))
    }

    /// Approves a rollback: facts are gathered anew, then one transaction compares, consumes and intends (design
    /// 2.6). Whoever owns the engine carries it out.
    ///
    /// # Errors
    /// [`Refusal`] for whatever is not as it must be; [`EngineError::Superseded`] when the world changed.
    pub async fn approve(&self, request: ApprovalRequest, actor: Actor) -> Result<Decision, EngineError> {
        let (at, decision) = self.load_decision(&request.decision_id).await?;
        let answer = Answer {
            actor,
            version: request.version,
            digest: request.digest,
            reason: request.reason,
            typed_release_id: request.typed_release_id,
        };
        let Some(intent) = self.rollback_operation(&at).await? else {
            return Err(EngineError::blocked(
                "the target has no rollback command any more",
                "evaluate the decision again",
            ));
        };
        // What the person got wrong is told before the world is looked at, and changes nothing.
        let rehearsal = Input::Approved {
            answer: answer.clone(),
            fresh_digest: decision.digest.clone(),
            gathered_at_ms: self.now_ms(),
            intent: Box::new(intent.clone()),
        };
        step(&at.state(), rehearsal, &self.now())?;
        let (fresh, gathered_at_ms) = match Box::pin(self.look(&at, &decision.id, decision.version)).await? {
            Looked::Changed(update) => {
                let found = update.target.row.current_release_id.clone().unwrap_or_default();
                self.commit_answer(&at, Input::Saw(update)).await?;
                let at = self.load(&at.cycle.id).await?;
                return Box::pin(self.supersede(&at, vec![format!("{found} runs on the target now")])).await;
            }
            Looked::Fresh(fresh) => (fresh.decision, fresh.at_ms),
        };
        if fresh.digest != decision.digest {
            return Box::pin(self.supersede(&at, what_changed(&decision, &fresh))).await;
        }
        let input =
            Input::Approved { answer, fresh_digest: fresh.digest, gathered_at_ms, intent: Box::new(intent) };
        self.commit_answer(&at, input).await?;
        Ok(self.load_decision(&decision.id).await?.1)
    }

    async fn rollback_operation(&self, at: &Loaded) -> Result<Option<crate::model::Operation>, EngineError> {
        let rules = self.rules(&at.cycle).await?;
        let generation = at.decision.as_ref().map(|decision| decision.generation);
        Ok(rules.target_config(&at.cycle)?.rollback.as_ref().map(|command| {
            let kind = crate::model::OperationKind::Rollback;
            let mut operation = self.operation(&at.cycle, kind, &command.argv, command.timeout_ms);
            operation.expected_generation = generation;
            operation
        }))
    }

    async fn supersede(&self, at: &Loaded, changed: Vec<String>) -> Result<Decision, EngineError> {
        self.commit_answer(at, Input::Superseded { changed: changed.clone() }).await?;
        Err(EngineError::Superseded { changed })
    }

    /// Refuses a rollback; the cycle ends as denied.
    ///
    /// # Errors
    /// [`Refusal`] when nothing is asked, or the reason is too short.
    pub async fn reject(
        &self,
        id: &DecisionId,
        version: u64,
        reason: &str,
        actor: Actor,
    ) -> Result<Decision, EngineError> {
        let (at, decision) = self.load_decision(id).await?;
        let answer = Answer {
            actor,
            version,
            digest: decision.digest,
            reason: reason.to_owned(),
            typed_release_id: None,
        };
        self.commit_answer(&at, Input::Rejected(answer)).await?;
        Ok(self.load_decision(id).await?.1)
    }

    /// Puts a lapsed question again; whoever owns the engine evaluates it.
    ///
    /// # Errors
    /// [`Refusal`] when it has not lapsed.
    pub async fn evaluate_again(&self, id: &DecisionId, actor: Actor) -> Result<Decision, EngineError> {
        let (at, decision) = self.load_decision(id).await?;
        let lapsed = at.approval.as_ref().is_some_and(|approval| approval.expires_at_ms <= self.now_ms());
        // The owner may not have noticed yet that the time is up.
        if decision.state == crate::model::DecisionState::AwaitingApproval && lapsed {
            self.commit_answer(&at, Input::Expired).await?;
        }
        let at = self.load(&at.cycle.id).await?;
        self.commit_answer(&at, Input::Reconsidered { actor }).await?;
        Ok(self.load_decision(id).await?.1)
    }

    /// Lets a held merge happen.
    ///
    /// # Errors
    /// When the cycle does not wait for that.
    pub async fn allow_merge(&self, id: &CycleId, reason: &str, actor: Actor) -> Result<(), EngineError> {
        let at = self.load(id).await?;
        let waits = crate::model::WaitingFor::MergeApproval;
        if at.cycle.waiting.as_ref().is_none_or(|row| row.waiting_for != waits) {
            return Err(EngineError::blocked(
                "the cycle does not wait for a merge",
                "look at the cycle again",
            ));
        }
        self.commit_answer(&at, Input::MergeAllowed { actor, reason: reason.to_owned() }).await
    }

    /// A person states what runs on the target of a cycle whose outside state is unknown.
    ///
    /// # Errors
    /// When the cycle does not need an operator, or `next` is none of `deciding`, `failed` and `cancelled`.
    pub async fn state_outside(
        &self,
        id: &CycleId,
        running_release_id: Option<String>,
        next: CycleState,
        reason: &str,
        actor: Actor,
    ) -> Result<(), EngineError> {
        let at = self.load(id).await?;
        if !matches!(next, CycleState::Deciding | CycleState::Failed | CycleState::Cancelled) {
            return Err(EngineError::blocked(
                format!("`{next}` is not what a statement leads to"),
                "say `deciding`, `failed` or `cancelled`",
            ));
        }
        let reason = reason.to_owned();
        self.commit_answer(&at, Input::Stated { actor, to: next, running_release_id, reason }).await
    }

    /// A person has seen a denied or failed rollback; new cycles may start on the target.
    ///
    /// # Errors
    /// When it waits for another kind of answer.
    pub async fn acknowledge(
        &self,
        id: &InterruptionId,
        note: &str,
        actor: Actor,
    ) -> Result<(), EngineError> {
        let row = self.store().interruption(id).await?;
        let row = row.ok_or_else(|| EngineError::not_found("interruption", id))?;
        let changes = self.acknowledgement(row, note, actor)?;
        self.commit(changes).await
    }

    pub(super) fn acknowledgement(
        &self,
        row: Interruption,
        note: &str,
        actor: Actor,
    ) -> Result<Changes, EngineError> {
        use crate::model::InterruptionKind::{RollbackDenied, RollbackFailed};
        if !actor.may_approve() {
            return Err(Refusal::PersonOnly.into());
        }
        if note.trim().is_empty() {
            return Err(EngineError::blocked(
                "an acknowledgement needs a note",
                "say in a few words what you have seen",
            ));
        }
        if !row.is_open() {
            return Err(EngineError::blocked("it was acknowledged already", "nothing is to be done"));
        }
        if !matches!(row.kind, RollbackDenied | RollbackFailed) {
            return Err(EngineError::blocked(
                format!("`{}` waits for an answer, not for an acknowledgement", row.kind.as_str()),
                "open the cycle or the decision and answer there",
            ));
        }
        let at_ms = self.now_ms();
        let event =
            AuditEvent::InterruptionAcknowledged { interruption_id: row.id.clone(), reason: note.to_owned() };
        let subject = row.cycle_id.as_ref().map_or_else(|| row.id.to_string(), ToString::to_string);
        let how = note.trim().to_owned();
        let closed = Some(InterruptionClosure { at_ms, actor: actor.clone(), how });
        Ok(Changes {
            interruptions: vec![Interruption { closed, ..row }],
            audit: vec![self.entry(subject, actor, event)],
            ..Changes::default()
        })
    }

    pub(super) fn entry(&self, subject: impl Into<String>, actor: Actor, event: AuditEvent) -> AuditEntry {
        let at_ms = self.now_ms();
        AuditEntry {
            id: AuditId::mint(at_ms, self.randomness()),
            at_ms,
            actor,
            subject: subject.into(),
            event,
        }
    }

    pub(super) fn person(actor: &Actor, reason: &str) -> Result<(), EngineError> {
        Ok(check_person(actor, reason)?)
    }
}
