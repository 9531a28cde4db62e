//! The old HTTP+SSE transport against the demo server.

use att_mcp::FailureCode;
use att_mcp::model::{Era, TransportKind};
use serde_json::json;

use crate::bench::{Bench, sse};

#[tokio::test]
async fn the_old_transport_is_found_out_and_no_call_is_made_twice_over_it() {
    let dir = tempfile::tempdir().unwrap();
    let counter = dir.path().join("calls").to_str().unwrap().to_owned();
    let mut said = sse("said", &[]);
    said.sse = true;
    let found = sse("found", &[]);
    let dying = sse("dying", &["--die-on-call", "--counter", &counter]);
    let bench = Bench::in_dir(dir, vec![said, found, dying]).await;
    for name in ["said", "found"] {
        let state = bench.ready(name).await;
        assert_eq!((state.transport, state.era), (TransportKind::Sse, Some(Era::Legacy)), "{name}");
        let answer = bench.call(name, "echo", json!({"text": "hello"})).await.unwrap();
        assert!(answer.result["content"][0]["text"].as_str().unwrap().contains("hello"));
    }
    bench.ready("dying").await;
    let failure = bench.call("dying", "count", json!({})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::NotReissued, "{}", failure.message);
    bench.ready("dying").await;
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "1", "executed exactly once");
    bench.fleet.shutdown().await;
}
