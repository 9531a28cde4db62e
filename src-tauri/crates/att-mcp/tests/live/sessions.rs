//! Sessions that are dropped, made anew or stale; calls that may finish first; many servers asked at once.

use std::time::Duration;

use att_mcp::model::{ConnectionState, EventKind, Freshness, HealthState};
use serde_json::json;

use crate::bench::{Bench, http, is_ready, stdio};

#[tokio::test]
async fn what_one_server_does_to_its_session_leaves_every_other_untouched() {
    let bench = Bench::new(vec![
        stdio("a", &["--profile", "everything"]),
        stdio("b", &["--profile", "everything"]),
        http("c", &["--profile", "everything", "--era", "legacy"]),
    ])
    .await;
    for name in ["a", "b", "c"] {
        bench.ready(name).await;
    }
    let others = || ["b", "c"].map(|name| (bench.state(name).generation, bench.state(name).snapshot_id));
    let (before, generation) = (others(), bench.state("a").generation);

    bench.fleet.invalidate_session("a").await.unwrap();
    let idle =
        bench.until("a", Duration::from_secs(5), |s| s.facets.connection.state == ConnectionState::Idle);
    let idle = idle.await;
    assert_eq!(idle.facets.health.state, HealthState::Unknown, "an old green light would be a guess");
    assert!(idle.snapshot_id.is_some(), "what it offered last is still known");
    let session = |name: &str| bench.fleet.sessions().into_iter().find(|s| s.server == name).unwrap();
    assert!(!session("a").active && !session("a").initialized);
    assert!(session("b").active && session("b").freshness == Freshness::ActiveRecent);

    let answer = bench.call("a", "add", json!({"a": 1, "b": 1})).await.unwrap();
    assert_eq!(answer.attempts[0].generation, generation + 1, "the next use made a new session");
    assert!(answer.attempts[0].connect_ms.is_some());

    bench.fleet.refresh_session("a").await.unwrap();
    assert_eq!(bench.state("a").generation, generation + 2);
    assert!(session("a").active);
    assert_eq!(others(), before);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_stale_session_is_made_anew_before_the_call_and_its_trace_says_so() {
    let mut config = stdio("s", &["--profile", "everything"]);
    config.settings.probe = att_mcp::config::Probe::None;
    config.settings.session_window_ms = 1_000;
    let bench = Bench::new(vec![config]).await;
    let generation = bench.ready("s").await.generation;
    let fresh = bench.call("s", "add", json!({"a": 1, "b": 1})).await.unwrap();
    assert_eq!(fresh.attempts[0].generation, generation);
    let stale = async {
        while bench.fleet.sessions()[0].freshness != Freshness::Stale {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), stale).await.expect("it goes stale by itself");
    let answer = bench.call("s", "add", json!({"a": 1, "b": 1})).await.unwrap();
    assert_eq!(answer.attempts[0].generation, generation + 1);
    bench.fleet.shutdown().await;
    let events = bench.store.events();
    let moved = events.iter().filter(|e| {
        matches!(e.kind, EventKind::ConnectionChanged { .. }) && e.correlation_id == answer.correlation_id
    });
    assert!(moved.count() >= 4, "the call's trace holds the transitions that it caused");
}

#[tokio::test]
async fn a_call_under_way_may_finish_when_its_server_is_switched_off() {
    let bench = Bench::new(vec![stdio("s", &["--profile", "everything"])]).await;
    bench.ready("s").await;
    let call = bench.call("s", "long_running", json!({"duration_ms": 800}));
    let off = async {
        let begun = async {
            while bench.fleet.calls().iter().all(|call| call.server.is_none()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), begun).await.expect("the call is under way");
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.fleet.set_enabled("s", false).await.unwrap();
    };
    let (answer, ()) = tokio::join!(call, off);
    assert!(answer.is_ok(), "{answer:?}");
    bench.until("s", Duration::from_secs(5), |s| s.facets.connection.state == ConnectionState::Stopped).await;
    bench.fleet.shutdown().await;
    let drained = bench.store.events().into_iter().any(|e| {
        matches!(
            e.kind,
            EventKind::ConnectionChanged { to: ConnectionState::Draining, next_action_at_ms: Some(_), .. }
        )
    });
    assert!(drained, "draining was seen, with its end");
}

#[tokio::test]
async fn connecting_all_names_each_server_that_failed_and_waits_for_none_of_them_in_vain() {
    let mut dead = att_mcp::ServerConfig::http("dead", "http://127.0.0.1:1/mcp");
    dead.settings.backoff_base_ms = 600_000;
    dead.settings.backoff_cap_ms = 600_000;
    let bench = Bench::new(vec![dead, stdio("live", &["--profile", "everything"])]).await;
    bench.ready("live").await;
    let answer = bench.fleet.connect_all(&[]).await.unwrap();
    assert_eq!(answer.status(), "partial");
    assert!(answer.servers["live"].is_ok() && answer.servers["dead"].is_err());
    let again = bench.fleet.refresh_all(&["live".into()]).await.unwrap();
    assert_eq!(again.status(), "ok");
    assert!(bench.fleet.connect_all(&["nobody".into()]).await.is_err());
    assert!(is_ready(&bench.state("live")));
    bench.fleet.shutdown().await;
}
