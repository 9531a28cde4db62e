//! Any sequence of commits and lease moves has the same outcome in the journal and in the store in memory.

use crate::support::{home, open};
use att_bootstrap::memory::MemoryStore;
use att_bootstrap::model::{
    Approval, ApprovalState, AuditEntry, AuditEvent, CycleState, Operation, OperationKind, OperationPhase,
    TimerKind, TimerRow,
};
use att_bootstrap::sample;
use att_bootstrap::store::{
    ApprovalChange, Changes, CycleChange, CycleStore, LeaseFence, LeaseOwner, OperationChange,
};
use att_core::Actor;
use proptest::prelude::*;

/// One thing that some process does.
#[derive(Debug, Clone)]
enum Act {
    Cycle { id: u8, target: u8, repository: u8, expected: Option<u64>, version: u64, ends: bool },
    Approval { id: u8, answered: bool },
    Operation { id: u8, finished: bool },
    Timer { id: u8, due_at_ms: Option<i64> },
    Acquire { pid: u32, now_ms: i64, take_over: bool },
    Renew { epoch: u64, now_ms: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..3_u8, 0..2_u8, 0..2_u8, proptest::option::of(1..3_u64), any::<bool>()).prop_map(
            |(id, target, repository, expected, ends)| Act::Cycle {
                id,
                target,
                repository,
                expected,
                version: expected.unwrap_or(0) + 1,
                ends,
            }
        ),
        (0..2_u8, any::<bool>()).prop_map(|(id, answered)| Act::Approval { id, answered }),
        (0..2_u8, any::<bool>()).prop_map(|(id, finished)| Act::Operation { id, finished }),
        (0..3_u8, proptest::option::of(0..50_i64)).prop_map(|(id, due_at_ms)| Act::Timer { id, due_at_ms }),
        (1..3_u32, 0..300_i64, any::<bool>()).prop_map(|(pid, now_ms, take_over)| Act::Acquire {
            pid,
            now_ms,
            take_over
        }),
        (1..4_u64, 0..300_i64).prop_map(|(epoch, now_ms)| Act::Renew { epoch, now_ms }),
    ]
}

/// What one transaction would write; every third one is fenced by the first lease epoch.
fn changes(step: usize, acts: &[Act]) -> Changes {
    let mut changes = Changes::default();
    if step.is_multiple_of(3) {
        changes.fence = Some(LeaseFence { name: "engine".into(), epoch: 1 });
    }
    for act in acts {
        match act {
            Act::Cycle { id, target, repository, expected, version, ends } => {
                let (target, repository) = (format!("shop/{target}"), format!("/repo/{repository}"));
                let mut row = sample::cycle(&format!("cycle-{id}"), &target, &repository);
                row.version = *version;
                row.state = if *ends { CycleState::Failed } else { CycleState::Testing };
                changes.cycle = Some(CycleChange { expected_version: *expected, row });
            }
            Act::Approval { id, answered } => changes.approvals.push(approval(*id, *answered)),
            Act::Operation { id, finished } => changes.operations.push(operation(*id, *finished)),
            Act::Timer { id, due_at_ms: None } => changes.timers_cleared.push(format!("timer-{id}")),
            Act::Timer { id, due_at_ms: Some(due_at_ms) } => changes.timers_set.push(TimerRow {
                id: format!("timer-{id}"),
                kind: TimerKind::Probe,
                cycle_id: "cycle-0".into(),
                due_at_ms: *due_at_ms,
            }),
            Act::Acquire { .. } | Act::Renew { .. } => {}
        }
    }
    changes.audit.push(AuditEntry {
        id: format!("audit-{step}").as_str().into(),
        at_ms: 1,
        actor: Actor::engine(1),
        subject: "all".into(),
        event: AuditEvent::CycleHeld {
            cycle_id: "cycle-0".into(),
            stage: CycleState::Testing,
            detail: step.to_string(),
        },
    });
    changes
}

fn approval(id: u8, answered: bool) -> ApprovalChange {
    let row = Approval {
        id: format!("approval-{id}").as_str().into(),
        decision_id: "decision".into(),
        decision_version: 1,
        state: if answered { ApprovalState::Consumed } else { ApprovalState::Requested },
        digest: "d".into(),
        requested_at_ms: i64::from(id),
        expires_at_ms: 9,
        answered_at_ms: None,
        actor: None,
        reason: None,
        typed_release_id: None,
    };
    if answered { ApprovalChange::Answer(row) } else { ApprovalChange::Request(row) }
}

fn operation(id: u8, finished: bool) -> OperationChange {
    let row = Operation {
        id: format!("operation-{id}").as_str().into(),
        cycle_id: "cycle-0".into(),
        target: None,
        kind: OperationKind::Push,
        phase: if finished { OperationPhase::Finished } else { OperationPhase::Intended },
        argv: Vec::new(),
        expected_generation: None,
        timeout_ms: 1,
        intended_at_ms: i64::from(id),
        finished_at_ms: None,
        outcome: None,
    };
    if finished { OperationChange::Finish(row) } else { OperationChange::Intend(row) }
}

/// Everything that can be read of what the acts touch, as text.
async fn all(store: &dyn CycleStore) -> String {
    format!(
        "{:?}",
        (
            store.cycles(10).await.unwrap(),
            store.live_cycles().await.unwrap(),
            store.approvals_of(&"decision".into()).await.unwrap(),
            store.operations_of(&"cycle-0".into()).await.unwrap(),
            store.due_timers(i64::MAX).await.unwrap(),
            store.next_timer().await.unwrap(),
            store.lease("engine").await.unwrap(),
            store.audit_of("all", 100).await.unwrap(),
        )
    )
}

async fn perform(store: &dyn CycleStore, step: usize, acts: &[Act]) -> String {
    let mut said = Vec::new();
    for act in acts {
        match act {
            Act::Acquire { pid, now_ms, take_over } => {
                let owner = LeaseOwner { pid: *pid, face: "cli".into(), host: "here".into() };
                let taken = store.acquire_lease("engine", &owner, *now_ms, 100, *take_over).await;
                said.push(format!("{taken:?}"));
            }
            Act::Renew { epoch, now_ms } => {
                let fence = LeaseFence { name: "engine".into(), epoch: *epoch };
                said.push(format!("{:?}", store.renew_lease(&fence, *now_ms, 100).await));
            }
            _ => {}
        }
    }
    said.push(format!("{:?}", store.commit(changes(step, acts)).await));
    said.join("; ")
}

/// True when `acts` would call a cycle back that has ended, which the journal alone refuses.
async fn wakes_the_dead(store: &dyn CycleStore, acts: &[Act]) -> bool {
    for act in acts {
        if let Act::Cycle { id, ends: false, .. } = act
            && let Some(row) = store.cycle(&format!("cycle-{id}").as_str().into()).await.unwrap()
            && row.state.is_terminal()
        {
            return true;
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_answers_as_the_store_in_memory_does(
        steps in proptest::collection::vec(proptest::collection::vec(act(), 1..4), 1..24)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = home();
            let journal = open(home.path()).await;
            let memory = MemoryStore::new();
            for (step, acts) in steps.iter().enumerate() {
                if wakes_the_dead(&memory, acts).await {
                    continue;
                }
                let expected = perform(&memory, step, acts).await;
                assert_eq!(perform(&journal, step, acts).await, expected, "step {step}: {acts:?}");
            }
            assert_eq!(all(&journal).await, all(&memory).await);
            assert!(journal.verify().await.unwrap().ok);
        });
    }
}
