//! One step under way: the next row of the cycle and the changes collected so far.

use super::input::{Learned, Opened, Passed, TargetUpdate};
use super::{Now, Refusal, State, timer_id};
use crate::model::{
    AuditEntry, AuditEvent, Cycle, CycleKind, CycleState, DecisionState, Failure, FailureClass, GateStatus,
    Interruption, InterruptionClosure, InterruptionKind, OperationKind, OperationOutcome, ProbeProgress,
    Stage, StageOutcome, TimerKind,
};
use crate::store::{Changes, CycleChange, DecisionChange, OperationChange};
use crate::table::{self, CycleEvent};
use att_core::Actor;
use att_core::id::{AuditId, InterruptionId};

pub(super) struct Motion<'a> {
    pub(super) state: &'a State<'a>,
    pub(super) now: &'a Now<'a>,
    pub(super) next: Box<Cycle>,
    pub(super) decision: Option<crate::model::Decision>,
    pub(super) changes: Changes,
    actor: Actor,
}

impl<'a> Motion<'a> {
    pub(super) fn new(state: &'a State<'a>, now: &'a Now<'a>) -> Self {
        let mut next = Box::new(state.cycle.clone());
        next.version += 1;
        next.updated_at_ms = now.at_ms;
        let decision = state.decision.cloned();
        Self { state, now, next, decision, changes: Changes::default(), actor: now.actor.clone() }
    }

    /// From here on the step is somebody's own doing.
    pub(super) fn acts(&mut self, actor: Actor) {
        self.actor = actor;
    }

    pub(super) fn record(&mut self, event: AuditEvent) {
        self.record_by(self.actor.clone(), event);
    }

    pub(super) fn record_by(&mut self, actor: Actor, event: AuditEvent) {
        self.record_about(self.next.id.to_string(), actor, event);
    }

    fn record_about(&mut self, subject: String, actor: Actor, event: AuditEvent) {
        let id = AuditId::mint(self.now.at_ms, self.now.randomness);
        self.changes.audit.push(AuditEntry { id, at_ms: self.now.at_ms, actor, subject, event });
    }

    /// Records something about the decision.
    pub(super) fn record_decision(&mut self, event: AuditEvent) {
        let subject = self.decision.as_ref().map_or_else(String::new, |decision| decision.id.to_string());
        self.record_about(subject, self.actor.clone(), event);
    }

    pub(super) fn title(&self, what: &str) -> String {
        match &self.next.target {
            Some(target) => format!("{target}: {what}"),
            None => format!("{}: {what}", self.next.project),
        }
    }

    pub(super) fn open(
        &mut self,
        kind: InterruptionKind,
        title: String,
        detail: &str,
        expires_at_ms: Option<i64>,
    ) -> Opened {
        let id = InterruptionId::mint(self.now.at_ms, self.now.randomness);
        self.changes.interruptions.push(Interruption {
            id: id.clone(),
            kind,
            target: self.next.target.as_ref().map(ToString::to_string),
            server: None,
            cycle_id: Some(self.next.id.clone()),
            decision_id: self.next.decision_id.clone(),
            title,
            detail: detail.to_owned(),
            opened_at_ms: self.now.at_ms,
            expires_at_ms,
            closed: None,
        });
        id
    }

    pub(super) fn close_interruptions(&mut self, how: &str) {
        for open in self.state.interruptions.iter().filter(|open| open.is_open()) {
            if self.changes.interruptions.iter().any(|known| known.id == open.id) {
                continue;
            }
            let closed =
                InterruptionClosure { at_ms: self.now.at_ms, actor: self.actor.clone(), how: how.to_owned() };
            self.changes.interruptions.push(Interruption { closed: Some(closed), ..open.clone() });
        }
    }

    /// Moves along the table and keeps everything that hangs on the state in step with it.
    pub(super) fn go(
        &mut self,
        event: CycleEvent,
        outcome: StageOutcome,
        detail: Option<String>,
    ) -> Result<(), Refusal> {
        let from = self.next.state;
        let to = table::next(from, event).ok_or(Refusal::NotInTable { from, event })?;
        let at_ms = self.now.at_ms;
        if let Some(stage) = stage_of(from) {
            self.set_stage(stage, outcome, detail.clone());
        }
        self.next.state = to;
        self.next.state_since_ms = at_ms;
        self.next.waiting = None;
        self.next.probe = ProbeProgress::default();
        self.close_interruptions(event.as_str());
        self.changes.timers_cleared =
            TimerKind::ALL.iter().map(|kind| timer_id(*kind, self.state.cycle)).collect();
        if let Some(stage) = stage_of(to) {
            self.set_stage(stage, StageOutcome::Running, None);
        }
        if to.is_terminal() {
            self.next.ended_at_ms = Some(at_ms);
        }
        let moved = AuditEvent::CycleMoved {
            cycle_id: self.next.id.clone(),
            from,
            to,
            on: event.to_string(),
            detail,
        };
        self.record(moved);
        Ok(())
    }

    fn set_stage(&mut self, stage: Stage, outcome: StageOutcome, detail: Option<String>) {
        let at_ms = self.now.at_ms;
        let Some(record) = self.next.stages.iter_mut().find(|record| record.stage == stage) else { return };
        if outcome == StageOutcome::NotRun {
            record.started_at_ms = None;
        } else if outcome == StageOutcome::Running {
            record.started_at_ms = Some(at_ms);
            record.ended_at_ms = None;
        } else {
            record.started_at_ms = record.started_at_ms.or(Some(at_ms));
            record.ended_at_ms = Some(at_ms);
        }
        record.outcome = outcome;
        record.detail = detail;
    }

    pub(super) fn passed(&mut self, passed: Passed) -> Result<(), Refusal> {
        let Passed { event, outcome, detail, finish, intent, learned } = passed;
        // Whatever a decision, a person or a failure brings about has an input of its own, with its own rules.
        if !event.is_progress() {
            return Err(Refusal::NotInTable { from: self.next.state, event });
        }
        self.finish_if_given(finish)?;
        let proven = learned.proof.as_ref().map(|proof| proof.release_id.clone());
        self.learn(learned);
        if event == CycleEvent::Healthy && proven.is_none_or(|id| Some(id) != self.next.release_id) {
            return Err(Refusal::ProofMissing(CycleState::Succeeded));
        }
        if let Some(intent) = intent {
            self.intend(intent);
        }
        self.go(event, outcome, detail)?;
        if self.next.state == CycleState::Deploying && !self.intends(OperationKind::Deploy) {
            return Err(Refusal::IntentMissing(CycleState::Deploying));
        }
        Ok(())
    }

    /// Does this very transaction write the intent of such an operation?
    pub(super) fn intends(&self, kind: OperationKind) -> bool {
        let id = self.next.operation_id.as_ref();
        self.changes.operations.iter().any(|change| {
            matches!(change, OperationChange::Intend(row) if row.kind == kind && Some(&row.id) == id)
        })
    }

    pub(super) fn failed(
        &mut self,
        failure: Box<(Failure, Learned)>,
        finish: Option<OperationOutcome>,
    ) -> Result<(), Refusal> {
        let (failure, learned) = *failure;
        self.finish_if_given(finish)?;
        self.learn(learned);
        let releasing = matches!(
            self.next.state,
            CycleState::Deploying | CycleState::Watching | CycleState::HealthChecking
        );
        let event = if releasing { CycleEvent::ReleaseFailed } else { CycleEvent::StageFailed };
        if failure.class == Some(FailureClass::HealthFailure) {
            self.next.result.health_status =
                if failure.inconclusive { GateStatus::Inconclusive } else { GateStatus::Failed };
        }
        if failure.class == Some(FailureClass::RestartWatchdogFailure) {
            self.next.result.restart_watchdog_status = GateStatus::Failed;
            self.next.result.restart_watchdog_reason = Some(failure.detail.clone());
        }
        self.next.result.rollback_failure_class = failure.class.filter(|_| releasing);
        let found = AuditEvent::FailureFound {
            cycle_id: self.next.id.clone(),
            stage: failure.stage,
            class: failure.class,
            cause: failure.cause.clone(),
            detail: failure.detail.clone(),
        };
        self.record(found);
        let detail = failure.detail.clone();
        self.next.failure = Some(failure);
        self.go(event, StageOutcome::Failed, Some(detail))
    }

    pub(super) fn learn(&mut self, learned: Learned) {
        let next = &mut self.next;
        let keep = |field: &mut Option<String>, new: Option<String>| {
            if new.is_some() {
                *field = new;
            }
        };
        keep(&mut next.base_commit, learned.base_commit);
        keep(&mut next.config_digest, learned.config_digest);
        keep(&mut next.head_commit, learned.head_commit);
        keep(&mut next.previous_release_id, learned.previous_release_id);
        if learned.release_id.is_some() {
            next.result.deployed_release_id.clone_from(&learned.release_id);
        }
        keep(&mut next.release_id, learned.release_id);
        next.policy = learned.policy.or(next.policy.take());
        next.previous_deployment_id = learned.previous_deployment_id.or(next.previous_deployment_id.take());
        next.expected_generation = learned.expected_generation.or(next.expected_generation);
        next.deployed_by_this_cycle = learned.deployed_by_this_cycle.or(next.deployed_by_this_cycle);
        next.result.ci_status = learned.ci_status.unwrap_or(next.result.ci_status);
        next.result.health_status = learned.health.unwrap_or(next.result.health_status);
        next.result.merged |= learned.merged;
        if let Some(policy) = &next.policy {
            next.result.rollback_deployment_context = Some(policy.deployment_context);
        }
        if let Some(readiness) = learned.readiness {
            next.readiness = readiness;
        }
        if let Some((status, reason)) = learned.watchdog {
            next.result.restart_watchdog_status = status;
            next.result.restart_watchdog_reason = Some(reason);
        }
        if let Some(update) = learned.target {
            self.take_in(update);
        }
    }

    pub(super) fn take_in(&mut self, update: TargetUpdate) {
        for deployment in &update.deployments {
            let event = AuditEvent::DeploymentRecorded {
                deployment_id: deployment.id.clone(),
                target: deployment.target.to_string(),
                release_id: deployment.release_id.clone(),
                deployment: deployment.kind,
                generation: deployment.generation,
            };
            self.record_about(deployment.target.to_string(), self.actor.clone(), event);
        }
        self.changes.target = Some(update.target);
        self.changes.deployments.extend(update.deployments);
        self.changes.releases.extend(update.releases);
    }

    /// Moves the decision along its table.
    pub(super) fn move_decision(&mut self, to: DecisionState, detail: Option<String>) -> Result<(), Refusal> {
        let at_ms = self.now.at_ms;
        let Some(decision) = self.decision.as_mut() else { return Err(Refusal::DecisionNotReady(None)) };
        let from = decision.state;
        if !table::decision_may(from, to) {
            return Err(Refusal::DecisionNotReady(Some(from)));
        }
        decision.state = to;
        decision.updated_at_ms = at_ms;
        let decision_id = decision.id.clone();
        self.record_decision(AuditEvent::DecisionMoved { decision_id, from, to, detail });
        Ok(())
    }

    pub(super) fn into_changes(mut self) -> Changes {
        if let Some(mut decision) = self.decision {
            let before = self.state.decision;
            if before != Some(&decision) {
                if let Some(before) = before {
                    decision.version = before.version + 1;
                }
                self.changes.decision =
                    Some(DecisionChange { expected_version: before.map(|row| row.version), row: decision });
            }
        }
        self.changes.cycle =
            Some(CycleChange { expected_version: Some(self.state.cycle.version), row: *self.next });
        self.changes
    }

    pub(super) fn is_rollback_cycle(&self) -> bool {
        self.next.kind == CycleKind::Rollback
    }
}

/// The stage whose record a state keeps.
#[must_use]
pub(crate) fn stage_of(state: CycleState) -> Option<Stage> {
    Stage::ALL.iter().copied().find(|stage| stage.as_str() == state.as_str())
}
