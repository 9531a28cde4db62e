//! Servers that others wrote: the pinned live peers.

use crate::outside::{Watch, approve, att, config, row, send};
use crate::support::{TestHome, eventually};
use att_process::{CommandSpec, GuardedChild};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

/// A peer's place, from the environment. A missing peer is a failed test, never a skipped one.
fn peer(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: install the live peers with `export $(scripts/install-peers)`")
    })
}

fn everything() -> Value {
    json!({"command": "node", "args": [peer("ATT_PEER_EVERYTHING"), "stdio"]})
}

fn time() -> Value {
    json!({"command": peer("ATT_PEER_TIME")})
}

/// `server-everything` over Streamable HTTP, up and listening.
async fn everything_over_http() -> (GuardedChild, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let spec =
        CommandSpec::new(["node".to_owned(), peer("ATT_PEER_EVERYTHING"), "streamableHttp".to_owned()])
            .env("PORT", port.to_string());
    let child = GuardedChild::spawn(&spec).unwrap();
    eventually("server-everything listens", Duration::from_secs(30), async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
    })
    .await;
    (child, port)
}

fn assert_everything(row: &Value) {
    assert_eq!((&row["status"], &row["era"]), (&json!("healthy"), &json!("legacy")), "{row}");
    // 13, and one more for each of what ATT can be asked for: roots, sampling, elicitation in two forms.
    assert_eq!(row["tools"], 17, "{row}");
    assert_eq!((&row["resources"], &row["resource_templates"]), (&json!(7), &json!(2)), "{row}");
    assert_eq!(row["prompts"], 4, "{row}");
}

async fn check(home: &TestHome, servers: &Value) -> (Option<i32>, Value, String) {
    let file = config(home, "peers.json", servers);
    let outcome = att(home, &["check", "--config", file.to_str().unwrap(), "--json"]).await;
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    (outcome.exit.code, answer, file.display().to_string())
}

/// The text of the first content of a tool's answer.
fn said(answer: &Value) -> String {
    let result: Value =
        serde_json::from_str(answer["result"].as_str().unwrap_or_else(|| panic!("{answer}"))).unwrap();
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn peers_over_stdio_are_healthy_with_all_that_they_offer_and_can_be_called() {
    let home = TestHome::empty();
    let (code, answer, file) = check(&home, &json!({"everything": everything(), "time": time()})).await;
    assert_eq!((code, &answer["status"]), (Some(0), &json!("ok")), "{answer}");
    assert_everything(row(&answer, "everything"));
    let time = row(&answer, "time");
    assert_eq!(
        (&time["status"], &time["era"], &time["tools"]),
        (&json!("healthy"), &json!("modern"), &json!(2))
    );

    let echo =
        ["call", "echo", "--server", "everything", "--args", "{\"message\": \"hello\"}", "--config", &file];
    assert_eq!(said(&home.att_json(&echo).await), "Echo: hello");
    let now = ["call", "get_current_time", "--args", "{\"timezone\": \"Etc/UTC\"}", "--config", &file];
    let answer = home.att_json(&now).await;
    assert!(said(&answer).contains("Etc/UTC"), "{answer}");
    assert_eq!(answer["attempts"][0]["server"], "time", "found without naming it");
    let wrong = [
        "call",
        "get_current_time",
        "--args",
        "{\"timezone\": \"Mars/Olympus\"}",
        "--config",
        &file,
        "--json",
    ];
    let wrong = att(&home, &wrong).await;
    assert_eq!(wrong.exit.code, Some(1));
    let failure: Value = serde_json::from_str(&wrong.stdout).unwrap();
    assert_eq!(
        (&failure["code"], &failure["status"]),
        (&json!("application_error"), &json!(422)),
        "{failure}"
    );

    let read = [
        "read",
        "demo://resource/static/document/architecture.md",
        "--server",
        "everything",
        "--config",
        &file,
    ];
    let answer = home.att_json(&read).await;
    assert!(answer["result"].as_str().unwrap().contains("Everything Server"), "{answer}");
}

#[tokio::test]
async fn a_peer_over_streamable_http_is_healthy_and_can_be_called() {
    let home = TestHome::empty();
    let (child, port) = everything_over_http().await;
    let servers = json!({"everything": {"url": format!("http://127.0.0.1:{port}/mcp")}});
    let (code, answer, file) = check(&home, &servers).await;
    assert_eq!(code, Some(0), "{answer}");
    let row = row(&answer, "everything");
    assert_everything(row);
    assert_eq!(row["transport"], "streamable_http", "{row}");
    let sum = ["call", "get-sum", "--args", "{\"a\": 19, \"b\": 23}", "--config", &file];
    let answer = home.att_json(&sum).await;
    assert!(said(&answer).contains("42"), "{answer}");
    let read = ["read", "demo://resource/static/document/features.md", "--config", &file];
    assert!(home.att_json(&read).await["failure"].is_null());
    child.shutdown(Duration::from_millis(200)).await;
    let gone = att(&home, &["check", "--config", &file, "--json"]).await;
    assert_eq!(gone.exit.code, Some(1), "{}", gone.stdout);
}

#[tokio::test]
async fn a_peer_killed_in_the_middle_is_told_at_once_and_comes_back() {
    let home = TestHome::empty();
    config(&home, "mcp.json", &json!({"time": time()}));
    let watch = Watch::start(&home, &[]).await;
    approve(&home, "time").await;
    let before = watch.reaches("time", "healthy", Duration::from_secs(30)).await;
    send(before["pid"].as_i64().unwrap(), Signal::KILL);
    let told = eventually("the end is told", Duration::from_secs(2), async || {
        let events = home.att_json(&["events", "--server", "time", "--kind", "ConnectionChanged"]).await;
        let texts: Vec<String> =
            events.as_array()?.iter().filter_map(|e| e["text"].as_str().map(str::to_owned)).collect();
        texts.into_iter().find(|text| text.starts_with("ready → backoff"))
    })
    .await;
    assert!(told.contains("ended"), "{told}");
    eventually("it is back with another process", Duration::from_secs(30), async || {
        let answer = home.att_json(&["servers"]).await;
        let row = crate::outside::row_of(&answer, "time")?;
        (row["status"] == "healthy" && row["pid"] != before["pid"]).then_some(())
    })
    .await;
    watch.signal(Signal::TERM);
    watch.ended(Duration::from_secs(15)).await;
}

#[tokio::test]
async fn a_peer_killed_during_a_call_is_told_as_sent_without_reply() {
    let home = TestHome::empty();
    let (child, port) = everything_over_http().await;
    let file =
        config(&home, "peers.json", &json!({"everything": {"url": format!("http://127.0.0.1:{port}/mcp")}}));
    let arguments = "{\"duration\": 30, \"steps\": 3}";
    let call = [
        "call",
        "trigger-long-running-operation",
        "--args",
        arguments,
        "--config",
        file.to_str().unwrap(),
        "--json",
    ];
    let call = home.command("att", &call);
    let call = tokio::spawn(async move { crate::support::run_to_end(&call).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    child.shutdown(Duration::from_millis(100)).await;
    let outcome = tokio::time::timeout(Duration::from_secs(15), call).await.expect("told soon").unwrap();
    assert_eq!(outcome.exit.code, Some(1), "{}", outcome.stderr);
    let failure: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&failure["code"], &failure["status"]), (&json!("not_reissued"), &json!(502)), "{failure}");
    assert_eq!(failure["attempts"][0]["outcome"], "sent_no_reply", "{failure}");
}
