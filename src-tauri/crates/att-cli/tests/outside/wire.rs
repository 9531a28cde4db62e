//! `att wire`: what the watcher writes down of a server's messages, and that no secret is in it.

use crate::outside::{Watch, approve, config, demo_server, refused};
use crate::support::{TestHome, eventually};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_wire_log_of_a_watched_server_is_read_from_disk_and_holds_no_secret() {
    let home = TestHome::empty();
    let secret = "planted-secret-4711";
    let environment = json!({"ATT_HOME": home.path(), "PLANTED": "${env:ATT_TEST_PLANTED}"});
    let entry = |log: bool| {
        json!({
            "command": demo_server(), "args": ["--era", "legacy"], "env": environment, "att": {"wire_log": log}
        })
    };
    config(&home, "mcp.json", &json!({"told": entry(true), "quiet": entry(false)}));
    let watch = Watch::start(&home, &[("ATT_TEST_PLANTED", secret)]).await;
    for server in ["told", "quiet"] {
        approve(&home, server).await;
        watch.reaches(server, "healthy", SOON).await;
    }
    let page = eventually("the handshake is in the log", SOON, async || {
        let outcome = home.att(&["wire", "told", "--json", "--limit", "200"]).await;
        let page: serde_json::Value = serde_json::from_str(&outcome.stdout).ok()?;
        let of = |direction: &str, kind: &str, method: &str| {
            page["entries"].as_array().is_some_and(|all| {
                all.iter().any(|e| e["direction"] == direction && e["kind"] == kind && e["method"] == method)
            })
        };
        let whole = of("out", "request", "initialize")
            && of("in", "response", "initialize")
            && of("out", "notification", "notifications/initialized")
            && of("in", "response", "tools/list");
        whole.then_some(page)
    })
    .await;
    let seqs: Vec<_> =
        page["entries"].as_array().unwrap().iter().map(|e| e["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>(), "every message, in order");
    assert_eq!((page["source"].as_str(), page["next_seq"].as_i64()), (Some("disk"), seqs.last().copied()));
    let text = home.att(&["wire", "told", "--limit", "1"]).await.stdout;
    assert!(text.contains("bytes"), "{text}");
    refused(&home, &["wire", "quiet"], 2, "not_found").await;
    refused(&home, &["wire", "nobody"], 2, "not_found").await;
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;
    let folder = home.path().join("logs/wire");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(!std::fs::read_to_string(&files[0]).unwrap().contains(secret));
}
