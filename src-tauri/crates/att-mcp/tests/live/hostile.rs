//! Hostile peers, over stdio and over HTTP: each ends in a bounded time with a visible reason, and nobody else is
//! hurt.

use std::time::{Duration, Instant};

use att_mcp::config::Endpoint;
use att_mcp::model::{ErrorCategory, HealthState, ReasonCode, ServerState};
use att_mcp::{FailureCode, ServerConfig};
use serde_json::json;

use crate::bench::{Bench, free_port, http, is_ready, stdio};

/// Everything hostile has its end within this, on a busy machine in a debug build.
const BOUND: Duration = Duration::from_secs(40);
/// So long may a good server's answer take meanwhile.
const NEIGHBOUR_BOUND: Duration = Duration::from_secs(5);
/// So much memory may all of it take together, in KiB.
const MEMORY_KIB: u64 = 400 * 1024;

/// What becomes of a connection.
#[derive(Clone, Copy)]
enum End {
    /// Never ready; the error is of this category and says this.
    Refused(ErrorCategory, &'static str),
    /// Ready, with a list that failed for this reason.
    Partial(&'static str),
    /// Ready, with so many tools.
    Usable(u32),
}

const INVALID: ErrorCategory = ErrorCategory::InvalidPayload;
const TOO_LONG: &str = "more than 16777216 bytes";
const TOO_DEEP: &str = "nested more than 128 deep";

/// What is done in place of the answer to `tools/list`, and how it ends over stdio and over HTTP.
const AT_LIST: [(&str, End, End); 14] = [
    ("long-line", End::Refused(INVALID, TOO_LONG), End::Partial(TOO_LONG)),
    ("endless-line", End::Refused(INVALID, TOO_LONG), End::Partial(TOO_LONG)),
    ("depth-bomb", End::Refused(INVALID, TOO_DEEP), End::Partial(TOO_DEEP)),
    ("unasked", End::Usable(3), End::Usable(3)),
    ("twice", End::Usable(3), End::Usable(3)),
    ("flood", End::Refused(INVALID, "floods"), End::Refused(INVALID, "floods")),
    ("binary", End::Partial("no answer within"), End::Partial("broken JSON")),
    ("half", End::Partial("no answer within"), End::Partial("no answer within")),
    ("odd-names", End::Usable(9), End::Usable(9)),
    ("huge-name", End::Usable(4), End::Usable(4)),
    ("many-tools", End::Usable(20_000), End::Usable(20_000)),
    ("endless-pages", End::Partial("more than 200 pages"), End::Partial("more than 200 pages")),
    ("same-page", End::Partial("repeats a page"), End::Partial("repeats a page")),
    ("schema-bombs", End::Usable(10), End::Usable(10)),
];

/// What is done in place of the answer to a call, and how the call ends: its category, or an answer.
const AT_CALL: [(&str, Option<ErrorCategory>, Option<ErrorCategory>); 8] = [
    ("long-line", Some(INVALID), Some(INVALID)),
    ("endless-line", Some(INVALID), Some(INVALID)),
    ("depth-bomb", Some(INVALID), Some(INVALID)),
    ("unasked", None, None),
    ("twice", None, None),
    ("flood", Some(INVALID), Some(INVALID)),
    ("binary", Some(ErrorCategory::NetworkTimeout), Some(INVALID)),
    ("half", Some(ErrorCategory::NetworkTimeout), Some(ErrorCategory::NetworkTimeout)),
];

/// Two good servers, over stdio and HTTP; the second one's process serves every hostile address as well.
fn neighbours() -> (Vec<ServerConfig>, String) {
    let hub = http("good-http", &[]);
    let Endpoint::Http { url, .. } = hub.endpoint.clone() else { panic!("not HTTP") };
    (vec![stdio("good-stdio", &[]), hub], url)
}

fn patient(mut config: ServerConfig) -> ServerConfig {
    // What a probe brings to light is not looked at here.
    config.settings.probe_interval_ms = 600_000;
    config.settings.call_timeout_ms = 30_000;
    config.settings.connect_timeout_ms = 20_000;
    config.settings.discover_timeout_ms = 9_000;
    config.settings.list_timeout_ms = 30_000;
    // One attempt is looked at, not many.
    config.settings.backoff_base_ms = 60_000;
    config.settings.backoff_cap_ms = 60_000;
    config
}

fn hostile(hub: &str, act: &str, at: &str) -> [ServerConfig; 2] {
    let over_http =
        ServerConfig::http(format!("http {act}"), format!("{hub}/{act}?hostile={act}&hostile_at={at}"));
    let settings = http("as", &[]).settings;
    let over_http = ServerConfig { settings, ..over_http };
    // A half line swallows what comes next; in the legacy era nothing does by itself.
    let era = if act == "half" { "legacy" } else { "both" };
    let over_stdio = stdio(&format!("stdio {act}"), &["--hostile", act, "--hostile-at", at, "--era", era]);
    [over_stdio, over_http].map(|config| {
        let mut config = patient(config);
        // These two never answer: their time has to run out.
        if matches!(act, "half" | "binary") {
            config.settings.list_timeout_ms = 3_000;
            config.settings.call_timeout_ms = 3_000;
        }
        config
    })
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Calls the good servers as long as `work` goes on, and then looks at what became of them.
async fn beside_neighbours<T>(bench: &Bench, work: impl Future<Output = T>) -> T {
    let generation = |name| bench.state(name).generation;
    let before = ["good-stdio", "good-http"].map(generation);
    let calls = async {
        loop {
            for name in ["good-stdio", "good-http"] {
                let begun = Instant::now();
                bench.call(name, "echo", json!({"text": "x"})).await.unwrap();
                assert!(begun.elapsed() < NEIGHBOUR_BOUND, "{name}: {:?}", begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = calls => unreachable!("it never ends"),
    };
    assert_eq!(["good-stdio", "good-http"].map(generation), before, "no connection was lost");
    for name in ["good-stdio", "good-http"] {
        assert_eq!(bench.health(name), (HealthState::Healthy, ReasonCode::Answered), "{name}");
    }
    done
}

fn check_end(bench: &Bench, state: &ServerState, end: End) {
    let name = &state.server;
    match end {
        End::Refused(category, says) => {
            let fault = state.error.as_ref().unwrap();
            assert!(!is_ready(state), "{name}");
            assert_eq!(fault.category, category, "{name}: {fault}");
            assert!(fault.message.contains(says), "{name}: {fault}");
            assert!(state.summary.contains(says), "{name}: {}", state.summary);
        }
        End::Partial(says) => {
            assert!(is_ready(state), "{name}: {state:#?}");
            let health = &state.facets.health;
            assert_eq!(
                (health.state, health.reason.code),
                (HealthState::Degraded, ReasonCode::PartialCapabilities),
                "{name}"
            );
            assert!(health.reason.text.contains(says), "{name}: {}", health.reason.text);
        }
        End::Usable(tools) => {
            assert!(is_ready(state), "{name}: {state:#?}");
            assert_eq!(state.counts.tools, Some(tools), "{name}");
            assert_eq!(state.facets.health.state, HealthState::Healthy, "{name}: {}", state.summary);
            let snapshot = bench.fleet.snapshot(name).unwrap();
            assert!(snapshot.lists.tools.items.iter().all(|item| item.key.len() < 3_000), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_list_ends_in_time_with_a_reason_and_hurts_no_neighbour() {
    let started_with = peak_kib();
    let (good, hub) = neighbours();
    let bench = Bench::new(good.clone()).await;
    for name in ["good-stdio", "good-http"] {
        bench.ready(name).await;
    }
    let mut configs = good;
    configs.extend(AT_LIST.iter().flat_map(|(act, ..)| hostile(&hub, act, "tools/list")));
    beside_neighbours(&bench, async {
        bench.fleet.reload(configs).await;
        let settled = |s: &ServerState| is_ready(s) || s.error.is_some();
        for (act, over_stdio, over_http) in AT_LIST {
            for (transport, end) in [("stdio", over_stdio), ("http", over_http)] {
                let state = bench.until(&format!("{transport} {act}"), BOUND, settled).await;
                check_end(&bench, &state, end);
            }
        }
    })
    .await;
    for transport in ["stdio", "http"] {
        let problems = |act: &str| {
            let snapshot = bench.fleet.snapshot(&format!("{transport} {act}")).unwrap();
            let tools = &snapshot.lists.tools.items;
            tools.iter().filter_map(|tool| tool.problem.clone()).collect::<Vec<_>>()
        };
        assert_eq!(problems("odd-names").len(), 6, "{transport}: each odd name is marked");
        assert_eq!(problems("huge-name").len(), 1, "{transport}");
        let bombs = problems("schema-bombs");
        assert!(bombs.iter().any(|why| why.contains("explodes")), "{transport}: {bombs:?}");
        // The bombs lie beside tools that can be used, and a pattern that never stops matching does stop.
        let name = format!("{transport} schema-bombs");
        bench.call(&name, "echo", json!({"text": "x"})).await.unwrap();
        let begun = Instant::now();
        let evil = json!({"x": format!("{}!", "a".repeat(5_000))});
        assert!(bench.call(&name, "pattern", evil).await.is_err(), "the server has no such tool");
        assert!(begun.elapsed() < Duration::from_secs(5), "{transport}: {:?}", begun.elapsed());
    }
    let noise = |name: &str| bench.fleet.stderr(name).join("\n");
    assert!(noise("stdio unasked").contains("987654321, which was not asked"));
    assert!(noise("stdio twice").contains("answer to the request"));
    let grown = peak_kib() - started_with;
    eprintln!("{} hostile lists took {grown} KiB at most", AT_LIST.len() * 2);
    assert!(grown < MEMORY_KIB, "{grown} KiB");
    bench.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_answer_to_a_call_ends_in_time_with_a_category_and_hurts_no_neighbour() {
    let started_with = peak_kib();
    let (mut configs, hub) = neighbours();
    for (act, ..) in AT_CALL {
        configs.extend(hostile(&hub, act, "tools/call").map(|mut config| {
            config.settings.backoff_base_ms = 100;
            config.settings.backoff_cap_ms = 100;
            config
        }));
    }
    let bench = Bench::new(configs.clone()).await;
    for config in &configs {
        bench.until(&config.name, BOUND, is_ready).await;
    }
    beside_neighbours(&bench, async {
        for (act, over_stdio, over_http) in AT_CALL {
            for (transport, expected) in [("stdio", over_stdio), ("http", over_http)] {
                let name = format!("{transport} {act}");
                let begun = Instant::now();
                let outcome = bench.call_within(&name, "echo", json!({"text": "x"}), None).await;
                assert!(begun.elapsed() < BOUND, "{name}: {:?}", begun.elapsed());
                let Some(category) = expected else {
                    assert_eq!(outcome.unwrap().result["content"][0]["text"], "x", "{name}");
                    continue;
                };
                let failure = outcome.unwrap_err();
                let code = match category {
                    ErrorCategory::NetworkTimeout => FailureCode::TimedOut,
                    _ => FailureCode::NotReissued,
                };
                assert_eq!(failure.code, code, "{name}: {failure}");
                assert_eq!(failure.attempts[0].error_category, Some(category), "{name}: {failure}");
            }
        }
        for config in &configs {
            bench.until(&config.name, BOUND, is_ready).await;
        }
    })
    .await;
    let grown = peak_kib() - started_with;
    eprintln!("{} hostile answers took {grown} KiB at most", AT_CALL.len() * 2);
    assert!(grown < MEMORY_KIB, "{grown} KiB");
    bench.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_cut_off_for_what_it_sent_is_said_to_have_sent_it_and_not_to_have_ended() {
    let arguments = ["--hostile", "depth-bomb", "--hostile-at", "tools/call", "--era", "legacy"];
    let bench = Bench::new(vec![patient(stdio("s", &arguments))]).await;
    bench.until("s", BOUND, is_ready).await;
    bench.call("s", "echo", json!({"text": "x"})).await.unwrap_err();
    let fault = bench.until("s", BOUND, |s| !is_ready(s)).await.error.unwrap();
    assert_eq!(fault.category, INVALID, "{fault}");
    assert!(fault.message.contains(TOO_DEEP), "{fault}");
    bench.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_slow_pages_without_end_takes_no_longer_than_a_list_may() {
    let mut config = stdio("s", &["--hostile", "endless-pages", "--slow-ms", "150", "--era", "legacy"]);
    config.settings.list_timeout_ms = 1_500;
    let bench = Bench::new(vec![config]).await;
    let state = bench.until("s", BOUND, is_ready).await;
    check_end(&bench, &state, End::Partial("pages took more than 1500 ms"));
    // 150 ms a page and 200 pages would be 30 s.
    assert!(state.connect_ms.unwrap() < 15_000, "{:?}", state.connect_ms);
    bench.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_speaks_something_else_is_told_as_what_it_is() {
    let port = free_port();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let speaks = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"\x00\xff220 mail ready\r\n\x1b[2J").await;
        }
    });
    let mut config = ServerConfig::http("s", format!("http://127.0.0.1:{port}/mcp"));
    config.settings = http("as", &[]).settings;
    let bench = Bench::new(vec![config]).await;
    let fault = bench.until("s", BOUND, |s| s.error.is_some()).await.error.unwrap();
    assert!(!fault.message.contains(['\u{0}', '\u{1b}']), "{fault}");
    assert!(matches!(fault.category, INVALID | ErrorCategory::TransportError), "{fault}");
    bench.fleet.shutdown().await;
    speaks.abort();
}
