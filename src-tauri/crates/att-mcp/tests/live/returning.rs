//! Servers that ask for patience, for authorization, that come back badly, or that change all the time.

use std::time::{Duration, Instant};

use att_mcp::model::{
    ConnectionState, HealthState, ReasonCode, ServerState, Status, SuggestedAction, WireDirection,
};
use serde_json::json;

use crate::bench::{Bench, http, is_ready, kill, servers_with, stdio};

fn controlled() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let mark = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    (dir, control, mark)
}

/// Requests of `method` that went out to `name`.
fn asked(bench: &Bench, name: &str, method: Option<&str>) -> usize {
    let entries = bench.fleet.wire(name, None, 1_000).unwrap();
    let out = entries.iter().filter(|entry| entry.direction == WireDirection::Out && entry.id.is_some());
    out.filter(|entry| method.is_none() || entry.method.as_deref() == method).count()
}

fn is_throttled(state: &ServerState) -> bool {
    state.status == Status::Throttled
}

#[tokio::test]
async fn a_server_that_says_retry_after_is_left_alone_for_that_long_and_not_punished() {
    for (status, era) in [(429, "legacy"), (503, "modern")] {
        let (dir, control, _) = controlled();
        let bench = Bench::in_dir(dir, vec![http("s", &["--control", &control, "--era", era])]).await;
        let generation = bench.ready("s").await.generation;
        std::fs::write(&control, format!(r#"{{"http_status": {status}, "retry_after_s": 2}}"#)).unwrap();
        let state = bench.until("s", Duration::from_secs(5), is_throttled).await;
        let begun = Instant::now();
        std::fs::write(&control, "{}").unwrap();
        assert!(is_ready(&state), "{status}: it stays connected");
        assert_eq!((state.facets.health.state, state.counters.failures_in_a_row), (HealthState::Healthy, 0));
        let at = state.facets.connection.next_action_at_ms.unwrap();
        assert!((1_000..=2_000).contains(&(at - state.as_of_ms)), "{status}: {} ms", at - state.as_of_ms);
        let before = asked(&bench, "s", None);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(asked(&bench, "s", None), before, "{status}: nothing is asked meanwhile");
        let state = bench.until("s", Duration::from_secs(5), |s| s.status == Status::Healthy).await;
        assert!(begun.elapsed() >= Duration::from_millis(1_500), "{status}: {:?}", begun.elapsed());
        assert_eq!(state.generation, generation, "{status}: the connection was kept");
        bench.fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_asks_to_wait_at_the_first_contact_is_tried_again_when_it_said() {
    let (dir, control, _) = controlled();
    std::fs::write(&control, r#"{"http_status": 503, "retry_after_s": 2}"#).unwrap();
    let bench = Bench::in_dir(dir, vec![http("s", &["--control", &control])]).await;
    let state = bench.until("s", Duration::from_secs(5), is_throttled).await;
    let begun = Instant::now();
    std::fs::write(&control, "{}").unwrap();
    assert_eq!(state.facets.connection.state, ConnectionState::Backoff);
    assert_eq!((state.counters.failures_in_a_row, state.counters.backoff_attempts), (0, 0));
    let state = bench.ready("s").await;
    assert!(begun.elapsed() >= Duration::from_millis(1_500), "{:?}", begun.elapsed());
    assert_eq!(state.generation, 2, "one attempt more, no earlier");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_401_waits_for_a_person_and_is_no_matter_of_health() {
    let (dir, control, _) = controlled();
    let bench = Bench::in_dir(dir, vec![http("s", &["--control", &control])]).await;
    bench.ready("s").await;
    std::fs::write(&control, r#"{"http_status": 401}"#).unwrap();
    let state = bench.until("s", Duration::from_secs(5), |s| s.status == Status::AuthRequired).await;
    assert_eq!(state.facets.connection.state, ConnectionState::AuthRequired);
    assert_eq!((state.facets.health.state, state.counters.failures_in_a_row), (HealthState::Healthy, 0));
    assert_eq!(state.next_action_at_ms, None, "nothing happens by itself");
    assert_eq!(state.suggested_action, SuggestedAction::Authorize);
    let before = asked(&bench, "s", None);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(asked(&bench, "s", None), before, "it is left alone");
    std::fs::write(&control, "{}").unwrap();
    bench.fleet.retry_now("s").await.unwrap();
    bench.until("s", Duration::from_secs(5), |s| s.status == Status::Healthy).await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_failed_new_initialization_keeps_the_last_snapshot() {
    for (transport, fault) in [
        ("stdio", r#"{"hang_on_connect": true}"#),
        ("stdio", r#"{"malformed_json": "all"}"#),
        ("http", r#"{"http_500": true}"#),
        ("http", r#"{"malformed_json": "all"}"#),
    ] {
        let (dir, control, mark) = controlled();
        let arguments = ["--control", &control, "--profile", "everything"];
        let mut config = if transport == "stdio" { stdio("s", &arguments) } else { http("s", &arguments) };
        config.settings.connect_timeout_ms = 800;
        config.settings.discover_timeout_ms = 300;
        let bench = Bench::in_dir(dir, vec![config]).await;
        // The time that a start takes on a busy machine is not what is tested.
        let first = bench.until("s", Duration::from_secs(30), is_ready).await;
        let kept = bench.fleet.snapshot("s").unwrap();
        std::fs::write(&control, fault).unwrap();
        kill(servers_with(&mark)[0]);
        let generation = first.generation;
        let fell = |s: &ServerState| {
            s.generation > generation + 1 && s.facets.health.state == HealthState::Unreachable
        };
        let state = bench.until("s", Duration::from_secs(20), fell).await;
        assert_eq!((state.snapshot_id, state.counts), (first.snapshot_id.clone(), first.counts), "{fault}");
        assert_eq!(bench.fleet.snapshot("s").unwrap(), kept, "{transport} {fault}");
        std::fs::write(&control, "{}").unwrap();
        let state = bench.until("s", Duration::from_secs(30), is_ready).await;
        assert_eq!(state.snapshot_id, first.snapshot_id, "{fault}: the same surface, the same snapshot");
        let seen = bench.fleet.snapshot("s").unwrap();
        assert!(seen.last_seen_at_ms > kept.last_seen_at_ms && seen.taken_at_ms == kept.taken_at_ms);
        bench.fleet.shutdown().await;
    }
}

#[tokio::test]
async fn many_told_changes_are_one_reading_and_changes_without_a_pause_do_not_put_it_off_for_ever() {
    let (dir, control, _) = controlled();
    let tell = |times: u32| std::fs::write(&control, format!(r#"{{"changes_told": {times}}}"#)).unwrap();
    let arguments = ["--control", &control, "--era", "legacy"];
    let mut configs = vec![stdio("stdio", &arguments), http("http", &arguments)];
    for config in &mut configs {
        config.settings.list_debounce_ms = 300;
    }
    let bench = Bench::in_dir(dir, configs).await;
    let lists = |name: &str| asked(&bench, name, Some("tools/list"));
    let call = async |name: &str| bench.call(name, "echo", json!({"text": "x"})).await.unwrap();
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        assert_eq!(lists(name), 1, "{name}");
        tell(50);
        call(name).await;
        let begun = Instant::now();
        while lists(name) == 1 {
            assert!(begun.elapsed() < Duration::from_secs(5), "{name}: nothing was read");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(200), "{name}: {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(lists(name), 2, "{name}: fifty told changes are one reading");

        tell(1);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(4) {
            call(name).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!((3..=4).contains(&lists(name)), "{name}: {} readings", lists(name));
        assert_eq!(bench.health(name), (HealthState::Healthy, ReasonCode::Answered), "{name}");
    }
    bench.fleet.shutdown().await;
}
