//! Targets, chains, cycles and interruptions.

use super::{actor_text, count, word};
use crate::dto::{
    CycleDto, CycleSummaryDto, DeploymentDto, FieldDto, InterruptionDto, ReadinessDto, StageDto, TargetDto,
};
use att_bootstrap::model::{
    Cycle, CycleState, Deployment, OutputLog, ReadinessCard, Release, Stage, StageOutcome, StageRecord,
    Target, WaitingFor,
};
use att_core::interruption::{Interruption, InterruptionKind};
use std::collections::BTreeMap;

/// The target with its chain, given from the current deployment back.
#[must_use]
pub fn target(
    target: &Target,
    chain: &[Deployment],
    releases: &[Release],
    subjects: &BTreeMap<String, String>,
    live_cycle: Option<&Cycle>,
) -> TargetDto {
    let by_id: BTreeMap<&str, &Deployment> = chain.iter().map(|d| (d.id.as_str(), d)).collect();
    let ended_at = |deployment: &Deployment| {
        chain.iter().find(|later| later.predecessor.as_ref() == Some(&deployment.id)).map(|later| later.at_ms)
    };
    let rows = chain.iter().map(|deployment| {
        let release = releases.iter().find(|release| release.id == deployment.release_id);
        let commit = release.and_then(|release| release.commit.clone());
        DeploymentDto {
            id: deployment.id.to_string(),
            release_id: deployment.release_id.clone(),
            predecessor: deployment.predecessor.as_ref().map(ToString::to_string),
            predecessor_release_id: deployment
                .predecessor
                .as_ref()
                .and_then(|id| by_id.get(id.as_str()))
                .map(|before| before.release_id.clone()),
            kind: word(&deployment.kind),
            at_ms: deployment.at_ms,
            ended_at_ms: ended_at(deployment),
            cycle_id: deployment.cycle_id.as_ref().map(ToString::to_string),
            live: target.current_deployment_id.as_ref() == Some(&deployment.id),
            health: release.map_or_else(|| "unknown".to_owned(), |release| word(&release.health)),
            quarantined: release.is_some_and(|release| release.quarantine.is_some()),
            subject: commit.as_ref().and_then(|commit| subjects.get(commit).cloned()),
            commit,
            digest: release.and_then(|release| release.digest.clone()),
        }
    });
    TargetDto {
        target: target.id.to_string(),
        project: target.project.to_string(),
        deployment_context: word(&target.deployment_context),
        generation: count(target.generation),
        live_release_id: target.current_release_id.clone(),
        observed_at_ms: target.observed_at_ms,
        live_cycle_id: live_cycle.map(|cycle| cycle.id.to_string()),
        chain: rows.collect(),
    }
}

/// The line of a list of cycles.
#[must_use]
pub fn summary(cycle: &Cycle) -> CycleSummaryDto {
    let message = cycle.request.commit_message.as_deref().unwrap_or_default();
    let subject = match message.lines().next() {
        Some(line) if !line.is_empty() => line.to_owned(),
        _ => match (&cycle.request.existing_branch, &cycle.request.existing_commit) {
            (Some(branch), _) => format!("branch {branch}"),
            (None, Some(commit)) => format!("commit {commit}"),
            (None, None) => match &cycle.request.rollback_release_id {
                Some(release) => format!("Roll back to {release}"),
                None => "a change without a message".to_owned(),
            },
        },
    };
    CycleSummaryDto {
        id: cycle.id.to_string(),
        kind: word(&cycle.kind),
        state: word(&cycle.state),
        terminal: cycle.state.is_terminal(),
        summary: sentence(cycle),
        project: cycle.project.to_string(),
        target: cycle.target.as_ref().map(ToString::to_string),
        branch: Some(cycle.branch.clone()).filter(|branch| !branch.is_empty()),
        subject,
        actor: actor_text(&cycle.requested_by),
        started_at_ms: cycle.created_at_ms,
        updated_at_ms: cycle.updated_at_ms,
        decision_id: cycle.decision_id.as_ref().map(ToString::to_string),
    }
}

fn sentence(cycle: &Cycle) -> String {
    if let Some(waiting) = &cycle.waiting
        && waiting.waiting_for != WaitingFor::Timer
    {
        return waiting.detail.clone();
    }
    let release = cycle.release_id.as_deref().unwrap_or("the change");
    let back = cycle.result.rollback_target_release_id.as_deref().unwrap_or("the release before");
    match (cycle.state, &cycle.failure) {
        (CycleState::Succeeded, _) if cycle.target.is_none() => "Merged; nothing to deploy.".to_owned(),
        (CycleState::Succeeded, _) => format!("{release} is live and healthy."),
        (CycleState::RolledBack, _) => format!("Rolled back to {back}; it answers and is healthy."),
        (CycleState::RollbackFailed, _) => format!("The rollback to {back} failed."),
        (_, Some(failure)) => failure.detail.clone(),
        (CycleState::Cancelled, _) => "Cancelled before anything was deployed.".to_owned(),
        (state, None) => format!("In {state}."),
    }
}

/// The cycle in depth.
#[must_use]
pub fn cycle(cycle: &Cycle, outputs: &[OutputLog]) -> CycleDto {
    CycleDto {
        summary: summary(cycle),
        stages: cycle.stages.iter().map(|record| stage(cycle, record, outputs)).collect(),
        readiness: cycle.readiness.iter().map(readiness).collect(),
        result: result_fields(cycle),
        actions: actions(cycle),
        resumes: count(u64::from(cycle.resumes)),
        linked_cycle_id: cycle.linked_to.as_ref().map(ToString::to_string),
    }
}

fn stage(cycle: &Cycle, record: &StageRecord, outputs: &[OutputLog]) -> StageDto {
    let waits = cycle.waiting.as_ref().is_some_and(|waiting| waiting.waiting_for != WaitingFor::Timer)
        && record.outcome == StageOutcome::Running;
    let asks = record.stage == Stage::AwaitingApproval && record.outcome == StageOutcome::Running;
    StageDto {
        stage: word(&record.stage),
        state: if waits || asks { "waiting".to_owned() } else { word(&record.outcome) },
        started_at_ms: record.started_at_ms,
        ended_at_ms: record.ended_at_ms,
        detail: record.detail.clone(),
        has_output: outputs.iter().any(|log| log.stage == record.stage),
    }
}

fn actions(cycle: &Cycle) -> Vec<String> {
    let may_cancel = !cycle.state.is_terminal()
        && cycle.cancel.is_none()
        && !matches!(
            cycle.state,
            CycleState::Deciding
                | CycleState::AwaitingApproval
                | CycleState::RollingBack
                | CycleState::VerifyingRollback
                | CycleState::NeedsOperator
        );
    if may_cancel { vec!["cancel".to_owned()] } else { Vec::new() }
}

fn readiness(card: &ReadinessCard) -> ReadinessDto {
    let target = card.target_release_id.as_deref().unwrap_or("no release");
    let text = match (card.allowed, card.needs_person) {
        (true, true) => format!("would ask a person to roll back to {target}"),
        (true, false) => format!("would roll back to {target} by itself"),
        (false, _) => format!("would not roll back: {}", card.reason),
    };
    ReadinessDto {
        failure_class: word(&card.failure_class),
        allowed: card.allowed,
        reason: card.reason.clone(),
        target_release_id: card.target_release_id.clone(),
        needs_person: card.needs_person,
        text,
    }
}

/// The result fields of design 2.2, in its order.
#[must_use]
pub fn result_fields(cycle: &Cycle) -> Vec<FieldDto> {
    match serde_json::to_value(&cycle.result) {
        Ok(serde_json::Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| FieldDto {
                name,
                value: match value {
                    serde_json::Value::Null => None,
                    serde_json::Value::String(text) => Some(text),
                    other => Some(other.to_string()),
                },
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// One thing that waits for a person.
#[must_use]
pub fn interruption(interruption: &Interruption) -> InterruptionDto {
    let actions: &[&str] = match interruption.kind {
        InterruptionKind::ApprovalRequested => &["open_decision"],
        InterruptionKind::RollbackDenied if interruption.decision_id.is_some() => {
            &["open_decision", "acknowledge"]
        }
        InterruptionKind::RollbackDenied => &["acknowledge"],
        InterruptionKind::RollbackFailed => &["open_decision", "acknowledge"],
        InterruptionKind::OperatorNeeded => &["state_what_runs"],
        InterruptionKind::MergeWaits => &["continue"],
        InterruptionKind::ConfigUnapproved | InterruptionKind::ConfigChanged => &["approve_config"],
        InterruptionKind::DeployHeld => &[],
        InterruptionKind::ServerQuestion => &["answer_question"],
    };
    InterruptionDto {
        id: interruption.id.to_string(),
        kind: interruption.kind.as_str().to_owned(),
        title: interruption.title.clone(),
        detail: interruption.detail.clone(),
        target: interruption.target.clone(),
        server: interruption.server.clone(),
        cycle_id: interruption.cycle_id.as_ref().map(ToString::to_string),
        decision_id: interruption.decision_id.as_ref().map(ToString::to_string),
        since_ms: interruption.opened_at_ms,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
    }
}
