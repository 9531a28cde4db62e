//! Whole rows with plain values, for contract suites and tests.

use crate::model::{
    ChangeSet, Cycle, CycleKind, CycleResult, CycleState, Decision, DecisionState, DeploymentContext,
    FailureClass, ProbeProgress, ProjectId, TargetId,
};
use crate::request::CycleRequest;
use att_core::id::CorrelationId;
use att_core::{Actor, Face};

/// A queued cycle, version 1.
#[must_use]
pub fn cycle(id: &str, target: &str, repository: &str) -> Cycle {
    Cycle {
        id: id.into(),
        version: 1,
        kind: CycleKind::Release,
        project: ProjectId::new("shop"),
        repository: repository.into(),
        target: Some(TargetId::from_text(target)),
        state: CycleState::Queued,
        state_since_ms: 1,
        request: CycleRequest { project: "shop".into(), ..CycleRequest::default() },
        requested_by: Actor::person("ann", Face::Cli, 1),
        correlation_id: CorrelationId::from("0123456789abcdef0123456789abcdef".to_owned()),
        policy: None,
        config_digest: None,
        linked_to: None,
        created_at_ms: 1,
        updated_at_ms: 1,
        ended_at_ms: None,
        resumes: 0,
        cancel: None,
        waiting: None,
        base_commit: None,
        branch: "att/self-bootstrap-01234567".into(),
        head_commit: None,
        merge_allowed: false,
        release_id: None,
        previous_release_id: None,
        previous_deployment_id: None,
        expected_generation: None,
        deployed_by_this_cycle: None,
        operation_id: None,
        readiness: Vec::new(),
        failure: None,
        decision_id: None,
        probe: ProbeProgress::default(),
        stages: Cycle::stages_not_run(),
        result: CycleResult::default(),
    }
}

/// A proposed decision about `cycle`, version 1.
#[must_use]
pub fn decision(id: &str, cycle: &Cycle) -> Decision {
    Decision {
        id: id.into(),
        version: 1,
        state: DecisionState::Proposed,
        cycle_id: cycle.id.clone(),
        target: cycle.target.clone().unwrap_or_else(|| TargetId::from_text("shop/web")),
        generation: 1,
        failure_class: FailureClass::HealthFailure,
        failure_detail: "the health command ended with exit code 1".into(),
        deployment_context: DeploymentContext::External,
        ruling: None,
        reason: "rollback_target_validated".into(),
        allowed: true,
        needs_person: true,
        deployed_release_id: Some("r2".into()),
        target_release_id: Some("r1".into()),
        target_commit: None,
        target_release_source: None,
        facts: Vec::new(),
        guardrails: Vec::new(),
        sources: Vec::new(),
        would_allow_if: Vec::new(),
        plan: Vec::new(),
        diff: ChangeSet::default(),
        digest: String::new(),
        approval_id: None,
        operation_id: None,
        created_at_ms: 2,
        evaluated_at_ms: 2,
        updated_at_ms: 2,
    }
}
