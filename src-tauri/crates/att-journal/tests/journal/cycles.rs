//! The engine's store keeps its contract, whole transactions included.

use crate::support::{home, open, raw, run};
use att_bootstrap::model::{AuditEntry, AuditEvent, CycleState, SafeMode, Stage};
use att_bootstrap::store::{Changes, Conflict, CycleChange, CycleStore, StoreError};
use att_bootstrap::{sample, store_contract};
use att_core::{Actor, Code, Face};
use att_journal::{Journal, OpenOptions};
use std::sync::Mutex;

fn entry(n: u32, subject: &str) -> AuditEntry {
    AuditEntry {
        id: format!("01AUDIT0000000000000000{n:03}").as_str().into(),
        at_ms: i64::from(n),
        actor: Actor::person("ann", Face::Desktop, 9),
        subject: subject.into(),
        event: AuditEvent::CycleMoved {
            cycle_id: subject.into(),
            from: CycleState::Queued,
            to: CycleState::Preparing,
            on: "start".into(),
            detail: Some(format!("step {n}")),
        },
    }
}

#[tokio::test]
async fn the_journal_keeps_the_contract_of_the_engine_s_store() {
    // The contract asks for an empty store each time, without waiting for it.
    let homes: Vec<_> = (0..32).map(|_| home()).collect();
    let mut stores = Vec::new();
    for home in &homes {
        stores.push(open(home.path()).await);
    }
    let stores = Mutex::new(stores);
    store_contract::holds(&|| stores.lock().unwrap().pop().unwrap()).await;
}

#[tokio::test]
async fn audit_entries_of_a_step_come_back_as_they_were_and_are_chained() {
    let home = home();
    let journal = open(home.path()).await;
    let audit: Vec<_> = (1..=5).map(|n| entry(n, "cycle-1")).collect();
    let changes = Changes { audit: audit.clone(), ..Changes::default() };
    journal.commit(changes).await.unwrap();
    assert_eq!(journal.audit_of("cycle-1", 10).await.unwrap(), audit);
    assert_eq!(journal.audit_of("cycle-1", 2).await.unwrap(), audit[3..]);
    assert_eq!(journal.audit_of("cycle-2", 10).await.unwrap(), []);
    let report = journal.verify().await.unwrap();
    assert!(report.ok && report.entries == 5);
}

#[tokio::test]
async fn a_refused_step_leaves_neither_rows_nor_a_gap_in_the_chain() {
    let home = home();
    let journal = open(home.path()).await;
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let stale = Changes {
        safe_mode: Some(SafeMode {
            active: true,
            reason: "a test of the whole".into(),
            actor: Actor::engine(1),
            at_ms: 1,
        }),
        cycle: Some(CycleChange { expected_version: Some(3), row: cycle }),
        audit: vec![entry(1, "cycle-1")],
        ..Changes::default()
    };
    assert_eq!(journal.commit(stale).await, Err(StoreError::Conflict(Conflict::Cycle)));
    assert_eq!(journal.safe_mode().await.unwrap(), None);
    journal.commit(Changes { audit: vec![entry(2, "cycle-1")], ..Changes::default() }).await.unwrap();
    let report = journal.verify().await.unwrap();
    assert!(report.ok && report.entries == 1, "{report:?}");
}

#[tokio::test]
async fn a_failure_in_the_last_entry_takes_the_whole_step_back() {
    let home = home();
    let journal = open(home.path()).await;
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let twice = Changes {
        cycle: Some(CycleChange { expected_version: None, row: cycle.clone() }),
        audit: vec![entry(1, "cycle-1"), entry(1, "cycle-1")],
        ..Changes::default()
    };
    assert!(matches!(journal.commit(twice).await, Err(StoreError::Unavailable(_))));
    assert_eq!(journal.cycle(&cycle.id).await.unwrap(), None);
    assert_eq!(journal.verify().await.unwrap().entries, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_that_move_one_cycle_one_wins() {
    let home = home();
    let journal = open(home.path()).await;
    let cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let first = Changes {
        cycle: Some(CycleChange { expected_version: None, row: cycle.clone() }),
        ..Changes::default()
    };
    journal.commit(first).await.unwrap();
    let movers = (1..=8).map(|n| {
        let (home, mut row) = (home.path().to_path_buf(), cycle.clone());
        row.version = 2;
        row.state = CycleState::Preparing;
        let change = Changes {
            cycle: Some(CycleChange { expected_version: Some(1), row }),
            audit: vec![entry(n, "cycle-1")],
            ..Changes::default()
        };
        tokio::spawn(async move { open(&home).await.commit(change).await })
    });
    let mut won = 0;
    for mover in movers.collect::<Vec<_>>() {
        match mover.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, StoreError::Conflict(Conflict::Cycle)),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(journal.audit_of("cycle-1", 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_schema_itself_refuses_a_second_live_cycle_and_a_return_from_the_dead() {
    let home = home();
    let journal = open(home.path()).await;
    let mut cycle = sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo");
    let put = |expected_version, row| Changes {
        cycle: Some(CycleChange { expected_version, row }),
        ..Changes::default()
    };
    journal.commit(put(None, cycle.clone())).await.unwrap();
    let mut conn = raw(home.path()).await;
    let copy = "INSERT INTO cycle SELECT 'other', version, project, 'elsewhere', target, state, live, created_at_ms, body FROM cycle";
    assert!(sqlx::raw_sql(copy).execute(&mut conn).await.is_err());
    cycle.version = 2;
    cycle.state = CycleState::Succeeded;
    journal.commit(put(Some(1), cycle.clone())).await.unwrap();
    run(&mut conn, copy).await;
    run(&mut conn, "DELETE FROM cycle WHERE id = 'other'").await;
    cycle.version = 3;
    cycle.state = CycleState::Deploying;
    assert!(journal.commit(put(Some(2), cycle.clone())).await.is_err());
    assert_eq!(journal.cycle(&cycle.id).await.unwrap().unwrap().state, CycleState::Succeeded);
}

#[tokio::test]
async fn a_circle_in_the_chain_ends_at_the_limit() {
    let home = home();
    let journal = open(home.path()).await;
    let mut conn = raw(home.path()).await;
    let target = att_bootstrap::model::TargetId::from_text("shop/web");
    let body = |id: &str, predecessor: &str| {
        serde_json::json!({
            "id": id, "target": "shop/web", "release_id": id, "predecessor": predecessor, "kind": "deploy",
            "cycle_id": null, "operation_id": null, "generation": 1, "at_ms": 1,
        })
    };
    for (id, predecessor) in [("A", "B"), ("B", "A")] {
        run(
            &mut conn,
            format!(
                "INSERT INTO deployment VALUES ('{id}', 'shop/web', '{id}', '{predecessor}', 1, 1, '{}')",
                body(id, predecessor)
            ),
        )
        .await;
    }
    run(&mut conn, "INSERT INTO target VALUES ('shop/web', 'shop', 1, 'A', '{}')").await;
    let ids: Vec<_> =
        journal.chain(&target, 3).await.unwrap().into_iter().map(|row| row.id.to_string()).collect();
    assert_eq!(ids, ["A", "B", "A"]);
    assert_eq!(journal.chain(&target, 0).await.unwrap(), []);
}

#[tokio::test]
async fn output_logs_come_in_the_order_of_the_stages() {
    let home = home();
    let journal = open(home.path()).await;
    let log = |stage, tail: &str| att_bootstrap::model::OutputLog {
        cycle_id: "c".into(),
        stage,
        path: format!("logs/cycles/c/{stage}.log"),
        bytes: 3,
        truncated: false,
        tail: tail.into(),
        updated_at_ms: 1,
    };
    let put = |output_logs| Changes { output_logs, ..Changes::default() };
    journal.commit(put(vec![log(Stage::Deploying, "d"), log(Stage::Testing, "t")])).await.unwrap();
    journal.commit(put(vec![log(Stage::Deploying, "d2")])).await.unwrap();
    let tails: Vec<_> =
        journal.output_logs(&"c".into()).await.unwrap().into_iter().map(|log| log.tail).collect();
    assert_eq!(tails, ["t", "d2"]);
}

#[tokio::test]
async fn a_store_that_cannot_write_says_so_with_a_cure() {
    let home = home();
    open(home.path()).await.close().await;
    let journal = Journal::open(home.path(), OpenOptions::read_only()).await.unwrap();
    let Err(StoreError::Unavailable(report)) =
        journal.commit(Changes { audit: vec![entry(1, "c")], ..Changes::default() }).await
    else {
        panic!("a read-only journal took a commit")
    };
    assert_eq!(report.code, Code::JournalUnavailable);
    assert!(report.cure.is_some());
}
