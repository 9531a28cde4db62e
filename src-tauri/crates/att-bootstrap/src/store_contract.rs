//! What every [`CycleStore`] must do, as assertions that a store's own tests run over it.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "assertions for tests: a failure is a panic"
)]

use crate::model::{
    Approval, ApprovalState, AuditEntry, AuditEvent, Cycle, CycleKind, CycleState, Decision, Deployment,
    DeploymentKind, Operation, OperationKind, OperationOutcome, OperationPhase, Project, ProjectId, Release,
    ReleaseHealth, Target, TargetId, TimerKind, TimerRow,
};
use crate::sample;
use crate::store::{
    ApprovalChange, Changes, Conflict, CycleChange, CycleStore, DecisionChange, LeaseFence, LeaseOwner,
    OperationChange, StoreError, TargetChange,
};
use att_core::Actor;

fn conflict(result: Result<(), StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

fn insert(cycle: &Cycle) -> Changes {
    Changes {
        cycle: Some(CycleChange { expected_version: None, row: cycle.clone() }),
        audit: vec![AuditEntry {
            id: cycle.id.as_str().into(),
            at_ms: 1,
            actor: Actor::engine(1),
            subject: cycle.id.to_string(),
            event: AuditEvent::CycleRequested {
                cycle_id: cycle.id.clone(),
                cycle_kind: CycleKind::Release,
                project: cycle.project.to_string(),
                target: cycle.target.as_ref().map(ToString::to_string),
                linked_to: None,
            },
        }],
        ..Changes::default()
    }
}

/// Runs the whole contract; `fresh` makes an empty store each time.
pub async fn holds<S: CycleStore>(fresh: &(dyn Fn() -> S + Sync)) {
    one_winner_per_version(&fresh()).await;
    one_live_cycle_per_target_and_repository(&fresh()).await;
    a_conflict_writes_nothing(&fresh()).await;
    an_approval_is_answered_once(&fresh()).await;
    an_operation_is_intended_once_and_finished_once(&fresh()).await;
    the_generation_fences_the_target(&fresh()).await;
    the_chain_is_the_links(&fresh()).await;
    timers_are_rows(&fresh()).await;
    a_lost_lease_refuses_every_write(&fresh()).await;
    rows_come_back_as_they_were_written(&fresh()).await;
}

/// Of two writers that read the same version, one wins.
pub async fn one_winner_per_version(store: &dyn CycleStore) {
    let first = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    store.commit(insert(&first)).await.unwrap();
    assert_eq!(conflict(store.commit(insert(&first)).await), Conflict::Cycle);
    let mut next = first.clone();
    next.version = 2;
    next.state = CycleState::Preparing;
    let change =
        Changes { cycle: Some(CycleChange { expected_version: Some(1), row: next }), ..Changes::default() };
    store.commit(change.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(change).await), Conflict::Cycle);
    assert_eq!(store.cycle(&first.id).await.unwrap().unwrap().state, CycleState::Preparing);
    assert_eq!(store.audit_of(first.id.as_str(), 10).await.unwrap().len(), 1);
}

/// A second live cycle on a target or repository is refused; after the first has ended it is not.
pub async fn one_live_cycle_per_target_and_repository(store: &dyn CycleStore) {
    let first = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    store.commit(insert(&first)).await.unwrap();
    let same_target = sample::cycle("01CYCLE0000000000000000002", "shop/web", "/other");
    assert_eq!(conflict(store.commit(insert(&same_target)).await), Conflict::LiveOnTarget);
    let same_repository = sample::cycle("01CYCLE0000000000000000003", "shop/api", "/repo");
    assert_eq!(conflict(store.commit(insert(&same_repository)).await), Conflict::LiveOnRepository);
    let mut ended = first.clone();
    ended.version = 2;
    ended.state = CycleState::Failed;
    let end =
        Changes { cycle: Some(CycleChange { expected_version: Some(1), row: ended }), ..Changes::default() };
    store.commit(end).await.unwrap();
    store.commit(insert(&same_target)).await.unwrap();
    let live: Vec<_> = store.live_cycles().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(live, std::slice::from_ref(&same_target.id));
    let all: Vec<_> = store.cycles(10).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(all, [same_target.id, first.id]);
    assert_eq!(store.cycles(1).await.unwrap().len(), 1);
}

/// One broken expectation, and nothing of the transaction is there.
pub async fn a_conflict_writes_nothing(store: &dyn CycleStore) {
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let mut changes = insert(&cycle);
    changes.timers_set.push(TimerRow {
        id: "probe:x".into(),
        kind: TimerKind::Probe,
        cycle_id: cycle.id.clone(),
        due_at_ms: 1,
    });
    changes.operations.push(OperationChange::Finish(operation(&cycle)));
    assert_eq!(conflict(store.commit(changes).await), Conflict::Operation);
    assert_eq!(store.cycle(&cycle.id).await.unwrap(), None);
    assert!(store.due_timers(i64::MAX).await.unwrap().is_empty());
    assert!(store.audit_of(cycle.id.as_str(), 10).await.unwrap().is_empty());
}

/// Two answers to one approval: one is written.
pub async fn an_approval_is_answered_once(store: &dyn CycleStore) {
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    store.commit(insert(&cycle)).await.unwrap();
    let decision = sample::decision("01DECISION0000000000000001", &cycle);
    let approval = Approval {
        id: "01APPROVAL0000000000000001".into(),
        decision_id: decision.id.clone(),
        decision_version: 1,
        state: ApprovalState::Requested,
        digest: "d".into(),
        requested_at_ms: 5,
        expires_at_ms: 10,
        answered_at_ms: None,
        actor: None,
        reason: None,
        typed_release_id: None,
    };
    let ask = Changes {
        decision: Some(DecisionChange { expected_version: None, row: decision.clone() }),
        approvals: vec![ApprovalChange::Request(approval.clone())],
        ..Changes::default()
    };
    store.commit(ask.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(ask).await), Conflict::Decision);
    let answered = Approval { state: ApprovalState::Consumed, answered_at_ms: Some(6), ..approval.clone() };
    let answer = Changes { approvals: vec![ApprovalChange::Answer(answered.clone())], ..Changes::default() };
    store.commit(answer.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(answer).await), Conflict::Approval);
    assert_eq!(store.approval(&approval.id).await.unwrap(), Some(answered.clone()));
    assert_eq!(store.approvals_of(&decision.id).await.unwrap(), [answered]);
    let mut newer: Decision = decision.clone();
    newer.version = 2;
    let stale = Changes {
        decision: Some(DecisionChange { expected_version: Some(7), row: newer }),
        ..Changes::default()
    };
    assert_eq!(conflict(store.commit(stale).await), Conflict::Decision);
    assert_eq!(store.decisions(10).await.unwrap(), [decision]);
}

fn operation(cycle: &Cycle) -> Operation {
    Operation {
        id: "01OPERATION000000000000001".into(),
        cycle_id: cycle.id.clone(),
        target: cycle.target.clone(),
        kind: OperationKind::Deploy,
        phase: OperationPhase::Intended,
        argv: vec!["true".into()],
        expected_generation: Some(1),
        timeout_ms: 1000,
        intended_at_ms: 1,
        finished_at_ms: None,
        outcome: None,
    }
}

/// An operation's id is its idempotency key.
pub async fn an_operation_is_intended_once_and_finished_once(store: &dyn CycleStore) {
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    store.commit(insert(&cycle)).await.unwrap();
    let row = operation(&cycle);
    let intend = Changes { operations: vec![OperationChange::Intend(row.clone())], ..Changes::default() };
    store.commit(intend.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(intend).await), Conflict::Operation);
    let done = Operation {
        phase: OperationPhase::Finished,
        finished_at_ms: Some(2),
        outcome: Some(OperationOutcome {
            succeeded: true,
            unknown: false,
            exit_code: Some(0),
            timed_out: false,
            detail: "exit code 0".into(),
            duration_ms: Some(1),
        }),
        ..row.clone()
    };
    let finish = Changes { operations: vec![OperationChange::Finish(done.clone())], ..Changes::default() };
    store.commit(finish.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(finish).await), Conflict::Operation);
    assert_eq!(store.operation(&row.id).await.unwrap(), Some(done.clone()));
    assert_eq!(store.operations_of(&cycle.id).await.unwrap(), [done]);
}

fn target(generation: u64) -> Target {
    Target {
        id: TargetId::from_text("shop/web"),
        project: ProjectId::new("shop"),
        name: "web".into(),
        deployment_context: crate::model::DeploymentContext::External,
        generation,
        current_release_id: None,
        current_digest: None,
        current_deployment_id: None,
        observed_at_ms: None,
    }
}

/// A target is written only by whoever knows its generation.
pub async fn the_generation_fences_the_target(store: &dyn CycleStore) {
    let put = |expected_generation, generation| Changes {
        target: Some(TargetChange { expected_generation, row: target(generation) }),
        ..Changes::default()
    };
    store.commit(put(None, 1)).await.unwrap();
    assert_eq!(conflict(store.commit(put(None, 1)).await), Conflict::Target);
    store.commit(put(Some(1), 2)).await.unwrap();
    assert_eq!(conflict(store.commit(put(Some(1), 2)).await), Conflict::Target);
    assert_eq!(store.targets().await.unwrap(), [target(2)]);
}

/// The chain follows the predecessors, not the ids and not the times.
pub async fn the_chain_is_the_links(store: &dyn CycleStore) {
    let row = |id: &str, release: &str, predecessor: Option<&str>, at_ms| Deployment {
        id: id.into(),
        target: TargetId::from_text("shop/web"),
        release_id: release.into(),
        predecessor: predecessor.map(Into::into),
        kind: DeploymentKind::Adopted,
        cycle_id: None,
        operation_id: None,
        generation: 1,
        at_ms,
    };
    let mut now = target(1);
    now.current_deployment_id = Some("A".into());
    let changes = Changes {
        target: Some(TargetChange { expected_generation: None, row: now }),
        deployments: vec![
            row("Z", "r1", None, 9),
            row("M", "r2", Some("Z"), 5),
            row("A", "r3", Some("M"), 1),
        ],
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    let id = TargetId::from_text("shop/web");
    let chain: Vec<_> = store.chain(&id, 10).await.unwrap().into_iter().map(|row| row.release_id).collect();
    assert_eq!(chain, ["r3", "r2", "r1"]);
    assert_eq!(store.chain(&id, 2).await.unwrap().len(), 2);
    assert_eq!(store.deployment(&"M".into()).await.unwrap().unwrap().release_id, "r2");
}

/// Timers survive as rows and are found when due.
pub async fn timers_are_rows(store: &dyn CycleStore) {
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let timer = |id: &str, due_at_ms| TimerRow {
        id: id.into(),
        kind: TimerKind::Probe,
        cycle_id: cycle.id.clone(),
        due_at_ms,
    };
    let mut changes = insert(&cycle);
    changes.timers_set = vec![timer("probe:a", 20), timer("probe:b", 10)];
    store.commit(changes).await.unwrap();
    assert_eq!(store.due_timers(9).await.unwrap(), []);
    assert_eq!(store.due_timers(20).await.unwrap(), [timer("probe:b", 10), timer("probe:a", 20)]);
    assert_eq!(store.next_timer().await.unwrap(), Some(timer("probe:b", 10)));
    let moved = Changes {
        timers_cleared: vec!["probe:b".into(), "unknown".into()],
        timers_set: vec![timer("probe:a", 30)],
        ..Changes::default()
    };
    store.commit(moved).await.unwrap();
    assert_eq!(store.due_timers(i64::MAX).await.unwrap(), [timer("probe:a", 30)]);
}

/// Whoever lost the lease writes nothing any more.
pub async fn a_lost_lease_refuses_every_write(store: &dyn CycleStore) {
    let owner = |pid| LeaseOwner { pid, face: "cli".into(), host: "here".into() };
    let first = store.acquire_lease("engine", &owner(1), 100, 50, false).await.unwrap().unwrap();
    assert_eq!(store.acquire_lease("engine", &owner(2), 120, 50, false).await.unwrap(), None);
    let mine = LeaseFence { name: "engine".into(), epoch: first.epoch };
    assert!(store.renew_lease(&mine, 130, 50).await.unwrap());
    assert_eq!(store.acquire_lease("engine", &owner(2), 170, 50, false).await.unwrap(), None);
    let second = store.acquire_lease("engine", &owner(2), 180, 50, false).await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
    assert!(!store.renew_lease(&mine, 181, 50).await.unwrap());
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let fenced = |fence: &LeaseFence| Changes { fence: Some(fence.clone()), ..insert(&cycle) };
    assert_eq!(conflict(store.commit(fenced(&mine)).await), Conflict::Lease);
    let theirs = LeaseFence { name: "engine".into(), epoch: second.epoch };
    store.commit(fenced(&theirs)).await.unwrap();
    let third = store.acquire_lease("engine", &owner(3), 185, 50, true).await.unwrap().unwrap();
    assert!(third.epoch > second.epoch);
    let held = LeaseFence { name: "engine".into(), epoch: third.epoch };
    store.release_lease(&held, 190).await.unwrap();
    assert!(store.acquire_lease("engine", &owner(4), 190, 50, false).await.unwrap().is_some());
    assert_eq!(store.lease("engine").await.unwrap().unwrap().owner.pid, 4);
}

/// What is read is what was written.
pub async fn rows_come_back_as_they_were_written(store: &dyn CycleStore) {
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let project = Project {
        id: ProjectId::new("shop"),
        path: "/repo".into(),
        remote: "/repo.git".into(),
        base: "main".into(),
        added_at_ms: 1,
    };
    let release = Release {
        id: "r1".into(),
        target: TargetId::from_text("shop/web"),
        commit: Some("c1".into()),
        digest: None,
        health: ReleaseHealth::Healthy,
        healthy_at_ms: Some(3),
        quarantine: None,
        cycle_id: None,
        created_at_ms: 2,
    };
    let mut changes = insert(&cycle);
    changes.project = Some(project.clone());
    changes.releases = vec![release.clone()];
    store.commit(changes).await.unwrap();
    assert_eq!(store.cycle(&cycle.id).await.unwrap(), Some(cycle));
    assert_eq!(store.project(&project.id).await.unwrap(), Some(project.clone()));
    assert_eq!(store.projects().await.unwrap(), [project]);
    assert_eq!(store.release(&release.target, "r1").await.unwrap(), Some(release.clone()));
    assert_eq!(store.releases(&release.target).await.unwrap(), [release]);
    assert_eq!(store.safe_mode().await.unwrap(), None);
}
