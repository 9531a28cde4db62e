//! Interruptions and decisions: what waits for a person, and a person's answer.

use super::releases::{engined, stored};
use crate::convert::decision::Surroundings;
use crate::convert::{self, cycle as convert_cycle, decision as convert_decision};
use crate::dto::{ApproveDto, DecisionDto, DecisionsDto, HistoryDto, MatrixCellDto};
use crate::room::ControlRoom;
use att_bootstrap::engine::ApprovalRequest;
use att_bootstrap::model::{
    AuditEntry, AuditEvent, Cycle, Decision, DecisionState, DeploymentContext, FailureClass, MatrixReason,
};
use att_bootstrap::policy::{MatrixInput, rule};
use att_bootstrap::step::MIN_REASON_CHARS;
use att_bootstrap::store::CycleStore as _;
use att_core::id::{DecisionId, InterruptionId};
use att_core::{Code, Report};

/// How many decisions a list holds.
const DECISIONS: u32 = 100;
/// How much history is shown.
const HISTORY: u32 = 100;
/// How many earlier decisions on the target are shown.
const TRIED: usize = 5;

impl ControlRoom {
    /// What waits for a person, oldest first, and the newest decisions.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decisions_list(&self) -> Result<DecisionsDto, Report> {
        let journal = self.journal()?;
        let interruptions = journal.open_interruptions().await.map_err(stored)?;
        let mut decisions = Vec::new();
        for decision in journal.decisions(DECISIONS).await.map_err(stored)? {
            let approval = match &decision.approval_id {
                Some(id) => journal.approval(id).await.map_err(stored)?,
                None => None,
            };
            decisions.push(convert_decision::summary(&decision, approval.as_ref()));
        }
        Ok(DecisionsDto {
            interruptions: interruptions.iter().map(convert_cycle::interruption).collect(),
            decisions,
        })
    }

    /// One decision with all it rests on.
    ///
    /// # Errors
    /// When there is no such decision.
    pub async fn decision_show(&self, decision_id: String) -> Result<DecisionDto, Report> {
        let decision =
            self.journal()?.decision(&DecisionId::from(decision_id.as_str())).await.map_err(stored)?;
        let decision = decision.ok_or_else(|| {
            Report::new(Code::NotFound, format!("there is no decision `{decision_id}`"))
                .cure("see `att decision list`")
        })?;
        self.shown(&decision).await
    }

    async fn shown(&self, decision: &Decision) -> Result<DecisionDto, Report> {
        let journal = self.journal()?;
        let cycle = journal.cycle(&decision.cycle_id).await.map_err(stored)?;
        let entries = journal.audit_of(decision.id.as_str(), HISTORY).await.map_err(stored)?;
        let earlier = journal.decisions(DECISIONS).await.map_err(stored)?;
        let tried_lately = earlier
            .iter()
            .filter(|other| other.target == decision.target && other.id != decision.id)
            .take(TRIED)
            .map(|other| HistoryDto {
                at_ms: other.updated_at_ms,
                actor: String::new(),
                text: convert_decision::summary(other, None).verdict,
            })
            .collect();
        let superseded = decision.state == DecisionState::Superseded || decision.version > 1;
        let around = Surroundings {
            approvals: journal.approvals_of(&decision.id).await.map_err(stored)?,
            matrix: matrix(decision, cycle.as_ref()),
            tried_lately,
            superseded_by: if superseded { what_changed(&entries) } else { Vec::new() },
            history: entries.iter().map(history).collect(),
            result: cycle.as_ref().map(convert_cycle::result_fields).unwrap_or_default(),
            reason_min_chars: convert::count(MIN_REASON_CHARS as u64),
        };
        Ok(convert_decision::decision(decision, around))
    }

    /// A person's yes, bound to what was on screen. Facts are gathered anew first; a changed world refuses it.
    ///
    /// # Errors
    /// Each refusal of design 2.6 with its reason; the approval stays open unless it lapsed or the world changed.
    pub async fn decision_approve(&self, approval: ApproveDto) -> Result<DecisionDto, Report> {
        self.may_act()?;
        let request = ApprovalRequest {
            decision_id: DecisionId::from(approval.decision_id.as_str()),
            version: u64::from(approval.version),
            digest: approval.digest,
            typed_release_id: approval.typed_release_id,
            reason: approval.reason,
        };
        let answered = self.engine().await?.approve(request, self.person()).await;
        self.wake().await;
        self.shown(&answered.map_err(engined)?).await
    }

    /// A person's no.
    ///
    /// # Errors
    /// When the decision does not wait, or the reason is too short.
    pub async fn decision_reject(
        &self,
        decision_id: String,
        version: u32,
        reason: String,
    ) -> Result<DecisionDto, Report> {
        self.may_act()?;
        let id = DecisionId::from(decision_id);
        let answered = self.engine().await?.reject(&id, u64::from(version), &reason, self.person()).await;
        self.wake().await;
        self.shown(&answered.map_err(engined)?).await
    }

    /// Makes a decision anew whose approval lapsed.
    ///
    /// # Errors
    /// When it did not lapse.
    pub async fn decision_evaluate_again(&self, decision_id: String) -> Result<DecisionDto, Report> {
        self.may_act()?;
        let id = DecisionId::from(decision_id);
        let answered = self.engine().await?.evaluate_again(&id, self.person()).await;
        self.wake().await;
        self.shown(&answered.map_err(engined)?).await
    }

    /// Somebody has seen it; new cycles may start on its target.
    ///
    /// # Errors
    /// When it is not of the kind that is acknowledged, or the note is empty.
    pub async fn interruption_acknowledge(
        &self,
        interruption_id: String,
        note: String,
    ) -> Result<(), Report> {
        self.may_act()?;
        let id = InterruptionId::from(interruption_id);
        self.engine().await?.acknowledge(&id, &note, self.person()).await.map_err(engined)?;
        self.wake().await;
        Ok(())
    }

    /// Sets or lifts safe mode: no cycle starts, nothing deploys, automatic rollbacks wait for a person.
    ///
    /// # Errors
    /// When the reason is too short.
    pub async fn safe_mode_set(&self, on: bool, reason: String) -> Result<(), Report> {
        self.may_act()?;
        self.engine().await?.set_safe_mode(on, &reason, self.person()).await.map_err(engined)?;
        self.0.notices.tell(&[crate::dto::Topic::System]);
        self.wake().await;
        Ok(())
    }
}

/// The six cells as they stand with this decision's facts.
fn matrix(decision: &Decision, cycle: Option<&Cycle>) -> Vec<MatrixCellDto> {
    let policy = cycle.and_then(|cycle| cycle.policy.as_ref());
    let executor =
        decision.ruling.as_ref().is_none_or(|ruling| ruling.reason != MatrixReason::ExecutorMissing);
    let classes =
        [FailureClass::DeployFailure, FailureClass::RestartWatchdogFailure, FailureClass::HealthFailure];
    let contexts = [DeploymentContext::SelfHosted, DeploymentContext::External];
    let cells =
        classes.into_iter().flat_map(|class| contexts.into_iter().map(move |context| (class, context)));
    cells
        .map(|(class, context)| {
            let ruling = rule(&MatrixInput {
                failure_class: class,
                context,
                rollback_enabled: policy.is_none_or(|policy| policy.rollback_enabled(class)),
                executor_present: executor,
                target_release_id: decision.target_release_id.as_deref(),
                deployed_release_id: decision.deployed_release_id.as_deref(),
                same_content: decision
                    .ruling
                    .as_ref()
                    .is_some_and(|ruling| ruling.reason == MatrixReason::TargetSameAsDeployed),
            });
            MatrixCellDto {
                failure_class: class.as_str().to_owned(),
                deployment_context: context.as_str().to_owned(),
                allowed: ruling.allowed,
                reason: ruling.reason.as_str().to_owned(),
                current: class == decision.failure_class && context == decision.deployment_context,
            }
        })
        .collect()
}

fn what_changed(entries: &[AuditEntry]) -> Vec<String> {
    entries
        .iter()
        .filter_map(|entry| match &entry.event {
            AuditEvent::DecisionMoved { to: DecisionState::Superseded, detail, .. } => detail.clone(),
            _ => None,
        })
        .collect()
}

fn history(entry: &AuditEntry) -> HistoryDto {
    let text = match &entry.event {
        AuditEvent::RollbackProposed { allowed, reason, needs_person, version, .. } => {
            let verdict = match (allowed, needs_person) {
                (true, true) => "allowed, and a person decides",
                (true, false) => "allowed by policy alone",
                (false, _) => "not allowed",
            };
            format!("version {version}: {verdict} ({reason})")
        }
        AuditEvent::DecisionMoved { from, to, detail, .. } => match detail {
            Some(detail) => format!("{from} → {to}: {detail}"),
            None => format!("{from} → {to}"),
        },
        AuditEvent::ApprovalAnswered { answer, reason, .. } => match reason {
            Some(reason) => format!("approval {answer}: {reason}"),
            None => format!("approval {answer}"),
        },
        other => other.kind().to_owned(),
    };
    HistoryDto { at_ms: entry.at_ms, actor: convert::actor_text(&entry.actor), text }
}
