//! The steps around a decision: proposed, asked, answered, lapsed, carried out, stated (design 2.6).

use super::input::{Answer, Learned};
use super::motion::Motion;
use super::{APPROVAL_LIFE_MS, FACTS_LIFE_MS, MIN_REASON_CHARS, Refusal, timer_id};
use crate::decide::digest_of;
use crate::model::{
    Approval, ApprovalState, AuditEvent, CycleState, Decision, DecisionState, DeploymentContext,
    Interruption, InterruptionKind, Operation, OperationKind, OperationOutcome, RollbackPolicyStatus,
    StageOutcome, TimerKind, TimerRow, Waiting, WaitingFor,
};
use crate::store::ApprovalChange;
use crate::table::{CycleEvent, approval_may};
use att_core::Actor;
use att_core::id::ApprovalId;

/// Only a person acts, and says why.
pub(crate) fn check_person(actor: &Actor, reason: &str) -> Result<(), Refusal> {
    if !actor.may_approve() {
        return Err(Refusal::PersonOnly);
    }
    if reason.trim().chars().count() < MIN_REASON_CHARS {
        return Err(Refusal::ReasonTooShort);
    }
    Ok(())
}

impl Motion<'_> {
    pub(super) fn proposed(
        &mut self,
        mut decision: Decision,
        intent: Option<Box<Operation>>,
    ) -> Result<(), Refusal> {
        let at_ms = self.now.at_ms;
        match self.state.decision {
            Some(before) if before.id == decision.id => {
                let again = matches!(
                    before.state,
                    DecisionState::Expired | DecisionState::Superseded | DecisionState::Unknown
                );
                if !again {
                    return Err(Refusal::DecisionNotReady(Some(before.state)));
                }
                decision.version = before.version + 1;
                decision.created_at_ms = before.created_at_ms;
            }
            Some(before) => return Err(Refusal::DecisionNotReady(Some(before.state))),
            None => decision.version = 1,
        }
        decision.state = DecisionState::Proposed;
        decision.updated_at_ms = at_ms;
        decision.digest = digest_of(&decision);
        let result = &mut self.next.result;
        result.rollback_policy_status =
            if decision.allowed { RollbackPolicyStatus::Allowed } else { RollbackPolicyStatus::Denied };
        result.rollback_policy_reason = Some(decision.reason.clone());
        result.rollback_target_valid = decision.ruling.as_ref().and_then(|ruling| ruling.target_valid);
        result.rollback_target_release_id.clone_from(&decision.target_release_id);
        result.release_metadata_source = decision.target_release_source.map(|source| source.to_string());
        result.rollback_failure_class = Some(decision.failure_class);
        result.rollback_deployment_context = Some(decision.deployment_context);
        self.next.decision_id = Some(decision.id.clone());
        let proposed = AuditEvent::RollbackProposed {
            decision_id: decision.id.clone(),
            cycle_id: self.next.id.clone(),
            version: decision.version,
            allowed: decision.allowed,
            reason: decision.reason.clone(),
            needs_person: decision.needs_person,
            target_release_id: decision.target_release_id.clone(),
            digest: decision.digest.clone(),
        };
        self.decision = Some(decision.clone());
        self.record_decision(proposed);
        if !decision.allowed {
            self.move_decision(DecisionState::Denied, Some(decision.reason.clone()))?;
            self.go(CycleEvent::RollbackDenied, StageOutcome::Passed, Some(decision.reason.clone()))?;
            self.block(&decision.reason);
            return Ok(());
        }
        // A person's own request is always asked back, whatever the context says.
        if decision.needs_person || self.is_rollback_cycle() {
            return self.ask(&decision);
        }
        let Some(intent) = intent.filter(|intent| intent.kind == OperationKind::Rollback) else {
            return Err(Refusal::IntentMissing(CycleState::RollingBack));
        };
        self.move_decision(DecisionState::AutoApproved, Some(decision.reason.clone()))?;
        self.execute(*intent, CycleEvent::AutoApproved, &decision.reason)
    }

    fn ask(&mut self, decision: &Decision) -> Result<(), Refusal> {
        let at_ms = self.now.at_ms;
        let expires_at_ms = at_ms + APPROVAL_LIFE_MS;
        let approval = Approval {
            id: ApprovalId::mint(at_ms, self.now.randomness),
            decision_id: decision.id.clone(),
            decision_version: decision.version,
            state: ApprovalState::Requested,
            digest: decision.digest.clone(),
            requested_at_ms: at_ms,
            expires_at_ms,
            answered_at_ms: None,
            actor: None,
            reason: None,
            typed_release_id: None,
        };
        self.move_decision(DecisionState::AwaitingApproval, Some(decision.reason.clone()))?;
        if let Some(row) = self.decision.as_mut() {
            row.approval_id = Some(approval.id.clone());
        }
        self.changes.approvals.push(ApprovalChange::Request(approval));
        self.go(CycleEvent::ApprovalRequested, StageOutcome::Passed, Some(decision.reason.clone()))?;
        let release = decision.target_release_id.as_deref().unwrap_or("the release before");
        let title = self.title(&format!("roll back to {release}?"));
        let interruption_id = self.open(
            InterruptionKind::ApprovalRequested,
            title,
            &decision.failure_detail,
            Some(expires_at_ms),
        );
        self.next.waiting = Some(Waiting {
            waiting_for: WaitingFor::Approval,
            since_ms: at_ms,
            until_ms: Some(expires_at_ms),
            interruption_id: Some(interruption_id),
            detail: "a person approves or rejects the rollback".to_owned(),
        });
        self.changes.timers_set.push(TimerRow {
            id: timer_id(TimerKind::ApprovalExpiry, self.state.cycle),
            kind: TimerKind::ApprovalExpiry,
            cycle_id: self.next.id.clone(),
            due_at_ms: expires_at_ms,
        });
        Ok(())
    }

    fn execute(&mut self, intent: Operation, event: CycleEvent, detail: &str) -> Result<(), Refusal> {
        if let Some(decision) = self.decision.as_mut() {
            decision.operation_id = Some(intent.id.clone());
        }
        self.move_decision(DecisionState::Executing, None)?;
        self.intend(intent);
        self.next.result.rollback_performed = true;
        self.go(event, StageOutcome::Passed, Some(detail.to_owned()))
    }

    /// The question that is open, with its decision.
    fn asked(&self) -> Result<(Decision, Approval), Refusal> {
        let decision = self.decision.clone().ok_or(Refusal::DecisionNotReady(None))?;
        if decision.state == DecisionState::Expired {
            return Err(Refusal::Lapsed);
        }
        if decision.state != DecisionState::AwaitingApproval
            || self.next.state != CycleState::AwaitingApproval
        {
            return Err(Refusal::NothingAsked);
        }
        let open = self.state.approval.filter(|approval| {
            approval.state == ApprovalState::Requested && decision.approval_id.as_ref() == Some(&approval.id)
        });
        open.cloned().map(|approval| (decision, approval)).ok_or(Refusal::NothingAsked)
    }

    fn answer(
        &mut self,
        mut approval: Approval,
        state: ApprovalState,
        answer: Option<&Answer>,
    ) -> Result<(), Refusal> {
        if !approval_may(approval.state, state) {
            return Err(Refusal::NothingAsked);
        }
        approval.state = state;
        approval.answered_at_ms = Some(self.now.at_ms);
        approval.actor = answer.map(|answer| answer.actor.clone());
        approval.reason = answer.map(|answer| answer.reason.trim().to_owned());
        approval.typed_release_id = answer.and_then(|answer| answer.typed_release_id.clone());
        self.record_decision(AuditEvent::ApprovalAnswered {
            decision_id: approval.decision_id.clone(),
            version: approval.decision_version,
            answer: state,
            digest: approval.digest.clone(),
            reason: approval.reason.clone(),
            typed_release_id: approval.typed_release_id.clone(),
        });
        self.changes.approvals.push(ApprovalChange::Answer(approval));
        Ok(())
    }

    pub(super) fn approved(
        &mut self,
        answer: Answer,
        fresh_digest: &str,
        gathered_at_ms: i64,
        intent: Operation,
    ) -> Result<(), Refusal> {
        let (decision, approval) = self.asked()?;
        check_person(&answer.actor, &answer.reason)?;
        check_seen(&decision, &approval, &answer)?;
        if self.now.at_ms >= approval.expires_at_ms {
            return Err(Refusal::Lapsed);
        }
        if self.now.at_ms - gathered_at_ms > FACTS_LIFE_MS {
            return Err(Refusal::FactsTooOld);
        }
        if fresh_digest != decision.digest || !decision.allowed {
            return Err(Refusal::OtherDigest);
        }
        if let Some(release) = &decision.target_release_id
            && decision.deployment_context == DeploymentContext::External
            && answer.typed_release_id.as_ref() != Some(release)
        {
            return Err(Refusal::OtherReleaseTyped { expected: release.clone() });
        }
        if intent.kind != OperationKind::Rollback {
            return Err(Refusal::IntentMissing(CycleState::RollingBack));
        }
        self.acts(answer.actor.clone());
        self.answer(approval, ApprovalState::Consumed, Some(&answer))?;
        self.execute(intent, CycleEvent::Approved, answer.reason.trim())
    }

    pub(super) fn rejected(&mut self, answer: Answer) -> Result<(), Refusal> {
        check_person(&answer.actor, &answer.reason)?;
        self.acts(answer.actor.clone());
        let (decision, approval) = self.asked()?;
        if answer.version != decision.version {
            return Err(Refusal::OtherVersion { seen: answer.version, found: decision.version });
        }
        self.answer(approval, ApprovalState::Rejected, Some(&answer))?;
        self.move_decision(DecisionState::Rejected, Some(answer.reason.trim().to_owned()))?;
        self.next.result.rollback_policy_reason = Some("rejected".to_owned());
        self.go(CycleEvent::Rejected, StageOutcome::Failed, Some("rejected".to_owned()))?;
        self.block(&format!("rejected: {}", answer.reason.trim()));
        Ok(())
    }

    pub(super) fn expired(&mut self) -> Result<(), Refusal> {
        let (_, approval) = self.asked()?;
        if self.now.at_ms < approval.expires_at_ms {
            return Err(Refusal::NothingAsked);
        }
        self.answer(approval, ApprovalState::Expired, None)?;
        self.move_decision(DecisionState::Expired, None)?;
        self.changes.timers_cleared.push(timer_id(TimerKind::ApprovalExpiry, self.state.cycle));
        let detail = "nobody answered within 30 minutes; evaluate again to decide".to_owned();
        if let Some(waiting) = self.next.waiting.as_mut() {
            waiting.detail.clone_from(&detail);
            waiting.until_ms = None;
        }
        let open = self.state.interruptions.iter().filter(|open| open.is_open());
        let lapsed = open.map(|open| Interruption { detail: detail.clone(), ..open.clone() });
        self.changes.interruptions.extend(lapsed);
        Ok(())
    }

    pub(super) fn superseded(&mut self, changed: &[String]) -> Result<(), Refusal> {
        let (_, approval) = self.asked()?;
        let detail = changed.join("; ");
        self.answer(approval, ApprovalState::Superseded, None)?;
        self.move_decision(DecisionState::Superseded, Some(detail.clone()))?;
        self.go(CycleEvent::Reconsidered, StageOutcome::Passed, Some(detail))
    }

    pub(super) fn reconsidered(&mut self, actor: Actor) -> Result<(), Refusal> {
        if !actor.may_approve() {
            return Err(Refusal::PersonOnly);
        }
        let state = self.decision.as_ref().map(|decision| decision.state);
        if state != Some(DecisionState::Expired) {
            return Err(Refusal::DecisionNotReady(state));
        }
        self.acts(actor);
        self.go(CycleEvent::Reconsidered, StageOutcome::Passed, Some("evaluate again".to_owned()))
    }

    pub(super) fn stated(
        &mut self,
        actor: Actor,
        to: CycleState,
        running_release_id: Option<String>,
        reason: String,
    ) -> Result<(), Refusal> {
        check_person(&actor, &reason)?;
        let event = match to {
            CycleState::Deciding => CycleEvent::StatedDeciding,
            CycleState::Cancelled => CycleEvent::StatedCancelled,
            _ => CycleEvent::StatedFailed,
        };
        self.acts(actor);
        let stated = AuditEvent::OperatorStated {
            cycle_id: self.next.id.clone(),
            running_release_id,
            reason: reason.clone(),
            to,
        };
        self.record(stated);
        if self.decision.as_ref().is_some_and(|row| row.state == DecisionState::Unknown)
            && event != CycleEvent::StatedDeciding
        {
            self.move_decision(DecisionState::Failed, Some(reason.clone()))?;
            self.next.result.rollback_succeeded = Some(false);
        }
        self.go(event, StageOutcome::Unknown, Some(reason))
    }

    pub(super) fn rollback_ended(
        &mut self,
        succeeded: bool,
        detail: String,
        finish: Option<OperationOutcome>,
        learned: Learned,
    ) -> Result<(), Refusal> {
        self.finish_if_given(finish)?;
        let proven = learned.proof.is_some();
        self.learn(learned);
        let state = self.next.state;
        if succeeded && state == CycleState::RollingBack {
            self.move_decision(DecisionState::Verifying, None)?;
            return self.go(CycleEvent::RollbackExecuted, StageOutcome::Passed, Some(detail));
        }
        if succeeded {
            if !proven {
                return Err(Refusal::ProofMissing(CycleState::RolledBack));
            }
            self.move_decision(DecisionState::Succeeded, None)?;
            self.next.result.rollback_succeeded = Some(true);
            return self.go(CycleEvent::RollbackVerified, StageOutcome::Passed, Some(detail));
        }
        self.move_decision(DecisionState::Failed, Some(detail.clone()))?;
        self.next.result.rollback_succeeded = Some(false);
        self.go(CycleEvent::RollbackFailed, StageOutcome::Failed, Some(detail.clone()))?;
        let title = self.title("the rollback failed");
        self.open(InterruptionKind::RollbackFailed, title, &detail, None);
        Ok(())
    }

    fn block(&mut self, reason: &str) {
        let title = self.title("no rollback");
        let failure = self.next.failure.as_ref().map_or("", |failure| failure.detail.as_str());
        let detail = format!("{reason}. {failure}");
        self.open(InterruptionKind::RollbackDenied, title, detail.trim(), None);
    }
}

fn check_seen(decision: &Decision, approval: &Approval, answer: &Answer) -> Result<(), Refusal> {
    if answer.version != decision.version || approval.decision_version != decision.version {
        return Err(Refusal::OtherVersion { seen: answer.version, found: decision.version });
    }
    if answer.digest != decision.digest || approval.digest != decision.digest {
        return Err(Refusal::OtherDigest);
    }
    Ok(())
}
