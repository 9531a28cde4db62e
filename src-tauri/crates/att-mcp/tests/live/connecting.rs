//! Connecting: eras, transports, the end of it.

use std::time::{Duration, Instant};

use att_mcp::config::ServerConfig;
use att_mcp::model::{Era, ErrorCategory, HealthState, ListStatus, Status, SuggestedAction};
use serde_json::json;

use crate::bench::{Bench, free_port, http, is_ready, processes_with, servers_with, stdio};

#[tokio::test]
async fn every_transport_in_every_era_connects_and_offers_everything() {
    let everything = |era| ["--profile", "everything", "--era", era];
    let bench = Bench::new(vec![
        stdio("stdio-legacy", &everything("legacy")),
        stdio("stdio-modern", &everything("modern")),
        http("http-legacy", &everything("legacy")),
        http("http-modern", &everything("modern")),
    ])
    .await;
    for (name, era, version) in [
        ("stdio-legacy", Era::Legacy, "2025-11-25"),
        ("stdio-modern", Era::Modern, "2026-07-28"),
        ("http-legacy", Era::Legacy, "2025-11-25"),
        ("http-modern", Era::Modern, "2026-07-28"),
    ] {
        let state = bench.ready(name).await;
        assert_eq!((state.era, state.protocol_version.as_deref()), (Some(era), Some(version)), "{name}");
        assert_eq!(state.status, Status::Healthy, "{name}: {}", state.summary);
        let counts = state.counts;
        assert_eq!(
            (counts.tools, counts.resources, counts.resource_templates, counts.prompts),
            (Some(7), Some(2), Some(1), Some(2)),
            "{name}"
        );
        let snapshot = bench.fleet.snapshot(name).unwrap();
        assert_eq!(snapshot.lists.tools.status, ListStatus::Ok);
        assert!(snapshot.lists.tools.items.iter().all(|tool| tool.problem.is_none()));
        assert_eq!(snapshot.server_info["name"], "att-demo-everything");
        assert!(state.instructions.is_some_and(|text| text.contains("demo server")));
        assert!(state.connect_ms.is_some() && state.latency_ms.is_some());
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_server_that_ends_on_discover_is_taken_for_a_legacy_one_and_that_is_remembered() {
    let bench = Bench::new(vec![stdio("s", &["--exit-on-discover", "--era", "legacy"])]).await;
    let state = bench.ready("s").await;
    assert_eq!((state.era, state.generation), (Some(Era::Legacy), 1), "one attempt was enough");
    let first = bench.state("s").connect_ms.unwrap();
    assert!(first < 3_000, "{first} ms");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_server_that_hangs_on_connect_fails_in_time_and_says_so() {
    let mut config = stdio("s", &["--hang-on-connect"]);
    config.settings.connect_timeout_ms = 1_000;
    config.settings.discover_timeout_ms = 300;
    let bench = Bench::new(vec![config]).await;
    let state = bench.until("s", Duration::from_secs(5), |s| s.error.is_some()).await;
    assert_eq!(state.error.unwrap().category, ErrorCategory::NetworkTimeout);
    assert_eq!(state.facets.health.state, HealthState::Degraded);
    assert!(state.next_action_at_ms.is_some(), "the next attempt is announced");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn missing_programs_refused_ports_http_errors_and_missing_secrets_each_say_what_is_wrong() {
    let mut secret = ServerConfig::stdio("secret", "sh", ["-c", "true"]);
    secret.env.insert("TOKEN".into(), "${env:ATT_TEST_NEVER_SET}".into());
    let bench = Bench::new(vec![
        ServerConfig::stdio("missing", "att-surely-no-such-program", ["x"]),
        ServerConfig::http("refused", format!("http://127.0.0.1:{}/mcp", free_port())),
        http("error", &["--http-500"]),
        stdio("broken", &["--malformed-json", "all"]),
        secret,
    ])
    .await;
    let error = |name: &'static str| bench.until(name, Duration::from_secs(8), |s| s.error.is_some());
    for (name, category, text) in [
        ("missing", ErrorCategory::ProcessExit, "was not found"),
        ("refused", ErrorCategory::TransportError, "refused"),
        ("error", ErrorCategory::HttpStatus, "HTTP 500"),
        ("broken", ErrorCategory::InvalidPayload, "broken JSON"),
        ("secret", ErrorCategory::AuthRequired, "${env:ATT_TEST_NEVER_SET}"),
    ] {
        let fault = error(name).await.error.unwrap();
        assert_eq!(fault.category, category, "{name}: {fault}");
        assert!(fault.message.contains(text), "{name}: {fault}");
    }
    let state = bench.state("secret");
    assert_eq!((state.status, state.suggested_action), (Status::AuthRequired, SuggestedAction::SetSecret));
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn no_process_is_left_after_shutdown_grandchildren_included() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let mark = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    let arguments = ["--control", &control, "--grandchild"];
    let bench = Bench::in_dir(dir, vec![stdio("a", &arguments), http("b", &arguments)]).await;
    bench.ready("a").await;
    bench.ready("b").await;
    assert_eq!(servers_with(&mark).len(), 2);
    let grandchildren: Vec<u32> = ["a", "b"]
        .iter()
        .flat_map(|name| bench.fleet.stderr(name))
        .filter_map(|line| line.strip_prefix("grandchild ").and_then(|pid| pid.parse().ok()))
        .collect();
    assert_eq!(grandchildren.len(), 2);
    let begun = Instant::now();
    bench.fleet.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!(processes_with(&mark), Vec::<u32>::new());
    for pid in grandchildren {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(line.is_empty(), "grandchild {pid} is left");
    }
}

#[tokio::test]
async fn a_reload_touches_only_what_changed() {
    let kept = stdio("kept", &[]);
    let bench = Bench::new(vec![kept.clone(), stdio("changed", &[]), stdio("gone", &[])]).await;
    for name in ["kept", "changed", "gone"] {
        bench.ready(name).await;
    }
    let pid = bench.state("kept").pid;
    let other = stdio("changed", &["--profile", "everything"]);
    bench.fleet.reload(vec![kept, other, stdio("new", &[])]).await;
    assert_eq!(bench.state("kept").pid, pid, "the unchanged server kept its process");
    assert!(bench.fleet.server("gone").is_none());
    assert_eq!(bench.ready("changed").await.counts.tools, Some(7));
    bench.ready("new").await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_check_tells_of_every_server_once() {
    let mut disabled = stdio("off", &[]);
    disabled.disabled = true;
    let configs = vec![
        stdio("good", &[]),
        ServerConfig::stdio("bad", "att-surely-no-such-program", ["x"]),
        stdio("unapproved", &[]),
        disabled,
    ];
    let found = att_mcp::check_once(
        configs,
        |server, _| server != "unapproved",
        std::sync::Arc::new(att_core::SystemClock),
        std::sync::Arc::new(att_core::id::OsRandomness),
        std::sync::Arc::new(att_core::secret::MemorySecrets::default()),
    )
    .await
    .unwrap();
    let rows: Vec<_> =
        found.iter().map(|row| (row.state.server.as_str(), row.reached_ready(), row.state.status)).collect();
    assert_eq!(
        rows,
        [
            ("bad", false, Status::Degraded),
            ("good", true, Status::Healthy),
            ("off", false, Status::Disabled),
            ("unapproved", false, Status::ConsentRequired),
        ]
    );
    assert_eq!(json!(found[1].state.counts)["tools"], 3);
}

#[tokio::test]
async fn two_hundred_servers_of_which_some_are_faulty_settle_apart_from_each_other() {
    let mut configs = vec![stdio("good", &[])];
    for index in 0..200 {
        configs.push(ServerConfig::http(format!("dead-{index}"), format!("http://127.0.0.1:{}/mcp", 1)));
    }
    let bench = Bench::new(configs).await;
    let begun = Instant::now();
    bench.until("good", Duration::from_secs(5), is_ready).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    bench.until("dead-199", Duration::from_secs(5), |s| s.error.is_some()).await;
    bench.fleet.shutdown().await;
}
