//! Decisions: the verdict, what it rests on, and what may be done.

use super::{actor_text, count, word};
use crate::dto::{
    ApprovalDto, CommitDto, DecisionDto, DecisionSummaryDto, FactDto, FieldDto, FileChangeDto, GuardrailDto,
    HistoryDto, MatrixCellDto, PlanStepDto, ReleaseDiffDto, SourceAnswerDto,
};
use att_bootstrap::model::{
    Approval, ApprovalState, ChangeSet, Decision, DecisionState, DeploymentContext, Fact, Guardrail,
    PlanStep, SourceAnswer,
};
use serde_json::Value;

/// What surrounds a decision when it is shown.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The approvals asked for so far, oldest first.
    pub approvals: Vec<Approval>,
    /// The six cells for this target.
    pub matrix: Vec<MatrixCellDto>,
    /// What was tried on this target lately.
    pub tried_lately: Vec<HistoryDto>,
    /// What the audit chain says of it.
    pub history: Vec<HistoryDto>,
    /// Result fields of the cycle.
    pub result: Vec<FieldDto>,
    /// Fewest characters of a reason.
    pub reason_min_chars: u32,
    /// What changed, for a decision that was superseded.
    pub superseded_by: Vec<String>,
}

/// The line of a list of decisions.
#[must_use]
pub fn summary(decision: &Decision, approval: Option<&Approval>) -> DecisionSummaryDto {
    let waits = decision.state == DecisionState::AwaitingApproval;
    DecisionSummaryDto {
        id: decision.id.to_string(),
        version: count(decision.version),
        state: word(&decision.state),
        cycle_id: decision.cycle_id.to_string(),
        target: decision.target.to_string(),
        failure_class: word(&decision.failure_class),
        deployment_context: word(&decision.deployment_context),
        deployed_release_id: decision.deployed_release_id.clone(),
        rollback_target_release_id: decision.target_release_id.clone(),
        verdict: verdict(decision),
        at_ms: decision.created_at_ms,
        expires_at_ms: approval.filter(|_| waits).map(|approval| approval.expires_at_ms),
    }
}

fn verdict(decision: &Decision) -> String {
    let deployed = decision.deployed_release_id.as_deref().unwrap_or("what runs");
    let target = decision.target_release_id.as_deref().unwrap_or("the last good release");
    let step = format!("from {deployed} to {target}");
    match decision.state {
        DecisionState::Proposed => format!("Whether to roll back {step} is being worked out."),
        DecisionState::Denied => format!("No rollback {step}: {}.", decision.reason),
        DecisionState::AwaitingApproval => format!("A rollback {step} is allowed and waits for a person."),
        DecisionState::AutoApproved => format!("A rollback {step} is allowed by policy."),
        DecisionState::Executing => format!("Rolling back {step}."),
        DecisionState::Verifying => format!("The rollback {step} is being verified."),
        DecisionState::Succeeded => format!("Rolled back {step}; it answers and is healthy."),
        DecisionState::Failed => format!("The rollback {step} failed."),
        DecisionState::Unknown => format!("Nobody can tell what became of the rollback {step}."),
        DecisionState::Rejected => format!("A person rejected the rollback {step}."),
        DecisionState::Expired => format!("Nobody answered in time about the rollback {step}."),
        DecisionState::Superseded => format!("The world changed; the rollback {step} is evaluated again."),
    }
}

/// The decision in depth.
#[must_use]
pub fn decision(decision: &Decision, around: Surroundings) -> DecisionDto {
    let approval = around.approvals.last();
    let rule = decision.ruling.as_ref().map_or(0, |ruling| ruling.rule);
    DecisionDto {
        summary: summary(decision, approval),
        generation: count(decision.generation),
        rule: u32::from(rule),
        rule_text: rule_text(rule, decision),
        reason: decision.reason.clone(),
        allowed: decision.allowed,
        target_valid: decision.ruling.as_ref().and_then(|ruling| ruling.target_valid),
        digest: decision.digest.clone(),
        failure_detail: Some(decision.failure_detail.clone()).filter(|detail| !detail.is_empty()),
        facts: decision.facts.iter().map(fact).collect(),
        guardrails: decision.guardrails.iter().map(guardrail).collect(),
        sources: decision.sources.iter().map(source).collect(),
        would_allow_if: decision.would_allow_if.clone(),
        diff: diff(&decision.diff),
        plan: decision.plan.iter().map(plan_step).collect(),
        matrix: around.matrix,
        tried_lately: around.tried_lately,
        approval: approval.map(approval_dto),
        typed_id_required: decision.deployment_context == DeploymentContext::External,
        reason_min_chars: around.reason_min_chars,
        actions: actions(decision, approval),
        superseded_by: around.superseded_by,
        history: around.history,
        result: around.result,
    }
}

fn rule_text(rule: u8, decision: &Decision) -> String {
    match rule {
        1 => {
            format!("Rolling back after a {} is switched off for this target.", word(&decision.failure_class))
        }
        2 => "The target has no rollback command.".to_owned(),
        3 => "An external target needs to be told which release to go back to.".to_owned(),
        4 => "No release is named; the last known good one of the chain is taken.".to_owned(),
        5 => "The release to go back to is the one that runs.".to_owned(),
        6 => "The release to go back to is named and differs from what runs.".to_owned(),
        _ => "A person asked for this rollback; the matrix is for failures.".to_owned(),
    }
}

fn actions(decision: &Decision, approval: Option<&Approval>) -> Vec<String> {
    let actions: &[&str] = match decision.state {
        DecisionState::AwaitingApproval if approval.is_some_and(|a| a.state == ApprovalState::Requested) => {
            &["approve", "reject"]
        }
        DecisionState::Expired => &["evaluate_again", "reject"],
        _ => &[],
    };
    actions.iter().map(|action| (*action).to_owned()).collect()
}

fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn fact(fact: &Fact) -> FactDto {
    FactDto {
        id: fact.id.clone(),
        value: value_text(&fact.value),
        source: fact.source.clone(),
        observed_at_ms: fact.observed_at_ms,
        stable: fact.stable,
    }
}

fn guardrail(guardrail: &Guardrail) -> GuardrailDto {
    GuardrailDto {
        id: word(&guardrail.id),
        outcome: word(&guardrail.outcome),
        evidence: guardrail.evidence.clone(),
        would_allow_if: guardrail.would_allow_if.clone(),
    }
}

fn source(answer: &SourceAnswer) -> SourceAnswerDto {
    SourceAnswerDto {
        source: word(&answer.source),
        outcome: if answer.won { "won".to_owned() } else { word(&answer.outcome) },
        current_release_id: answer.current_release_id.clone(),
        previous_release_id: answer.previous_release_id.clone(),
        detail: answer.detail.clone(),
        elapsed_ms: answer.took_ms,
    }
}

fn diff(set: &ChangeSet) -> ReleaseDiffDto {
    ReleaseDiffDto {
        commits: set
            .commits
            .iter()
            .map(|commit| CommitDto {
                id: commit.id.clone(),
                subject: commit.summary.clone(),
                author: commit.author.clone(),
                at_ms: commit.at_ms,
            })
            .collect(),
        files: set
            .files
            .iter()
            .map(|file| FileChangeDto {
                path: file.path.clone(),
                status: file.change.clone(),
                insertions: file.insertions,
                deletions: file.deletions,
            })
            .collect(),
        truncated: set.truncated,
        unavailable: set.unavailable.clone(),
    }
}

fn plan_step(step: &PlanStep) -> PlanStepDto {
    PlanStepDto {
        argv: step.argv.clone(),
        cwd: step.cwd.clone(),
        timeout_ms: u32::try_from(step.timeout_ms).unwrap_or(u32::MAX),
    }
}

fn approval_dto(approval: &Approval) -> ApprovalDto {
    ApprovalDto {
        id: approval.id.to_string(),
        state: word(&approval.state),
        requested_at_ms: approval.requested_at_ms,
        expires_at_ms: approval.expires_at_ms,
        actor: approval.actor.as_ref().map(actor_text),
        reason: approval.reason.clone(),
    }
}
