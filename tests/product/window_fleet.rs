//! The Fleet and Server views of the real window, on the demo fleet.

use crate::support::{TestHome, alive, eventually};
use crate::window::Window;
use serde_json::json;
use std::time::Duration;

const CONNECTED: Duration = Duration::from_secs(60);

/// The demo with its clocks turned faster: habits that take a minute there take seconds here.
async fn fast_demo() -> TestHome {
    let home = TestHome::demo().await;
    home.write("demo/control/flapping.json", r#"{"flap_up_ms": 12000, "flap_down_attempts": 5}"#);
    home.write("demo/control/drifting.json", r#"{"drift_after_ms": 15000}"#);
    let path = home.path().join("mcp.json");
    let mut config: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config["mcpServers"]["flapping"]["att"] =
        json!({"probe_interval_ms": 1000, "backoff_base_ms": 400, "backoff_cap_ms": 1500});
    std::fs::write(&path, config.to_string()).unwrap();
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn window_five_servers_reach_their_expected_states_and_a_drift_is_shown_as_a_diff() {
    let home = fast_demo().await;
    let window = Window::open(&home).await;
    for server in ["everything", "echo-http", "drifting"] {
        window.wait_attribute(&format!("server-row-{server}"), "data-status", &["healthy"], CONNECTED).await;
    }
    window.wait_attribute("server-row-slow", "data-status", &["degraded"], CONNECTED).await;
    window.wait_attribute("server-row-slow", "data-health-reason", &["slow"], CONNECTED).await;
    assert!(window.has("server-row-flapping").await);
    window.shots("fleet").await;

    window.script("location.hash = '#/server/drifting'", vec![]).await;
    let severity = window.wait_attribute("snapshot-diff", "data-severity", &["alarm"], CONNECTED).await;
    assert_eq!(severity, "alarm");
    window.shots("drifting").await;
    assert_eq!(window.attribute("diff-change-search", "data-change").await.as_deref(), Some("changed"));

    window.script("location.hash = '#/server/everything'", vec![]).await;
    for facet in ["admin", "connection", "health", "breaker"] {
        window.find(&format!("facet-{facet}")).await;
    }
    assert_eq!(window.attribute("facet-connection", "data-state").await.as_deref(), Some("ready"));
    window.find("item-tool-add").await;
    let choose = "const s = document.querySelector('[data-testid=tool-select]'); s.value = 'add'; s.dispatchEvent(new Event('change', {bubbles: true}));";
    window.find("tool-select").await;
    window.script(choose, vec![]).await;
    window.type_into("tool-args", "{\"a\": 19, \"b\": 23}").await;
    window.click("tool-run").await;
    window.wait_attribute("tool-answer", "data-ok", &["true"], Duration::from_secs(20)).await;
    assert!(window.text("tool-answer").await.contains("42"));
    assert_eq!(window.attribute("attempt-row", "data-outcome").await.as_deref(), Some("replied_ok"));
    window.shots("server").await;
    window.click("nav-events").await;
    window.shots("events").await;
    window.close().await;
    home.assert_journal_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_a_killed_server_is_seen_at_once_shows_its_retry_and_recovers() {
    let home = fast_demo().await;
    let window = Window::open(&home).await;
    window.wait_attribute("server-row-everything", "data-status", &["healthy"], CONNECTED).await;
    let pid = program_of(&home, "--profile everything");
    kill(pid);
    let killed = std::time::Instant::now();
    window
        .wait_attribute(
            "server-row-everything",
            "data-connection",
            &["backoff", "connecting", "negotiating", "discovering"],
            CONNECTED,
        )
        .await;
    assert!(killed.elapsed() < Duration::from_secs(2), "seen after {:?}", killed.elapsed());
    window.wait_attribute("server-row-everything", "data-connection", &["ready"], CONNECTED).await;
    let fresh = program_of(&home, "--profile everything");
    assert!(fresh != pid && alive(fresh) && !alive(pid));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_the_flapping_server_is_seen_degraded_unreachable_recovering_and_healthy_again() {
    let home = fast_demo().await;
    let window = Window::open(&home).await;
    window.wait_attribute("server-row-flapping", "data-health", &["healthy"], CONNECTED).await;
    window.wait_attribute("server-row-flapping", "data-health", &["degraded"], CONNECTED).await;
    window.find("server-row-flapping-next-retry").await;
    window.wait_attribute("server-row-flapping", "data-health", &["unreachable"], CONNECTED).await;
    window.wait_attribute("server-row-flapping", "data-health-reason", &["recovering"], CONNECTED).await;
    window.wait_attribute("server-row-flapping", "data-health", &["healthy"], CONNECTED).await;
    // The journal tells the same story, in the same order.
    let wanted = ["healthy", "degraded", "unreachable", "recovering", "healthy"];
    eventually(&format!("{wanted:?} in the journal"), Duration::from_secs(10), async || {
        let states = health_story(&home).await;
        states.windows(wanted.len()).any(|five| five == wanted).then_some(())
    })
    .await;
    window.close().await;
}

/// The health of `flapping` as the events tell it, oldest first, without repeats.
async fn health_story(home: &TestHome) -> Vec<String> {
    let events =
        home.att_json(&["events", "--server", "flapping", "--kind", "HealthChanged", "--limit", "100"]).await;
    let mut states: Vec<String> = events
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|event| {
            let body: serde_json::Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
            let recovering = body["reason"]["code"] == "recovering";
            if recovering { "recovering".to_owned() } else { body["to"].as_str().unwrap().to_owned() }
        })
        .collect();
    states.dedup();
    states
}

/// The pid of the demo server (not of its guard) whose command line has `part`.
fn program_of(home: &TestHome, part: &str) -> i64 {
    let found = crate::support::processes_of(home.path());
    let wanted =
        |line: &str| line.contains("att-demo-server") && line.contains(part) && !line.contains("att-guard");
    found.iter().find(|(_, line)| wanted(line)).unwrap_or_else(|| panic!("{found:?}")).0
}

fn kill(pid: i64) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn window_a_broken_mcp_json_is_named_by_line_and_column_and_the_sound_servers_run() {
    let home = fast_demo().await;
    let path = home.path().join("mcp.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let broken = text.replacen("{\"mcpServers\":{", "{\"mcpServers\":{\"bad\": {\"command\": 7},", 1);
    assert_ne!(text, broken);
    std::fs::write(&path, broken).unwrap();
    let window = Window::open(&home).await;
    let banner = eventually("the banner", CONNECTED, async || {
        Some(window.text("config-banner").await).filter(|t| !t.is_empty())
    })
    .await;
    assert!(banner.contains("mcp.json") && banner.contains("bad"), "{banner}");
    window.wait_attribute("server-row-everything", "data-status", &["healthy"], CONNECTED).await;
    assert!(!window.has("server-row-bad").await);
    window.shots("broken-config").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_a_foreign_journal_is_named_and_nothing_is_run_or_written_on_its_account() {
    let home = fast_demo().await;
    for name in ["journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(home.path().join(name));
    }
    let foreign = home.write("journal.db", "this is somebody's diary, not a database\n");
    let window = Window::open(&home).await;
    let banner = eventually("the banner", CONNECTED, async || {
        Some(window.text("journal-banner").await).filter(|t| !t.is_empty())
    })
    .await;
    assert!(banner.contains("is not an ATT journal"), "{banner}");
    // Consents are in the journal: without it no command has one, and none is run.
    let status =
        window.wait_attribute("server-row-everything", "data-status", &["consent_required"], CONNECTED).await;
    assert_eq!(status, "consent_required");
    window.click("nav-releases").await;
    // One in the banner, one in the view: it does not stay a skeleton.
    eventually("the error in the view", CONNECTED, async || {
        let script = "return document.querySelectorAll('[data-testid=error-panel]').length";
        (window.script(script, vec![]).await == json!(2)).then_some(())
    })
    .await;
    window.shots("foreign-journal").await;
    window.close().await;
    assert_eq!(std::fs::read_to_string(foreign).unwrap(), "this is somebody's diary, not a database\n");
}
