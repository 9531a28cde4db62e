//! No command runs before a person approved exactly it, and no secret shows up anywhere.

use crate::outside::{Watch, approve, att, config, demo_server, row, row_of};
use crate::support::{TestHome, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

/// A stdio server that leaves `mark` behind when it is run.
fn marking(mark: &Path) -> Value {
    json!({"command": "sh", "args": ["-c", "touch \"$0\"; exec \"$1\"", mark, demo_server()]})
}

#[tokio::test]
async fn a_command_runs_after_a_person_approved_it_and_a_changed_one_asks_again() {
    let home = TestHome::empty();
    let (first, second) = (home.path().join("first-ran"), home.path().join("second-ran"));
    config(&home, "mcp.json", &json!({"a": marking(&first)}));
    let watch = Watch::start(&home, &[]).await;
    let waiting = watch.reaches("a", "consent_required", SOON).await;
    assert_eq!(waiting["suggested_action"], "approve_command", "{waiting}");
    let checked = home.att_json(&["check"]).await;
    assert_eq!(row(&checked, "a")["status"], "consent_required", "a short connection asks as well");
    assert!(!first.exists(), "it ran before anybody approved it");
    approve(&home, "a").await;
    watch.reaches("a", "healthy", SOON).await;
    assert!(first.exists());
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;

    config(&home, "mcp.json", &json!({"a": marking(&second)}));
    let watch = Watch::start(&home, &[]).await;
    watch.reaches("a", "consent_required", SOON).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!second.exists(), "a changed command ran under the old consent");
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;

    config(&home, "mcp.json", &json!({"a": marking(&first)}));
    let watch = Watch::start(&home, &[]).await;
    watch.reaches("a", "healthy", SOON).await;
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;
    home.assert_journal_whole().await;
}

#[tokio::test]
async fn a_file_typed_on_the_command_line_is_consent_for_that_run_only() {
    let home = TestHome::empty();
    let mark = home.path().join("ran");
    let file = config(&home, "typed.json", &json!({"a": marking(&mark)}));
    let typed = att(&home, &["check", "--config", file.to_str().unwrap()]).await;
    assert!(typed.success() && mark.exists(), "{}", typed.stderr);
    std::fs::remove_file(&mark).unwrap();
    std::fs::copy(&file, home.path().join("mcp.json")).unwrap();
    let own = att(&home, &["check", "--json"]).await;
    assert_eq!(own.exit.code, Some(1), "{}", own.stdout);
    let answer: Value = serde_json::from_str(&own.stdout).unwrap();
    assert_eq!(row(&answer, "a")["status"], "consent_required");
    assert!(!mark.exists(), "the consent was remembered");
}

#[tokio::test]
async fn a_demo_that_is_made_again_approves_no_changed_command() {
    let home = TestHome::demo().await;
    let mark = home.path().join("ran");
    config(&home, "mcp.json", &json!({"a": marking(&mark)}));
    assert!(att(&home, &["demo", "init"]).await.success());
    let answer = home.att_json(&["check"]).await;
    assert_eq!(row(&answer, "a")["status"], "consent_required");
    assert!(!mark.exists());
}

/// True when `secret` stands in any file of `folder`.
fn written_down(folder: &Path, secret: &str) -> Option<String> {
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = written_down(&path, secret) {
                return Some(found);
            }
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(secret.len()).any(|w| w == secret.as_bytes()))
        {
            return Some(path.display().to_string());
        }
    }
    None
}

#[tokio::test]
async fn a_secret_reaches_its_server_and_nothing_else() {
    let home = TestHome::empty();
    let outside = tempfile::tempdir().unwrap();
    let seen = outside.path().join("seen");
    let secret = "tango-7193-unlisted-value";
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let reference = "${env:ATT_TEST_SECRET}";
    config(
        &home,
        "mcp.json",
        &json!({
            "sound": {
                "command": "sh",
                "args": ["-c", "printf %s \"$TOKEN\" > \"$0\"; exec \"$1\"", seen, demo_server()],
                "env": {"TOKEN": reference},
            },
            "dies": {"command": "sh", "args": ["-c", "exit 3", reference]},
            "missing": {"command": format!("/nonexistent/{reference}")},
            "refused": {"url": format!("http://127.0.0.1:{port}/{reference}"), "headers": {"X-Token": reference}},
            "header": {"url": format!("http://127.0.0.1:{port}/mcp"), "headers": {"X-Token": format!("{reference}\n")}},
        }),
    );
    let environment = [("ATT_TEST_SECRET", secret), ("ATT_LOG", "debug")];
    let watch = Watch::start(&home, &environment).await;
    for server in ["sound", "dies", "missing"] {
        approve(&home, server).await;
    }
    watch.reaches("sound", "healthy", SOON).await;
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), secret, "its own server gets it");
    eventually("the others have failed", SOON, async || {
        let answer = home.att_json(&["servers"]).await;
        ["dies", "missing", "refused", "header"]
            .iter()
            .all(|s| row_of(&answer, s).is_some_and(|r| !r["error"].is_null()))
            .then_some(())
    })
    .await;
    let mut shown = home.att(&["servers", "--json"]).await.stdout;
    shown += &home.att(&["events", "--limit", "500", "--json"]).await.stdout;
    shown += &home.att(&["journal", "export"]).await.stdout;
    watch.signal(Signal::TERM);
    shown += &watch.ended(SOON).await;
    let spec = home.command("att", &["check", "--json"]).env("ATT_TEST_SECRET", secret);
    let checked = crate::support::run_to_end(&spec).await;
    shown += &(checked.stdout + &checked.stderr);
    assert!(shown.contains(reference) || shown.contains("sound"), "nothing was shown at all");
    let at =
        shown.find(secret).map(|at| shown[at.saturating_sub(300)..(at + 60).min(shown.len())].to_owned());
    assert_eq!(at, None, "the secret was shown");
    assert_eq!(written_down(home.path(), secret), None, "the secret was written down");
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_asked_for_by_name() {
    let home = TestHome::empty();
    let servers = json!({
        "keyring": {"command": demo_server(), "env": {"T": "${keyring:files-token}"}},
        "unset": {"command": demo_server(), "env": {"T": "${env:ATT_TEST_SURELY_UNSET}"}},
    });
    let file = config(&home, "own.json", &servers);
    let outcome = att(&home, &["check", "--config", file.to_str().unwrap(), "--json"]).await;
    assert_eq!(outcome.exit.code, Some(1), "{}", outcome.stderr);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for (server, names) in [("keyring", "${keyring:files-token}"), ("unset", "${env:ATT_TEST_SURELY_UNSET}")]
    {
        let row = row(&answer, server);
        assert_eq!(
            (&row["status"], &row["suggested_action"]),
            (&json!("auth_required"), &json!("set_secret")),
            "{row}"
        );
        assert!(row["error"].as_str().unwrap().contains(names), "{row}");
        assert!(row["error_cure"].is_string(), "{row}");
    }
}
