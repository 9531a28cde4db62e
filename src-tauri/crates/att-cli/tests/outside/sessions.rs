//! What a terminal asks of the process that watches the fleet: sessions, and many servers at once.

use crate::outside::{Watch, row_of};
use crate::support::{TestHome, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn session(sessions: &Value, server: &str) -> Value {
    let found = sessions.as_array().unwrap().iter().find(|s| s["server"] == server);
    found.unwrap_or_else(|| panic!("no session of {server}: {sessions}")).clone()
}

#[tokio::test]
async fn sessions_are_listed_dropped_and_made_anew_and_many_servers_are_asked_at_once() {
    let home = TestHome::demo().await;
    let watch = Watch::start(&home, &[]).await;
    for server in ["everything", "drifting"] {
        watch.reaches(server, "healthy", SOON).await;
    }
    let before = home.att_json(&["session", "list"]).await;
    assert_eq!(session(&before, "everything")["freshness"], "active_recent");
    let other = session(&before, "drifting")["generation"].clone();

    home.att(&["session", "invalidate", "everything"]).await;
    // The list of a face that does not watch is the journal's, which is written a moment later.
    eventually("the session is seen dropped", SOON, async || {
        let dropped = session(&home.att_json(&["session", "list"]).await, "everything");
        (dropped["active"] == false && dropped["initialized"] == false).then_some(())
    })
    .await;
    home.att(&["session", "refresh", "everything"]).await;
    let after = eventually("the session is seen anew", SOON, async || {
        let after = home.att_json(&["session", "list"]).await;
        (session(&after, "everything")["active"] == true).then_some(after)
    })
    .await;
    assert_eq!(session(&after, "drifting")["generation"], other, "no other server is touched");

    let answer = home.att_json(&["refresh", "everything", "drifting"]).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let names: Vec<_> = answer["results"].as_array().unwrap().iter().map(|row| &row["server"]).collect();
    assert_eq!(names, ["drifting", "everything"], "sorted by name");
    assert!(row_of(&json!({"servers": answer["results"]}), "everything").is_some());

    let events = home.att_json(&["events", "--phase", "invoke_start", "--method", "tools/call"]).await;
    assert_eq!(events, json!([]), "nothing was called");
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;
}
