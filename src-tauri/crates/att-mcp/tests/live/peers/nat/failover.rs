//! Two instances in one group: who answers when one dies or freezes, and what is never sent twice.

use std::time::{Duration, Instant};

use att_mcp::model::{ErrorCategory, InvokeOutcome, Status};
use att_mcp::{FailureCode, InvokeAnswer, InvokeFailure, InvokeRequest, Operation};
use serde_json::json;

use super::{in_the_middle, nat, ran};
use crate::bench::{Bench, is_ready, kill, signal};
use crate::peers::{process, text, up};

/// Instances `a` and `b` of one group, up; `counted_wait` may be repeated where `marked`.
async fn pair(marked: bool) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let mut configs = vec![nat("a", dir.path()), nat("b", dir.path())];
    for config in &mut configs {
        config.group = Some("clocks".into());
        config.idempotent = if marked { vec!["counted_wait".into()] } else { Vec::new() };
    }
    let bench = Bench::in_dir(dir, configs).await;
    for name in ["a", "b"] {
        up(&bench, name).await;
    }
    bench
}

async fn ask(bench: &Bench, mark: &str, seconds: f64, total_ms: i64) -> Result<InvokeAnswer, InvokeFailure> {
    let arguments = json!({"seconds": seconds, "mark": mark}).as_object().cloned().unwrap();
    let operation = Operation::CallTool { name: "counted_wait".into(), arguments };
    let request = InvokeRequest {
        group: Some("clocks".into()),
        timeout_ms: Some(total_ms),
        ..InvokeRequest::new("test", operation)
    };
    bench.fleet.invoke(request).await
}

fn times(bench: &Bench, name: &str, mark: &str) -> usize {
    ran(bench, name).iter().filter(|line| *line == mark).count()
}

/// Both are healthy again, by themselves.
async fn both_well(bench: &Bench) {
    for name in ["a", "b"] {
        bench.until(name, Duration::from_secs(60), |s| is_ready(s) && s.status == Status::Healthy).await;
    }
}

#[tokio::test]
async fn a_marked_tool_is_answered_by_the_second_nat_peer_within_the_calls_own_time() {
    let bench = pair(true).await;
    both_well(&bench).await;
    let first = ask(&bench, "well", 0.0, 20_000).await.unwrap().server;
    let other = |name: &str| if name == "a" { "b" } else { "a" };

    // Killed in the middle of the call.
    let death = async {
        in_the_middle(&bench, &first, "killed").await;
        kill(process(&bench, &first));
        Instant::now()
    };
    let (answer, killed) = tokio::join!(ask(&bench, "killed", 1.0, 20_000), death);
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?} after the death", killed.elapsed());
    let answer = answer.unwrap();
    assert_eq!((answer.server.as_str(), text(&answer.result)), (other(&first), "waited for killed"));
    let outcomes: Vec<_> = answer.attempts.iter().map(|a| (a.server.as_str(), a.outcome)).collect();
    assert_eq!(
        outcomes,
        [(first.as_str(), InvokeOutcome::SentNoReply), (other(&first), InvokeOutcome::RepliedOk)]
    );
    // It returns by itself, as another process.
    both_well(&bench).await;

    // Frozen between calls: whoever is asked first, one of them answers in time.
    let frozen = process(&bench, &first);
    signal(frozen, "STOP");
    let begun = Instant::now();
    let answer = ask(&bench, "frozen between", 0.0, 8_000).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(answer.server, other(&first));
    if let [tried, _] = answer.attempts.as_slice() {
        assert_eq!(tried.error_category, Some(ErrorCategory::NetworkTimeout));
    }
    signal(frozen, "CONT");
    both_well(&bench).await;

    // Frozen in the middle of a call.
    let first = ask(&bench, "well again", 0.0, 20_000).await.unwrap().server;
    let frozen = process(&bench, &first);
    let freeze = async {
        in_the_middle(&bench, &first, "frozen").await;
        signal(frozen, "STOP");
    };
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(ask(&bench, "frozen", 1.0, 10_000), freeze);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let answer = answer.unwrap();
    assert_eq!((answer.server.as_str(), text(&answer.result)), (other(&first), "waited for frozen"));
    assert_eq!((times(&bench, "a", "frozen"), times(&bench, "b", "frozen")), (1, 1));
    signal(frozen, "CONT");
    both_well(&bench).await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn an_unmarked_tool_is_never_sent_twice_and_the_next_call_goes_to_the_second_nat_peer() {
    let bench = pair(false).await;
    both_well(&bench).await;
    let first = ask(&bench, "well", 0.0, 20_000).await.unwrap().server;
    let other = if first == "a" { "b" } else { "a" };

    // Killed in the middle: told at once.
    let death = async {
        in_the_middle(&bench, &first, "killed").await;
        kill(process(&bench, &first));
        Instant::now()
    };
    let call = async { (ask(&bench, "killed", 30.0, 20_000).await, Instant::now()) };
    let ((outcome, told), killed) = tokio::join!(call, death);
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::NotReissued, 502), "{failure}");
    let late = told.saturating_duration_since(killed);
    assert!(late < Duration::from_secs(2), "told {late:?} after the death");
    // The next call, at once, goes to the second.
    let answer = ask(&bench, "next", 0.0, 10_000).await.unwrap();
    assert_eq!((answer.server.as_str(), text(&answer.result)), (other, "waited for next"));
    both_well(&bench).await;

    // Frozen in the middle: told within the attempt's share of the time.
    let first = ask(&bench, "well again", 0.0, 20_000).await.unwrap().server;
    let other = if first == "a" { "b" } else { "a" };
    let frozen = process(&bench, &first);
    let freeze = async {
        in_the_middle(&bench, &first, "frozen").await;
        signal(frozen, "STOP");
    };
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(ask(&bench, "frozen", 30.0, 8_000), freeze);
    assert!(begun.elapsed() < Duration::from_millis(5_500), "{:?}", begun.elapsed());
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::NotReissued, 502), "{failure}");
    assert_eq!(failure.attempts.last().unwrap().outcome, InvokeOutcome::SentNoReply);
    let answer = ask(&bench, "after", 0.0, 8_000).await.unwrap();
    assert_eq!((answer.server.as_str(), text(&answer.result)), (other, "waited for after"));
    signal(frozen, "CONT");
    both_well(&bench).await;
    for mark in ["killed", "next", "frozen", "after"] {
        assert_eq!(
            times(&bench, "a", mark) + times(&bench, "b", mark),
            1,
            "{mark} ran more or less than once"
        );
    }
    bench.fleet.shutdown().await;
}
