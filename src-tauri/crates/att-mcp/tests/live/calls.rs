//! Calls: what is answered, and what is known when nothing is.

use std::time::{Duration, Instant};

use att_mcp::model::{AttemptStage, ErrorCategory, EventKind, InvocationPhase, InvokeOutcome};
use att_mcp::{FailureCode, InvokeRequest, Operation};
use serde_json::json;

use crate::bench::{Bench, http, is_ready, stdio};

#[tokio::test]
async fn tools_resources_and_prompts_are_answered_raw_and_recorded() {
    let bench = Bench::new(vec![
        stdio("stdio", &["--profile", "everything"]),
        http("http", &["--profile", "everything", "--era", "legacy"]),
    ])
    .await;
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        let answer = bench.call(name, "add", json!({"a": 2, "b": 3})).await.unwrap();
        assert_eq!(answer.result["structuredContent"]["sum"], 5.0);
        assert_eq!(answer.attempts.len(), 1);
        let attempt = &answer.attempts[0];
        assert_eq!((attempt.stage, attempt.outcome), (AttemptStage::Invoke, InvokeOutcome::RepliedOk));
        assert!(attempt.total_ms.is_some() && attempt.first_byte_ms.is_some() && attempt.queue_ms.is_some());
        let picture = bench.call(name, "picture", json!({})).await.unwrap();
        assert_eq!(picture.result["content"][0]["type"], "image");
        let read = Operation::ReadResource { uri: "demo://notes/welcome".into() };
        let read = bench.invoke(Some(name), read, None).await.unwrap();
        assert!(read.result["contents"][0]["text"].as_str().unwrap().contains("welcome"));
        let arguments = json!({"name": "Ann"}).as_object().cloned().unwrap();
        let prompt = Operation::GetPrompt { name: "greet".into(), arguments };
        let prompt = bench.invoke(Some(name), prompt, None).await.unwrap();
        assert!(prompt.result["messages"][0]["content"]["text"].as_str().unwrap().contains("Ann"));
    }
    bench.fleet.shutdown().await;
    let attempts = bench.store.attempts();
    assert_eq!(attempts.len(), 8);
    let events = bench.store.events();
    for attempt in &attempts {
        let phases: Vec<_> = events
            .iter()
            .filter(|e| e.request_id.as_ref() == Some(&attempt.request_id))
            .map(|e| {
                assert_eq!(e.correlation_id, attempt.correlation_id, "one trace joins them");
                match &e.kind {
                    EventKind::InvocationPhase { phase, .. } => *phase,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(phases, [InvocationPhase::InvokeStart, InvocationPhase::InvokeSuccess]);
    }
}

#[tokio::test]
async fn an_error_of_the_server_is_an_application_error_and_no_matter_of_health() {
    let bench = Bench::new(vec![stdio("s", &["--profile", "everything"])]).await;
    bench.ready("s").await;
    let failure = bench.call("s", "fail", json!({"message": "no luck"})).await.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::ApplicationError, 422));
    assert_eq!(failure.attempts[0].outcome, InvokeOutcome::RepliedError);
    assert!(failure.message.contains("no luck"));
    let read = Operation::ReadResource { uri: "demo://nowhere".into() };
    let failure = bench.invoke(Some("s"), read, None).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ApplicationError);
    assert_eq!(bench.state("s").status, att_mcp::model::Status::Healthy);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_tool_that_hangs_is_timed_out_within_the_callers_time() {
    let bench =
        Bench::new(vec![stdio("stdio", &["--hang-on-call"]), http("http", &["--hang-on-call"])]).await;
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        let begun = Instant::now();
        let failure = bench.call_within(name, "echo", json!({"text": "x"}), Some(400)).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
        assert_eq!((failure.code, failure.status), (FailureCode::TimedOut, 504), "{name}");
        assert_eq!(failure.attempts[0].outcome, InvokeOutcome::SentNoReply, "{name}");
        assert_eq!(failure.attempts[0].error_category, Some(ErrorCategory::NetworkTimeout), "{name}");
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_server_that_dies_on_a_call_is_not_asked_again_unless_the_operator_calls_the_tool_idempotent() {
    let dir = tempfile::tempdir().unwrap();
    let counter = dir.path().join("calls").to_str().unwrap().to_owned();
    let arguments = ["--die-on-call", "--counter", &counter];
    let mut configs = vec![stdio("stdio", &arguments), http("http", &arguments)];
    let mut safe = stdio("safe", &arguments);
    safe.idempotent = vec!["count".into()];
    configs.push(safe);
    let bench = Bench::in_dir(dir, configs).await;
    for (name, code, status) in [
        ("stdio", FailureCode::NotReissued, 502),
        ("http", FailureCode::NotReissued, 502),
        ("safe", FailureCode::AllAttemptsFailed, 503),
    ] {
        bench.ready(name).await;
        let begun = Instant::now();
        let failure = bench.call(name, "count", json!({})).await.unwrap_err();
        assert_eq!((failure.code, failure.status), (code, status), "{name}: {failure}");
        assert_eq!(failure.attempts.len(), 1, "{name}");
        assert_eq!(failure.attempts[0].outcome, InvokeOutcome::SentNoReply, "{name}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
    }
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "3", "each was executed exactly once");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_call_renews_a_connection_that_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let mark = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    let mut config = stdio("s", &["--control", &control]);
    config.settings.backoff_base_ms = 60_000;
    config.settings.backoff_cap_ms = 60_000;
    let bench = Bench::in_dir(dir, vec![config]).await;
    bench.ready("s").await;
    crate::bench::kill(crate::bench::servers_with(&mark)[0]);
    bench.until("s", Duration::from_secs(2), |s| !is_ready(s)).await;
    let answer = bench.call("s", "echo", json!({"text": "again"})).await.unwrap();
    assert_eq!(answer.result["content"][0]["text"], "again");
    assert!(answer.attempts[0].connect_ms.is_some(), "the connection was renewed first");
    bench.fleet.shutdown().await;
    let events = bench.store.events();
    let renewed = |phase| {
        events.iter().any(|e| matches!(&e.kind, EventKind::InvocationPhase { phase: p, .. } if *p == phase))
    };
    assert!(renewed(InvocationPhase::InitializeStart) && renewed(InvocationPhase::InitializeSuccess));
}

#[tokio::test]
async fn whom_to_ask_and_with_what_is_checked_before_anything_is_sent() {
    let mut off = stdio("off", &[]);
    off.disabled = true;
    let bench =
        Bench::new(vec![stdio("a", &[]), stdio("b", &[]), stdio("c", &["--profile", "everything"]), off])
            .await;
    for name in ["a", "b", "c"] {
        bench.ready(name).await;
    }
    let text = json!({"text": "x"});
    let tool =
        |name: &str| Operation::CallTool { name: name.into(), arguments: text.as_object().cloned().unwrap() };
    let failure = bench.invoke(None, tool("echo"), None).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRequest);
    assert!(failure.message.contains("a, b, c"));
    let weather = json!({"city": "Oslo"}).as_object().cloned().unwrap();
    let one = Operation::CallTool { name: "weather".into(), arguments: weather };
    assert_eq!(bench.invoke(None, one, None).await.unwrap().server, "c");
    let failure = bench.invoke(None, tool("nothing"), None).await.unwrap_err();
    assert_eq!((failure.code, failure.attempts.len()), (FailureCode::NoServerAvailable, 4));
    assert!(failure.attempts.iter().all(|a| a.excluded_reason.is_some()));
    let failure = bench.call("off", "echo", text).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::NoServerAvailable);
    assert_eq!(failure.attempts[0].excluded_reason.as_deref(), Some("disabled"));
    let failure = bench.call("a", "echo", json!({"text": 5})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRequest);
    assert!(failure.message.contains("/text: must be string"));
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_call_can_be_cancelled_and_says_how_far_it_was() {
    let bench = Bench::new(vec![stdio("s", &["--hang-on-call"])]).await;
    bench.ready("s").await;
    let request = InvokeRequest {
        request_id: Some("01CANCEL".into()),
        correlation_id: None,
        client: "test".into(),
        server: Some("s".into()),
        group: None,
        prefer: Vec::new(),
        operation: Operation::CallTool {
            name: "echo".into(),
            arguments: json!({"text": "x"}).as_object().cloned().unwrap(),
        },
        timeout_ms: None,
    };
    let (outcome, cancelled) = tokio::join!(bench.fleet.invoke(request), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bench.fleet.cancel(&"01CANCEL".into())
    });
    assert!(cancelled);
    let failure = outcome.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::Cancelled, 499));
    assert_eq!(failure.attempts[0].outcome, InvokeOutcome::SentNoReply);
    assert!(!bench.fleet.cancel(&"01CANCEL".into()), "it is no longer under way");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn broken_json_in_an_answer_is_told_at_once() {
    let faults = ["--malformed-json", "tools/call"];
    let bench = Bench::new(vec![stdio("stdio", &faults), http("http", &faults)]).await;
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        let begun = Instant::now();
        let failure = bench.call(name, "echo", json!({"text": "x"})).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::NotReissued, "{name}: {failure}");
        assert_eq!(failure.attempts[0].error_category, Some(ErrorCategory::InvalidPayload), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
    }
    bench.fleet.shutdown().await;
}
