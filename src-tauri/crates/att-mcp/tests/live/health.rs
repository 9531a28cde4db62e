//! Health: killed, slow, flapping, hanging servers.

use std::time::{Duration, Instant};

use att_mcp::model::{
    ConnectionState, ErrorCategory, EventKind, HealthState, ReasonCode, Status, SuggestedAction,
};

use crate::bench::{Bench, http, is_ready, kill, servers_with, stdio};

fn marked() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let mark = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    (dir, control, mark)
}

#[tokio::test]
async fn a_killed_child_is_visible_within_two_seconds_and_comes_back() {
    let (dir, control, mark) = marked();
    let configs = vec![stdio("stdio", &["--control", &control]), http("http", &["--control", &control])];
    let bench = Bench::in_dir(dir, configs).await;
    for name in ["stdio", "http"] {
        let generation = bench.ready(name).await.generation;
        let pids = servers_with(&mark);
        let pid = pids.into_iter().find(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.contains("--port") == (name == "http")
        });
        let begun = Instant::now();
        kill(pid.unwrap());
        let state = bench.until(name, Duration::from_secs(2), |s| !is_ready(s)).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
        assert_eq!(state.status, Status::Degraded, "{name}");
        assert_eq!(state.error.unwrap().category, ErrorCategory::ProcessExit, "{name}");
        let state = bench.until(name, Duration::from_secs(10), is_ready).await;
        assert!(state.generation > generation, "{name}");
        assert_eq!(state.status, Status::Healthy, "{name}");
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_slow_server_is_degraded_slow_and_a_quick_answer_heals_it() {
    let (dir, control, _) = marked();
    std::fs::write(&control, r#"{"slow_ms": 400}"#).unwrap();
    let mut config = stdio("s", &["--control", &control]);
    config.settings.slow_after_ms = 200;
    let bench = Bench::in_dir(dir, vec![config]).await;
    bench.ready("s").await;
    assert_eq!(bench.health("s"), (HealthState::Degraded, ReasonCode::Slow));
    assert_eq!(bench.state("s").status, Status::Degraded);
    std::fs::write(&control, "{}").unwrap();
    bench.until("s", Duration::from_secs(5), |s| s.status == Status::Healthy).await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn flapping_is_seen_as_degraded_unreachable_recovering_healthy() {
    for transport in ["stdio", "http"] {
        let (dir, control, _) = marked();
        let arguments = [
            "--control",
            &control,
            "--profile",
            "flapping",
            "--flap-up-ms",
            "1500",
            "--flap-down-attempts",
            "4",
        ];
        let config = if transport == "stdio" { stdio("s", &arguments) } else { http("s", &arguments) };
        let bench = Bench::in_dir(dir, vec![config]).await;
        bench.ready("s").await;
        bench.until("s", Duration::from_secs(5), |s| s.facets.health.state == HealthState::Unreachable).await;
        bench.until("s", Duration::from_secs(10), |s| s.status == Status::Healthy).await;
        bench.fleet.shutdown().await;
        let mut seen = Vec::new();
        for event in bench.store.events() {
            if let EventKind::HealthChanged { to, reason, .. } = event.kind {
                let word = (to, reason.code == ReasonCode::Recovering);
                if seen.last() != Some(&word) {
                    seen.push(word);
                }
            }
        }
        use HealthState::{Degraded, Healthy, Unreachable};
        let expected =
            [(Healthy, false), (Degraded, false), (Unreachable, false), (Degraded, true), (Healthy, false)];
        assert_eq!(seen[..5], expected, "{transport}");
    }
}

#[tokio::test]
async fn a_server_that_stops_answering_falls_and_is_reconnected() {
    let (dir, control, _) = marked();
    let mut config = http("s", &["--control", &control, "--era", "modern"]);
    config.settings.probe_timeout_ms = 200;
    let bench = Bench::in_dir(dir, vec![config]).await;
    bench.ready("s").await;
    std::fs::write(&control, r#"{"hang_on_connect": true}"#).unwrap();
    let state =
        bench.until("s", Duration::from_secs(8), |s| s.facets.health.state == HealthState::Unreachable).await;
    assert_eq!(state.facets.connection.state, ConnectionState::Backoff);
    assert_eq!(state.suggested_action, SuggestedAction::RetryNow);
    std::fs::write(&control, "{}").unwrap();
    bench.until("s", Duration::from_secs(15), |s| s.status == Status::Healthy).await;
    assert!(bench.fleet.latency_history("s").iter().any(|point| point.latency_ms.is_none()));
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_failed_list_is_partial_and_does_not_hide_the_others() {
    let bench = Bench::new(vec![stdio("s", &["--fail-prompts"])]).await;
    let state = bench.ready("s").await;
    assert_eq!(bench.health("s"), (HealthState::Degraded, ReasonCode::PartialCapabilities));
    assert_eq!((state.counts.tools, state.counts.prompts), (Some(3), Some(0)));
    assert!(state.facets.health.reason.text.contains("out of order"), "{}", state.facets.health.reason.text);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn switching_off_ends_the_process_and_switching_on_brings_it_back() {
    let (dir, control, mark) = marked();
    let bench = Bench::in_dir(dir, vec![stdio("s", &["--control", &control])]).await;
    bench.ready("s").await;
    bench.fleet.set_enabled("s", false).await.unwrap();
    bench.until("s", Duration::from_secs(2), |s| s.status == Status::Disabled).await;
    let begun = Instant::now();
    while !servers_with(&mark).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.fleet.set_enabled("s", true).await.unwrap();
    bench.ready("s").await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_command_runs_only_after_consent_to_exactly_it() {
    let store = std::sync::Arc::new(att_mcp::MemoryFleetStore::new());
    let config = stdio("s", &[]);
    let digest = config.command_digest().unwrap();
    let deps = att_mcp::FleetDeps::new(
        std::sync::Arc::clone(&store) as std::sync::Arc<dyn att_mcp::FleetStore>,
        std::sync::Arc::new(att_core::SystemClock),
        std::sync::Arc::new(att_core::id::OsRandomness),
    );
    let fleet = att_mcp::Fleet::start(deps, vec![config]).await.unwrap();
    let bench = Bench { fleet, store, dir: tempfile::tempdir().unwrap() };
    let state = bench.until("s", Duration::from_secs(2), |s| s.status == Status::ConsentRequired).await;
    assert_eq!((state.generation, state.command_digest.as_ref()), (0, Some(&digest)));
    assert!(bench.fleet.consent_given("s").await.is_err(), "nothing was approved yet");
    bench.store.give_consent("s", "another digest");
    assert!(bench.fleet.consent_given("s").await.is_err());
    bench.store.give_consent("s", &digest);
    bench.fleet.consent_given("s").await.unwrap();
    bench.ready("s").await;
    bench.fleet.shutdown().await;
    assert!(bench.dir.path().exists());
}
