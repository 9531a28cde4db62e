//! Groups, preferences and the breaker against real servers.

use std::time::{Duration, Instant};

use att_mcp::config::ServerConfig;
use att_mcp::model::{AttemptStage, BreakerState, ErrorCategory, InvokeOutcome};
use att_mcp::{FailureCode, InvokeRequest, Operation};
use serde_json::json;

use crate::bench::{Bench, http, stdio};

fn grouped(mut config: ServerConfig, group: &str) -> ServerConfig {
    config.group = Some(group.to_owned());
    config
}

fn echo() -> Operation {
    Operation::CallTool { name: "echo".into(), arguments: json!({"text": "x"}).as_object().cloned().unwrap() }
}

#[tokio::test]
async fn a_server_that_hangs_at_the_handshake_leaves_time_for_the_second_and_is_told_as_initialize() {
    let bench =
        Bench::new(vec![grouped(stdio("a", &["--hang-on-connect"]), "g"), grouped(http("b", &[]), "g")])
            .await;
    bench.ready("b").await;
    let request = InvokeRequest {
        prefer: vec!["a".into(), "b".into()],
        timeout_ms: Some(2_000),
        ..InvokeRequest::new("test", echo())
    };
    let begun = Instant::now();
    let answer = bench.fleet.invoke(request).await.unwrap();
    assert_eq!(answer.server, "b");
    assert!(
        begun.elapsed() < Duration::from_millis(1_500),
        "half of the time at most: {:?}",
        begun.elapsed()
    );
    let first = &answer.attempts[0];
    assert_eq!((first.stage, first.outcome), (AttemptStage::Initialize, InvokeOutcome::NotSent));
    assert_eq!(first.error_category, Some(ErrorCategory::NetworkTimeout));
    // A group asks the fit one first.
    let answer = bench.call_group("g", "echo", json!({"text": "x"}), 2_000).await.unwrap();
    assert_eq!((answer.server.as_str(), answer.attempts.len()), ("b", 1));
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn calls_that_fail_open_the_breaker_the_next_goes_elsewhere_and_a_probe_closes_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let mut a = grouped(http("a", &["--control", &control]), "g");
    a.settings.breaker_failures = 2;
    a.settings.breaker_open_ms = 1_500;
    // No probe but the breaker's own.
    (a.settings.probe_interval_ms, a.settings.fall) = (60_000, 100);
    let bench = Bench::in_dir(dir, vec![a, grouped(http("b", &[]), "g")]).await;
    for name in ["a", "b"] {
        bench.ready(name).await;
    }
    std::fs::write(&control, json!({"malformed_json": "all"}).to_string()).unwrap();
    for (before, after) in
        [(BreakerState::Closed, BreakerState::Closed), (BreakerState::Closed, BreakerState::Open)]
    {
        let failure = bench.call("a", "echo", json!({"text": "x"})).await.unwrap_err();
        let attempt = failure.attempts.last().unwrap();
        assert_eq!((attempt.breaker_before, attempt.breaker_after), (before, after), "{failure:?}");
    }
    let state = bench.state("a");
    assert!(state.facets.breaker.next_action_at_ms.is_some() && state.summary.contains("No calls"));
    let refused = bench.call("a", "echo", json!({"text": "x"})).await.unwrap_err();
    assert_eq!((refused.code, refused.status), (FailureCode::NoServerAvailable, 503));
    assert_eq!(refused.attempts[0].excluded_reason.as_deref(), Some("its breaker is open"));
    let elsewhere = bench.call_group("g", "echo", json!({"text": "x"}), 2_000).await.unwrap();
    assert_eq!(elsewhere.server, "b");
    std::fs::remove_file(&control).unwrap();
    let limit = Duration::from_secs(6);
    bench.until("a", limit, |s| s.facets.breaker.state == BreakerState::Closed).await;
    bench.call("a", "echo", json!({"text": "x"})).await.unwrap();
    bench.fleet.shutdown().await;
}
