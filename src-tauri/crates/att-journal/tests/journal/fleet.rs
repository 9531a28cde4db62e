//! What the fleet keeps: the newest state, bounded telemetry, snapshots for good, consents on the record.

use crate::support::{home, open};
use att_core::id::{CorrelationId, EventId};
use att_core::{Actor, Face};
use att_journal::{AttemptFilter, Consent, EventFilter, Journal, OpenOptions};
use att_mcp::FleetStore;
use att_mcp::model::{
    Attempt, AttemptRecord, AttemptStage, BreakerState, Counters, Era, Event, EventKind, InvocationPhase,
    InvokeOutcome, ListSnapshot, Lists, ServerState, Snapshot,
};
use std::time::Duration;

fn trace(n: u32) -> CorrelationId {
    CorrelationId::from(format!("{n:032x}"))
}

fn event_id(n: u32) -> EventId {
    EventId::from(format!("01EVENT00000000000000{n:05}"))
}

fn stderr(n: u32, server: &str, line: &str) -> Event {
    Event {
        id: event_id(n),
        server: server.into(),
        generation: 1,
        at_ms: 1_000 + i64::from(n),
        correlation_id: trace(n / 10 + 1),
        request_id: None,
        kind: EventKind::ServerStderr { line: line.into() },
    }
}

fn phase(n: u32, server: &str, phase: InvocationPhase) -> Event {
    Event {
        request_id: Some("req-1".into()),
        kind: EventKind::InvocationPhase {
            phase,
            method: "tools/call".into(),
            item: "echo".into(),
            error: None,
            error_category: None,
        },
        ..stderr(n, server, "")
    }
}

fn attempt(index: u32, server: &str) -> AttemptRecord {
    AttemptRecord {
        request_id: "req-1".into(),
        correlation_id: trace(1),
        index,
        at_ms: 5,
        client: "cli".into(),
        method: "tools/call".into(),
        item: "echo".into(),
        attempt: Attempt {
            server: server.into(),
            generation: 1,
            era: Some(Era::Modern),
            stage: AttemptStage::Invoke,
            outcome: InvokeOutcome::RepliedOk,
            error: None,
            error_category: None,
            excluded_reason: None,
            queue_ms: Some(0),
            connect_ms: None,
            first_byte_ms: Some(2),
            total_ms: Some(3),
            breaker_before: BreakerState::Closed,
            breaker_after: BreakerState::Closed,
        },
    }
}

pub fn snapshot(id: &str, server: &str, parent: Option<&str>, at_ms: i64) -> Snapshot {
    Snapshot {
        id: id.into(),
        server: server.into(),
        parent: parent.map(Into::into),
        surface: format!("surface of {id}"),
        taken_at_ms: at_ms,
        last_seen_at_ms: at_ms,
        generation: 1,
        era: Era::Legacy,
        protocol_version: "2025-11-25".into(),
        server_info: serde_json::json!({"name": "x"}),
        capabilities: serde_json::json!({"tools": {}}),
        instructions: None,
        lists: Lists {
            tools: ListSnapshot::unsupported(),
            resources: ListSnapshot::unsupported(),
            resource_templates: ListSnapshot::unsupported(),
            prompts: ListSnapshot::unsupported(),
        },
    }
}

pub fn state(server: &str, as_of_ms: i64) -> ServerState {
    let facet = |state: &str| {
        serde_json::json!({
            "state": state, "since_ms": 1, "next_action_at_ms": null,
            "reason": {"code": "configured", "text": "configured"},
        })
    };
    let facets = serde_json::json!({
        "admin": facet("enabled"), "connection": facet("idle"), "health": facet("unknown"), "breaker": facet("closed"),
    });
    let value = serde_json::json!({
        "server": server, "transport": "stdio", "group": null, "era": null, "protocol_version": null,
        "generation": 1, "status": "connecting", "summary": "Not connected yet", "suggested_action": "none",
        "facets": facets,
        "counters": Counters::default(),
        "tools": null, "resources": null, "resource_templates": null, "prompts": null, "connect_ms": null,
        "latency_ms": null, "error": null, "attempts": 0, "server_info": null, "capabilities": null,
        "instructions": null, "snapshot_id": null, "command_digest": null, "command_line": ["x", "--token=abcdef"],
        "command_env": ["API_TOKEN"], "pid": null, "since_ms": 1, "next_action_at_ms": null, "as_of_ms": as_of_ms,
    });
    serde_json::from_value(value).unwrap()
}

async fn ids(journal: &Journal, filter: EventFilter) -> Vec<u32> {
    let events = journal.events(&filter).await.unwrap();
    events.iter().map(|event| event.id.as_str()[21..].parse().unwrap()).collect()
}

#[tokio::test]
async fn the_newest_state_of_each_server_is_kept_without_secrets_and_survives_a_restart() {
    let home = home();
    let journal = open(home.path()).await;
    for (server, as_of_ms) in [("b", 1), ("a", 2), ("b", 3), ("gone", 4)] {
        journal.save_state(state(server, as_of_ms)).await.unwrap();
    }
    journal.forget_state("gone").await.unwrap();
    journal.close().await;
    let kept = open(home.path()).await.states().await.unwrap();
    let seen: Vec<_> = kept.iter().map(|state| (state.server.as_str(), state.as_of_ms)).collect();
    assert_eq!(seen, [("a", 2), ("b", 3)]);
    assert_eq!(kept[0].command_line, ["x", "--token=[redacted]"]);
    assert_eq!(kept[0].command_env, ["API_TOKEN"]);
}

#[tokio::test]
async fn a_row_of_another_program_version_hides_no_other() {
    let home = home();
    let journal = open(home.path()).await;
    journal.save_state(state("a", 1)).await.unwrap();
    journal.append_events(vec![stderr(1, "a", "x"), stderr(2, "a", "y")]).await.unwrap();
    journal.flush().await.unwrap();
    let mut conn = crate::support::raw(home.path()).await;
    let odd = "INSERT INTO server_state VALUES ('b', 1, 'glowing', '{\"server\": \"b\"}');
               UPDATE event SET body = '{}' WHERE seq = 1;";
    crate::support::run(&mut conn, odd).await;
    assert_eq!(journal.states().await.unwrap().len(), 1);
    assert_eq!(ids(&journal, EventFilter::default()).await, [2]);
}

#[tokio::test]
async fn every_filter_of_the_events_narrows_to_what_it_names() {
    let home = home();
    let journal = open(home.path()).await;
    let events = vec![
        stderr(1, "a", "hello"),
        stderr(2, "b", "hello"),
        phase(11, "a", InvocationPhase::InvokeStart),
        phase(12, "a", InvocationPhase::InvokeSuccess),
        stderr(21, "a", "bye"),
    ];
    journal.append_events(events.clone()).await.unwrap();
    let all = EventFilter::default;
    assert_eq!(ids(&journal, all()).await, [21, 12, 11, 2, 1]);
    assert_eq!(ids(&journal, EventFilter { server: Some("b".into()), ..all() }).await, [2]);
    assert_eq!(ids(&journal, EventFilter { kind: Some("ServerStderr".into()), ..all() }).await, [21, 2, 1]);
    assert_eq!(ids(&journal, EventFilter { method: Some("tools/call".into()), ..all() }).await, [12, 11]);
    assert_eq!(ids(&journal, EventFilter { request: Some("req-1".into()), ..all() }).await, [12, 11]);
    assert_eq!(ids(&journal, EventFilter { correlation: Some(trace(1)), ..all() }).await, [2, 1]);
    let started = EventFilter { phase: Some(InvocationPhase::InvokeStart), ..all() };
    assert_eq!(ids(&journal, started).await, [11]);
    assert_eq!(ids(&journal, EventFilter { since_ms: Some(1_012), ..all() }).await, [21, 12]);
    assert_eq!(ids(&journal, EventFilter { limit: Some(2), ..all() }).await, [21, 12]);
    assert_eq!(
        ids(&journal, EventFilter { before: Some(event_id(12)), limit: Some(2), ..all() }).await,
        [11, 2]
    );
    assert_eq!(
        journal.events(&EventFilter { server: Some("b".into()), ..all() }).await.unwrap(),
        [events[1].clone()]
    );
}

#[tokio::test]
async fn telemetry_is_written_by_itself_soon_and_at_the_end() {
    let home = home();
    let (journal, other) = (open(home.path()).await, open(home.path()).await);
    journal.append_events(vec![stderr(1, "a", "soon")]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(3), async {
        while other.events(&EventFilter::default()).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("written within the flush interval");
    journal.append_events(vec![stderr(2, "a", "token=abcdefgh at the end")]).await.unwrap();
    drop(journal);
    tokio::time::timeout(Duration::from_secs(3), async {
        while other.events(&EventFilter::default()).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("written when the last handle went");
    let newest = &other.events(&EventFilter::default()).await.unwrap()[0];
    assert_eq!(newest.kind, EventKind::ServerStderr { line: "token=[redacted] at the end".into() });
}

#[tokio::test]
async fn the_same_event_twice_is_kept_once() {
    let home = home();
    let journal = open(home.path()).await;
    journal.append_events(vec![stderr(1, "a", "x"), stderr(1, "a", "x")]).await.unwrap();
    assert_eq!(ids(&journal, EventFilter::default()).await, [1]);
}

#[tokio::test]
async fn only_the_newest_events_and_attempts_are_kept() {
    let home = home();
    let options = OpenOptions { event_cap: 50, ..OpenOptions::default() };
    let journal = Journal::open(home.path(), options).await.unwrap();
    journal.append_events((1..=700).map(|n| stderr(n, "a", "x")).collect()).await.unwrap();
    journal.append_attempts((1..=120).map(|n| attempt(n, "a")).collect()).await.unwrap();
    let kept = ids(&journal, EventFilter { limit: Some(10_000), ..EventFilter::default() }).await;
    assert_eq!(kept, (651..=700).rev().collect::<Vec<_>>());
    let attempts =
        journal.attempts(&AttemptFilter { limit: Some(10_000), ..AttemptFilter::default() }).await.unwrap();
    assert_eq!(attempts.len(), 50);
    assert_eq!(attempts[0].index, 120);
}

#[tokio::test]
async fn a_queue_that_cannot_drain_drops_its_oldest_rows_and_counts_them() {
    let home = home();
    let journal = Journal::open(home.path(), crate::support::impatient()).await.unwrap();
    let mut other = crate::support::raw(home.path()).await;
    crate::support::run(&mut other, "BEGIN IMMEDIATE").await;
    for block in 0..11_u32 {
        let events = (0..1_000).map(|n| stderr(block * 1_000 + n, "a", "x")).collect();
        journal.append_events(events).await.unwrap();
    }
    assert!(journal.flush().await.is_err());
    assert_eq!(journal.dropped_telemetry(), 1_000);
    crate::support::run(&mut other, "ROLLBACK").await;
    journal.flush().await.unwrap();
    let kept = ids(&journal, EventFilter { limit: Some(20_000), ..EventFilter::default() }).await;
    assert_eq!((kept.len(), kept[0], kept[9_999]), (10_000, 10_999, 1_000));
}

#[tokio::test]
async fn attempts_come_back_in_their_order_within_an_invocation() {
    let home = home();
    let journal = open(home.path()).await;
    journal.append_attempts(vec![attempt(0, "a"), attempt(1, "b")]).await.unwrap();
    let of_request = AttemptFilter { request: Some("req-1".into()), ..AttemptFilter::default() };
    assert_eq!(journal.attempts(&of_request).await.unwrap(), [attempt(0, "a"), attempt(1, "b")]);
    let of_server = AttemptFilter { server: Some("b".into()), ..AttemptFilter::default() };
    assert_eq!(journal.attempts(&of_server).await.unwrap(), [attempt(1, "b")]);
    let of_trace = AttemptFilter { correlation: Some(trace(2)), ..AttemptFilter::default() };
    assert_eq!(journal.attempts(&of_trace).await.unwrap(), []);
}

#[tokio::test]
async fn snapshots_are_appended_seen_again_and_never_changed() {
    let home = home();
    let journal = open(home.path()).await;
    let (first, second) = (snapshot("s1", "a", None, 10), snapshot("s2", "a", Some("s1"), 20));
    for one in [first.clone(), second.clone(), snapshot("t1", "b", None, 15)] {
        journal.put_snapshot(one).await.unwrap();
    }
    journal.put_snapshot(Snapshot { protocol_version: "changed".into(), ..first.clone() }).await.unwrap();
    journal.touch_snapshot("a", "s2", 50).await.unwrap();
    journal.touch_snapshot("a", "s2", 30).await.unwrap();
    journal.touch_snapshot("b", "s1", 99).await.unwrap();
    let seen = Snapshot { last_seen_at_ms: 50, ..second };
    assert_eq!(journal.latest_snapshot("a").await.unwrap(), Some(seen.clone()));
    assert_eq!(journal.snapshots("a", 10).await.unwrap(), [seen, first.clone()]);
    assert_eq!(journal.snapshots("a", 1).await.unwrap().len(), 1);
    assert_eq!(journal.snapshot("s1").await.unwrap(), Some(first));
    assert_eq!(journal.snapshot("none").await.unwrap(), None);
    let mut conn = crate::support::raw(home.path()).await;
    assert!(sqlx::raw_sql("UPDATE snapshot SET body = '{}'").execute(&mut conn).await.is_err());
}

#[tokio::test]
async fn a_consent_is_for_one_exact_command_and_on_the_record() {
    let home = home();
    let journal = open(home.path()).await;
    let ann = Actor::person("ann", Face::Desktop, 4);
    let consent = Consent { server: "files".into(), digest: "d1".into(), at_ms: 5, actor: ann.clone() };
    assert!(!journal.consent("files", "d1").await.unwrap());
    journal
        .give_consent(consent.clone(), serde_json::json!({"argv": ["npx"], "env": ["TOKEN"]}))
        .await
        .unwrap();
    assert!(journal.consent("files", "d1").await.unwrap());
    assert!(!journal.consent("files", "d2").await.unwrap());
    assert!(!journal.consent("other", "d1").await.unwrap());
    assert_eq!(journal.consents().await.unwrap(), [consent]);
    assert_eq!(journal.withdraw_consent("files", ann.clone(), 6).await.unwrap(), 1);
    assert_eq!(journal.withdraw_consent("files", ann, 7).await.unwrap(), 0);
    assert!(!journal.consent("files", "d1").await.unwrap());
    let kinds: Vec<_> =
        journal.audit_entries(None, 0, 10).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["ConsentGiven", "ConsentWithdrawn"]);
    assert!(journal.verify().await.unwrap().ok);
}
