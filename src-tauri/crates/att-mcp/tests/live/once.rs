//! No double execution: a call of a tool that nobody marked as idempotent is done once at most, whatever dies or falls
//! silent when, over every transport.

use std::path::Path;
use std::time::{Duration, Instant};

use att_mcp::config::ServerConfig;
use att_mcp::model::{InvokeOutcome, Status};
use att_mcp::{FailureCode, InvokeAnswer, InvokeFailure};
use serde_json::{Value, json};

use crate::bench::{Bench, http, kill, servers_with, signal, sse, stdio};

/// Time of one call; each of two candidates gets half of it.
const TIME_MS: i64 = 1_600;

type Make = fn(&str, &[&str]) -> ServerConfig;

/// Two servers of one group that count their calls; `a` misbehaves as its control file says and is asked first.
struct Pair {
    bench: Bench,
    /// What the processes of `a` have on their command line.
    mark: String,
}

impl Pair {
    async fn start(make: Make, idempotent: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let mark = path("a.json");
        let mut configs = vec![
            make("a", &["--control", &mark, "--counter", &path("a.count")]),
            make("b", &["--control", &path("b.json"), "--counter", &path("b.count")]),
        ];
        for config in &mut configs {
            config.group = Some("pair".into());
            config.idempotent = if idempotent { vec!["count".into()] } else { Vec::new() };
            // The breaker has tests of its own; here `a` is asked first every time.
            (config.settings.breaker_failures, config.settings.breaker_min_calls) = (1_000, 64);
        }
        Self { bench: Bench::in_dir(dir, configs).await, mark }
    }

    /// How often the tool ran at `a` and at `b`.
    fn counts(&self) -> (u32, u32) {
        let of = |name: &str| match std::fs::read_to_string(self.bench.dir.path().join(name)) {
            Ok(text) => text.parse().unwrap(),
            Err(_) => 0,
        };
        (of("a.count"), of("b.count"))
    }

    fn count(&self) -> u32 {
        self.counts().0 + self.counts().1
    }

    async fn healthy(&self) {
        for name in ["a", "b"] {
            self.bench.until(name, Duration::from_secs(15), |s| s.status == Status::Healthy).await;
        }
    }

    /// Makes `a` misbehave for one call; how the call ended, and how often the tool ran.
    async fn with_fault(&self, fault: Value) -> (Result<InvokeAnswer, InvokeFailure>, u32) {
        self.healthy().await;
        let before = self.count();
        std::fs::write(Path::new(&self.mark), fault.to_string()).unwrap();
        let outcome = self.call().await;
        std::fs::remove_file(&self.mark).unwrap();
        (outcome, self.count() - before)
    }

    async fn call(&self) -> Result<InvokeAnswer, InvokeFailure> {
        let begun = Instant::now();
        let outcome = self.bench.call_group("pair", "count", json!({}), TIME_MS).await;
        assert!(begun.elapsed() < Duration::from_millis(2_600), "{:?}", begun.elapsed());
        outcome
    }

    fn pid_of_a(&self) -> u32 {
        servers_with(&self.mark)[0]
    }
}

/// Bytes went out and no answer came: it may have been done, and nobody else was asked.
fn assert_not_reissued(what: &str, outcome: Result<InvokeAnswer, InvokeFailure>) {
    let failure = outcome.expect_err(what);
    assert_eq!((failure.code, failure.status), (FailureCode::NotReissued, 502), "{what}: {failure:?}");
    let last = failure.attempts.last().unwrap();
    assert_eq!((last.server.as_str(), last.outcome), ("a", InvokeOutcome::SentNoReply), "{what}");
}

async fn an_unmarked_tool_runs_once_at_most(make: Make) {
    let pair = Pair::start(make, false).await;
    for fault in ["die_at", "freeze_at"] {
        for (moment, times) in [("request", 0), ("work", 1), ("answer", 1)] {
            let what = format!("{fault} {moment}");
            let (outcome, ran) = pair.with_fault(json!({fault: moment})).await;
            assert_not_reissued(&what, outcome);
            assert_eq!(ran, times, "{what}");
        }
    }

    // Killed before the call: whether ATT knows it yet is a matter of chance, and either way it is done once at most.
    for _ in 0..3 {
        pair.healthy().await;
        let before = pair.count();
        kill(pair.pid_of_a());
        let outcome = pair.call().await;
        let ran = pair.count() - before;
        match outcome {
            Ok(_) => assert_eq!(ran, 1),
            failed => {
                assert_not_reissued("killed", failed);
                assert_eq!(ran, 0);
            }
        }
    }

    // Frozen before the call; it wakes up afterwards and may then do what it was asked.
    pair.healthy().await;
    let ((a, b), pid) = (pair.counts(), pair.pid_of_a());
    signal(pid, "STOP");
    let outcome = pair.call().await;
    // Until it was heard again others are asked first.
    let next = pair.call().await.unwrap();
    assert_eq!(next.server, "b");
    signal(pid, "CONT");
    assert_not_reissued("frozen", outcome);
    pair.healthy().await;
    let ran = (pair.counts().0 - a, pair.counts().1 - b);
    assert!(ran == (0, 1) || ran == (1, 1), "each of the two calls ran once at most: {ran:?}");
    pair.bench.fleet.shutdown().await;
}

async fn a_tool_that_the_operator_marked_is_done_elsewhere(make: Make) {
    let pair = Pair::start(make, true).await;
    for fault in ["die_at", "freeze_at"] {
        for (moment, times) in [("request", 1), ("work", 2), ("answer", 2)] {
            let what = format!("{fault} {moment}");
            let (outcome, ran) = pair.with_fault(json!({fault: moment})).await;
            let answer = outcome.expect(&what);
            let asked: Vec<_> = answer.attempts.iter().map(|a| (a.server.as_str(), a.outcome)).collect();
            let expected = [("a", InvokeOutcome::SentNoReply), ("b", InvokeOutcome::RepliedOk)];
            assert_eq!((asked.as_slice(), ran), (expected.as_slice(), times), "{what}");
        }
    }
    pair.bench.fleet.shutdown().await;
}

#[tokio::test]
async fn an_unmarked_tool_runs_once_at_most_over_stdio() {
    an_unmarked_tool_runs_once_at_most(stdio).await;
}

#[tokio::test]
async fn an_unmarked_tool_runs_once_at_most_over_streamable_http() {
    an_unmarked_tool_runs_once_at_most(http).await;
}

#[tokio::test]
async fn an_unmarked_tool_runs_once_at_most_over_sse() {
    an_unmarked_tool_runs_once_at_most(sse).await;
}

#[tokio::test]
async fn a_tool_that_the_operator_marked_is_done_elsewhere_over_stdio() {
    a_tool_that_the_operator_marked_is_done_elsewhere(stdio).await;
}

#[tokio::test]
async fn a_tool_that_the_operator_marked_is_done_elsewhere_over_streamable_http() {
    a_tool_that_the_operator_marked_is_done_elsewhere(http).await;
}

#[tokio::test]
async fn a_tool_that_the_operator_marked_is_done_elsewhere_over_sse() {
    a_tool_that_the_operator_marked_is_done_elsewhere(sse).await;
}
