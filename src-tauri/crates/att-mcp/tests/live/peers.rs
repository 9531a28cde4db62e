//! Servers that others wrote. `./test` installs them and names them in `ATT_PEER_*`; by hand, run the tests after
//! `export $(scripts/install-peers)`, or leave these out with `-E 'not test(peer)'`.

mod nat;
mod node;
mod python;

use std::path::PathBuf;
use std::time::Duration;

use att_mcp::config::{Endpoint, ServerConfig};
use att_mcp::model::{ListCounts, ServerState};
use serde_json::Value;

use crate::bench::{Bench, free_port, is_ready, kill};

/// So long a peer may take to come up: Python starts slowly on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// A missing peer is an error, never a test that passes without having looked.
fn peer(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: ./test installs the peer and sets it"))
}

/// A file of `tests/fixtures/peers`.
fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/peers").join(name);
    path.canonicalize().unwrap().display().to_string()
}

/// A server at `path` of a free port, started by the fleet with what `command` makes of the port.
fn served(name: &str, path: &str, command: impl Fn(u16) -> Vec<String>) -> ServerConfig {
    let port = free_port();
    let mut config = ServerConfig::http(name, format!("http://127.0.0.1:{port}{path}"));
    config.env.insert("PORT".into(), port.to_string());
    if let Endpoint::Http { start, .. } = &mut config.endpoint {
        *start = Some(command(port));
    }
    patient(config)
}

/// Short waits between attempts, long ones for an answer.
fn patient(mut config: ServerConfig) -> ServerConfig {
    let settings = &mut config.settings;
    settings.backoff_base_ms = 100;
    settings.backoff_cap_ms = 500;
    settings.connect_timeout_ms = 55_000;
    settings.discover_timeout_ms = 20_000;
    config
}

/// Waits until the peer is ready.
async fn up(bench: &Bench, name: &str) -> ServerState {
    bench.until(name, UP_WITHIN, is_ready).await
}

/// Tools, resources, templates, prompts.
fn counts_of(counts: ListCounts) -> [Option<u32>; 4] {
    [counts.tools, counts.resources, counts.resource_templates, counts.prompts]
}

/// The text of the first content of an answer.
fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}"))
}

/// The process that answers for `name`: the one child of its guard.
fn process(bench: &Bench, name: &str) -> u32 {
    let guard = bench.state(name).pid.unwrap();
    let children = std::fs::read_to_string(format!("/proc/{guard}/task/{guard}/children")).unwrap();
    children.split_whitespace().next().unwrap_or_else(|| panic!("{name} has no process")).parse().unwrap()
}

/// Kills the process of `name`, sees it noticed within two seconds and waits for its return as another process.
async fn dies_and_returns(bench: &Bench, name: &str) {
    let before = bench.state(name);
    kill(process(bench, name));
    bench.until(name, Duration::from_secs(2), |s| !is_ready(s)).await;
    let after = up(bench, name).await;
    assert!(after.generation > before.generation && after.pid != before.pid, "{name}");
    assert_eq!((after.era, after.snapshot_id), (before.era, before.snapshot_id), "{name}: the same surface");
}
