//! Secrets: a server waits for one, gets it, and its value is nowhere to be read.

use crate::outside::{Watch, approve, att, config, demo_server, refused};
use crate::support::{TestHome, run_to_end};
use att_process::RunOutcome;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const VALUE: &str = "planted-value-4711";

#[tokio::test]
async fn a_server_that_waits_for_a_secret_is_connected_once_it_is_set_and_the_value_is_nowhere() {
    let home = TestHome::empty();
    let servers = json!({"demo": {"command": demo_server(), "args": [],
        "env": {"ATT_HOME": home.path(), "TOKEN": "${keyring:demo-token}"}}});
    config(&home, "mcp.json", &servers);
    let watch = Watch::start(&home, &[]).await;
    approve(&home, "demo").await;
    let waits = watch.reaches("demo", "auth_required", SOON).await;
    assert_eq!(waits["suggested_action"], "set_secret", "{waits}");
    assert!(waits["summary"].as_str().unwrap().contains("${keyring:demo-token}"), "{waits}");
    let set = set_secret(&home, "demo-token", VALUE).await;
    assert!(set.success() && !set.stdout.contains(VALUE), "{}{}", set.stdout, set.stderr);
    watch.reaches("demo", "healthy", SOON).await;
    watch.signal(rustix::process::Signal::TERM);
    let said = watch.ended(SOON).await;
    assert!(!said.contains(VALUE), "{said}");
    let listed = home.att_json(&["secret", "list"]).await;
    assert_eq!(listed["names"], json!(["demo-token"]), "{listed}");
    assert_eq!(files_with(home.path(), VALUE.as_bytes()), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_without_value_or_with_a_name_of_our_own_is_refused_and_an_unknown_one_not_found() {
    let home = TestHome::empty();
    refused(&home, &["secret", "delete", "nobody"], 2, "not_found").await;
    let nothing = set_secret(&home, "empty", "").await;
    assert_eq!(nothing.exit.code, Some(2), "{}", nothing.stderr);
    let own = set_secret(&home, "oauth:abc", "x").await;
    assert_eq!(own.exit.code, Some(2), "{}", own.stderr);
    let argument = att(&home, &["secret", "set", "name", "value"]).await;
    assert_eq!(argument.exit.code, Some(2), "a value is never an argument: {}", argument.stdout);
}

/// `att secret set` with the value from a pipe.
async fn set_secret(home: &TestHome, name: &str, value: &str) -> RunOutcome {
    let mut spec = home.command("att", &["secret", "set", name]);
    let program = spec.argv[0].clone();
    spec.argv = ["sh", "-c", "printf '%s\n' \"$3\" | \"$1\" secret set \"$2\"", "sh", &program, name, value]
        .map(str::to_owned)
        .to_vec();
    run_to_end(&spec).await
}

/// The files under `dir` that hold `planted`.
fn files_with(dir: &Path, planted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, planted));
        } else if std::fs::read(&path).unwrap().windows(planted.len()).any(|window| window == planted) {
            found.push(path.display().to_string());
        }
    }
    found
}
