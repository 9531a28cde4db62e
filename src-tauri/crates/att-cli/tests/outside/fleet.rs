//! The demo fleet under `att watch`: what it shows, what a kill does to it, and that nothing stays behind.

use crate::outside::{Watch, approve, child_of, config, demo_server, nothing_is_left, row_of, send};
use crate::support::{TestHome, alive, eventually, processes_of};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_demo_fleet_reaches_its_states_and_leaves_nothing_after_term() {
    let home = TestHome::demo().await;
    let idle = home.att_json(&["servers"]).await;
    assert_eq!((&idle["engine"]["running"], &idle["engine"]["pid"]), (&json!(false), &Value::Null));
    let watch = Watch::start(&home, &[]).await;
    for server in ["everything", "echo-http", "drifting", "flapping"] {
        let row = watch.reaches(server, "healthy", SOON).await;
        assert!(row["tools"].as_u64().is_some_and(|tools| tools > 0), "{row}");
        assert!(row["pid"].is_number() && row["era"] == "modern", "{row}");
    }
    let slow = watch.reaches("slow", "degraded", Duration::from_secs(40)).await;
    assert_eq!(slow["facets"]["health"]["reason_code"], "slow", "{slow}");
    let answer = home.att_json(&["servers"]).await;
    assert_eq!(answer["engine"]["pid"].as_i64(), Some(watch.pid));
    assert!(processes_of(home.path()).len() >= 10, "five servers, each under a guard");
    watch.signal(Signal::TERM);
    let said = watch.ended(SOON).await;
    assert!(said.contains("everything healthy") && !said.contains("panicked"), "{said}");
    nothing_is_left(&home, Duration::from_secs(2)).await;
    assert_eq!(home.att_json(&["servers"]).await["engine"]["running"], false);
    home.assert_journal_whole().await;
}

#[tokio::test]
async fn a_killed_child_is_visible_within_two_seconds_and_comes_back_by_itself() {
    let home = TestHome::demo().await;
    let watch = Watch::start(&home, &[]).await;
    for (server, kill_guard) in [("everything", false), ("drifting", true), ("echo-http", false)] {
        let before = watch.reaches(server, "healthy", SOON).await;
        let guard = before["pid"].as_i64().unwrap();
        let child = child_of(guard).expect("the guard runs one process");
        send(if kill_guard { guard } else { child }, Signal::KILL);
        eventually(&format!("the end of {server} is told"), Duration::from_secs(2), async || {
            let events = home.att_json(&["events", "--server", server, "--kind", "ConnectionChanged"]).await;
            let lost = |e: &Value| e["text"].as_str().is_some_and(|text| text.contains("ready → backoff"));
            events.as_array()?.iter().any(lost).then_some(())
        })
        .await;
        eventually(&format!("{server} is back as another process"), SOON, async || {
            let row = row_of(&home.att_json(&["servers"]).await, server)?;
            (row["status"] == "healthy" && row["pid"].as_i64() != Some(guard)).then_some(())
        })
        .await;
        assert!(!alive(child), "the old process of {server} is still there");
    }
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;
}

#[tokio::test]
async fn nothing_is_left_after_sigkill_not_even_grandchildren_in_sessions_of_their_own() {
    let home = TestHome::empty();
    let mark = home.path().join("mark").display().to_string();
    let environment = json!({"ATT_HOME": home.path()});
    // The first leaves a child in a session of its own and does not end at the end of its input.
    let stubborn = "setsid sleep 617 >/dev/null 2>&1 & \"$0\"; trap '' TERM; while :; do sleep 0.5; done";
    config(
        &home,
        "mcp.json",
        &json!({
            "stubborn": {"command": "sh", "args": ["-c", stubborn, demo_server(), mark], "env": environment},
            "plain": {"command": demo_server(), "args": ["--grandchild", "--control", mark], "env": environment},
        }),
    );
    for signal in [Signal::KILL, Signal::TERM] {
        let watch = Watch::start(&home, &[]).await;
        for server in ["stubborn", "plain"] {
            if signal == Signal::KILL {
                approve(&home, server).await;
            }
            watch.reaches(server, "healthy", SOON).await;
        }
        let running = processes_of(home.path());
        for wanted in ["sleep 617", "sleep 600", "att-demo-server", "att watch"] {
            assert!(running.iter().any(|(_, line)| line.contains(wanted)), "no {wanted}: {running:?}");
        }
        watch.signal(signal);
        let _ = watch.ended(SOON).await;
        nothing_is_left(&home, Duration::from_secs(10)).await;
    }
    home.assert_journal_whole().await;
}
