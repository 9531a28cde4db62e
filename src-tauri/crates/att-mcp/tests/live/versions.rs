//! Protocol versions, sessions and what is shown of a server's own words, against a small server of the tests.

use std::time::Duration;

use att_mcp::model::{ConnectionState, Era, ErrorCategory, EventKind};
use serde_json::json;

use super::bench::{Bench, is_ready};
use super::small::{Says, Small};

#[tokio::test]
async fn every_legacy_version_that_a_server_answers_with_works() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let small = Small::start(Says { version: version.into(), ..Says::default() }).await;
        let bench = Bench::new(vec![small.config("s")]).await;
        let state = bench.ready("s").await;
        assert_eq!((state.era, state.protocol_version.as_deref()), (Some(Era::Legacy), Some(version)));
        assert!(bench.call("s", "one", json!({})).await.is_ok(), "{version}");
        bench.fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_version_that_nobody_knows_is_a_mismatch_and_says_which() {
    for version in ["1999-01-01", "2031-12-31\u{202e}"] {
        let small = Small::start(Says { version: version.into(), ..Says::default() }).await;
        let bench = Bench::new(vec![small.config("s")]).await;
        let state = bench.until("s", Duration::from_secs(10), |state| state.error.is_some()).await;
        let error = state.error.unwrap();
        assert_eq!(error.category, ErrorCategory::ProtocolMismatch, "{}", error.message);
        assert!(
            error.message.contains(&version[..10]) && !error.message.contains('\u{202e}'),
            "{}",
            error.message
        );
        bench.fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_list_that_is_read_again_comes_from_the_server_and_from_no_cache() {
    let small = Small::start(Says::default()).await;
    let bench = Bench::new(vec![small.config("s")]).await;
    assert_eq!(bench.ready("s").await.counts.tools, Some(1));
    for tools in [2_u32, 3, 1] {
        small.change(|says| says.tools = (0..tools).map(|n| format!("t{n}")).collect());
        bench.fleet.refresh("s").await.unwrap();
        assert_eq!(bench.state("s").counts.tools, Some(tools));
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_session_that_the_server_dropped_is_told_as_such_and_a_new_one_begun() {
    let small = Small::start(Says::default()).await;
    let bench = Bench::new(vec![small.config("s")]).await;
    let before = bench.ready("s").await.generation;
    small.change(|says| says.session = "s-2".into());
    let renewed = |state: &att_mcp::model::ServerState| is_ready(state) && state.generation > before;
    bench.until("s", Duration::from_secs(10), renewed).await;
    bench.fleet.shutdown().await;
    let told = bench.store.events().into_iter().any(|event| match event.kind {
        EventKind::ConnectionChanged {
            from: ConnectionState::Ready,
            to: ConnectionState::Backoff,
            reason,
            ..
        } => reason.text.contains("no longer knows the session"),
        _ => false,
    });
    assert!(told, "{:#?}", bench.store.events());
}

#[tokio::test]
async fn what_a_server_says_of_itself_is_shown_clean_and_kept_raw() {
    let hostile = "evil\u{202e}gpj\u{1b}[2Jname";
    let small = Small::start(Says {
        server_info: json!({"name": hostile, "version": "1"}),
        instructions: Some(format!("line one\nline {hostile}")),
        ..Says::default()
    })
    .await;
    let bench = Bench::new(vec![small.config("s")]).await;
    let state = bench.ready("s").await;
    assert_eq!(state.server_info.unwrap()["name"], "evil gpj [2Jname");
    assert_eq!(state.instructions.as_deref(), Some("line one\nline evil gpj [2Jname"));
    assert_eq!(bench.fleet.snapshot("s").unwrap().server_info["name"], hostile);
    bench.fleet.shutdown().await;
}
