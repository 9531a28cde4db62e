//! NVIDIA NeMo Agent Toolkit, `nat mcp serve`, with a workflow that needs no model: its life, death and freeze.
//!
//! Beside the clock that comes with it, the server offers `counted_wait` (tests/fixtures/peers/nat-plugin), which
//! tells on disk that it ran before it waits: so a test knows when a call is in the middle, and how often it ran.

mod failover;

use std::path::Path;
use std::time::{Duration, Instant};

use att_mcp::config::ServerConfig;
use att_mcp::model::{ConnectionState, Era, ErrorCategory, InvokeOutcome, Status};
use att_mcp::{FailureCode, InvokeAnswer, InvokeFailure};
use serde_json::json;

use super::{counts_of, dies_and_returns, fixture, peer, process, served, text, up};
use crate::bench::{Bench, is_ready, kill, signal};

/// `nat mcp serve`, started by the fleet; its calls are counted in `dir`.
fn nat(name: &str, dir: &Path) -> ServerConfig {
    let counter = dir.join(format!("{name}.calls"));
    let workflow = dir.join(format!("{name}.yml"));
    let text = format!(
        "functions:\n  current_datetime: {{_type: current_datetime}}\n  \
         counted_wait: {{_type: counted_wait, counter: {}}}\nworkflow: {{_type: current_datetime}}\n",
        counter.display()
    );
    std::fs::write(&workflow, text).unwrap();
    let workflow = workflow.display().to_string();
    let mut config = served(name, "/mcp", |port| {
        let port = port.to_string();
        let words = ["mcp", "serve", "--host", "127.0.0.1", "--port", &port, "--config_file", &workflow];
        std::iter::once(peer("ATT_PEER_NAT")).chain(words.map(str::to_owned)).collect()
    });
    config.env.insert("PYTHONPATH".into(), fixture("nat-plugin"));
    // Nothing is written into the clone.
    config.env.insert("PYTHONDONTWRITEBYTECODE".into(), "1".into());
    config.settings.probe_interval_ms = 1_000;
    config.settings.probe_timeout_ms = 1_000;
    config
}

/// What ran on `name` so far.
fn ran(bench: &Bench, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(bench.dir.path().join(format!("{name}.calls"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until `name` runs the call `mark`.
async fn in_the_middle(bench: &Bench, name: &str, mark: &str) {
    let begun = Instant::now();
    while !ran(bench, name).iter().any(|line| line == mark) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} never ran {mark}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn wait(
    bench: &Bench,
    name: &str,
    mark: &str,
    seconds: f64,
    timeout_ms: i64,
) -> Result<InvokeAnswer, InvokeFailure> {
    let arguments = json!({"seconds": seconds, "mark": mark});
    bench.call_within(name, "counted_wait", arguments, Some(timeout_ms)).await
}

#[tokio::test]
async fn a_nat_peer_is_connected_initialized_invoked_and_back_after_its_death() {
    let dir = tempfile::tempdir().unwrap();
    let config = nat("nat", dir.path());
    let bench = Bench::in_dir(dir, vec![config]).await;
    let state = up(&bench, "nat").await;
    assert_eq!((state.era, state.status), (Some(Era::Legacy), Status::Healthy), "{}", state.summary);
    assert_eq!(counts_of(state.counts)[0], Some(2));
    let answer = bench.call("nat", "current_datetime", json!({"unused": ""})).await.unwrap();
    assert!(text(&answer.result).contains("20"), "{}", answer.result);
    assert_eq!(text(&wait(&bench, "nat", "one", 0.0, 10_000).await.unwrap().result), "waited for one");

    // Its death between calls.
    dies_and_returns(&bench, "nat").await;
    wait(&bench, "nat", "two", 0.0, 10_000).await.unwrap();

    // Its death in the middle of a call: told at once, and never sent again.
    let call = async { (wait(&bench, "nat", "three", 30.0, 20_000).await, Instant::now()) };
    let death = async {
        in_the_middle(&bench, "nat", "three").await;
        kill(process(&bench, "nat"));
        Instant::now()
    };
    let ((outcome, told), killed) = tokio::join!(call, death);
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::NotReissued, 502), "{failure}");
    assert_eq!(failure.attempts.len(), 1);
    assert_eq!(failure.attempts[0].outcome, InvokeOutcome::SentNoReply);
    let late = told.saturating_duration_since(killed);
    assert!(late < Duration::from_secs(2), "told {late:?} after the death");
    bench.until("nat", Duration::from_secs(2), |s| !is_ready(s)).await;
    up(&bench, "nat").await;
    wait(&bench, "nat", "four", 0.0, 10_000).await.unwrap();
    assert_eq!(ran(&bench, "nat"), ["one", "two", "three", "four"], "each ran once");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_nat_peer_that_freezes_is_told_in_time_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let config = nat("nat", dir.path());
    let bench = Bench::in_dir(dir, vec![config]).await;
    up(&bench, "nat").await;
    let pid = process(&bench, "nat");

    // A freeze in the middle of a call.
    let call = wait(&bench, "nat", "one", 30.0, 3_000);
    let freeze = async {
        in_the_middle(&bench, "nat", "one").await;
        signal(pid, "STOP");
        Instant::now()
    };
    let (outcome, frozen) = tokio::join!(call, freeze);
    assert!(frozen.elapsed() < Duration::from_secs(4), "told {:?} after the freeze", frozen.elapsed());
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::TimedOut, 504), "{failure}");
    assert_eq!(failure.attempts[0].outcome, InvokeOutcome::SentNoReply);
    assert_eq!(failure.attempts[0].error_category, Some(ErrorCategory::NetworkTimeout));

    // Seen without any call: the probes fail.
    bench.until("nat", Duration::from_secs(20), |s| s.status == Status::Unreachable).await;
    let state = bench.state("nat");
    assert_ne!(state.facets.connection.state, ConnectionState::Ready);
    assert!(state.snapshot_id.is_some(), "what it offered is still known");
    signal(pid, "CONT");
    bench.until("nat", Duration::from_secs(30), |s| is_ready(s) && s.status == Status::Healthy).await;
    wait(&bench, "nat", "two", 0.0, 10_000).await.unwrap();

    // A freeze between calls.
    signal(pid, "STOP");
    let failure = wait(&bench, "nat", "three", 0.0, 2_000).await.unwrap_err();
    assert!(
        matches!(failure.code, FailureCode::TimedOut | FailureCode::NotReissued),
        "{failure}: {:?}",
        failure.attempts
    );
    signal(pid, "CONT");
    bench.until("nat", Duration::from_secs(30), |s| is_ready(s) && s.status == Status::Healthy).await;
    wait(&bench, "nat", "four", 0.0, 10_000).await.unwrap();
    let ran = ran(&bench, "nat");
    let times = |mark: &str| ran.iter().filter(|line| *line == mark).count();
    assert!(times("three") <= 1 && [1, 1, 1] == [times("one"), times("two"), times("four")], "{ran:?}");
    bench.fleet.shutdown().await;
}
