//! The reference servers in Python, git and time, and a FastMCP server, in both eras.

use std::path::Path;
use std::sync::Arc;

use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_mcp::config::ServerConfig;
use att_mcp::model::{Era, Status};
use att_mcp::{Fleet, FleetDeps, FleetStore, MemoryFleetStore, Operation};
use serde_json::json;

use super::{counts_of, dies_and_returns, fixture, patient, peer, served, text, up};
use crate::bench::Bench;

/// A repository with one commit.
#[allow(clippy::disallowed_methods, reason = "a test prepares what it needs")]
fn repository(at: &Path) {
    let script =
        "git init -q . && git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m first";
    let made = std::process::Command::new("sh").args(["-c", script]).current_dir(at).status();
    assert!(made.is_ok_and(|status| status.success()), "no repository could be made");
}

#[tokio::test]
async fn the_git_and_time_peers_are_modern_and_answer() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path());
    let path = dir.path().display().to_string();
    let git = ServerConfig::stdio("git", peer("ATT_PEER_GIT"), ["--repository", path.as_str()]);
    let time = ServerConfig::stdio("time", peer("ATT_PEER_TIME"), Vec::<String>::new());
    let bench = Bench::new(vec![patient(git), patient(time)]).await;

    let state = up(&bench, "time").await;
    assert_eq!((state.era, state.status), (Some(Era::Modern), Status::Healthy), "{}", state.summary);
    assert_eq!(state.counts.tools, Some(2));
    let answer = bench.call("time", "get_current_time", json!({"timezone": "UTC"})).await.unwrap();
    assert!(text(&answer.result).contains("UTC"));

    let state = up(&bench, "git").await;
    assert_eq!((state.era, state.status), (Some(Era::Modern), Status::Healthy), "{}", state.summary);
    assert_eq!(state.counts.tools, Some(12));
    let answer = bench.call("git", "git_log", json!({"repo_path": path})).await.unwrap();
    assert!(answer.result.to_string().contains("first"), "{}", answer.result);
    bench.fleet.refresh("git").await.unwrap();
    assert_eq!(bench.store.snapshots("git", 10).await.unwrap().len(), 1, "the same surface again");
    dies_and_returns(&bench, "git").await;
    bench.fleet.shutdown().await;
}

fn fastmcp() -> Vec<ServerConfig> {
    let (python, script) = (peer("ATT_PEER_FASTMCP"), fixture("fastmcp_server.py"));
    let http = served("http", "/mcp", |port| vec![python.clone(), script.clone(), port.to_string()]);
    vec![patient(ServerConfig::stdio("stdio", python.clone(), [script.clone()])), http]
}

#[tokio::test]
async fn a_fastmcp_peer_works_over_both_transports_in_both_eras() {
    let bench = Bench::new(fastmcp()).await;
    let known = Arc::new(MemoryFleetStore::consenting());
    for name in ["stdio", "http"] {
        up(&bench, name).await;
        dies_and_returns(&bench, name).await;
        assert_works(&bench, name, Era::Modern).await;
        // What another run found out is taken over: the server speaks the older era as well.
        let mut snapshot = (*bench.fleet.snapshot(name).unwrap()).clone();
        snapshot.era = Era::Legacy;
        known.put_snapshot(snapshot).await.unwrap();
    }
    bench.fleet.shutdown().await;

    let deps = FleetDeps::new(
        Arc::clone(&known) as Arc<dyn FleetStore>,
        Arc::new(SystemClock),
        Arc::new(OsRandomness),
    );
    let fleet = Fleet::start(deps, fastmcp()).await.unwrap();
    let bench = Bench { fleet, store: known, dir: tempfile::tempdir().unwrap() };
    for name in ["stdio", "http"] {
        up(&bench, name).await;
        assert_works(&bench, name, Era::Legacy).await;
    }
    bench.fleet.shutdown().await;
}

async fn assert_works(bench: &Bench, name: &str, era: Era) {
    let state = bench.state(name);
    assert_eq!((state.era, state.status), (Some(era), Status::Healthy), "{name}: {}", state.summary);
    assert_eq!(counts_of(state.counts), [Some(3), Some(1), Some(1), Some(1)], "{name} in {era:?}");
    assert_eq!(state.instructions.as_deref(), Some("Adds numbers."), "{name} in {era:?}");
    let answer = bench.call(name, "add", json!({"a": 19, "b": 23})).await.unwrap();
    assert_eq!(answer.result["structuredContent"]["result"], 42, "{name} in {era:?}");
    let pid = bench.call(name, "own_pid", json!({})).await.unwrap();
    assert!(pid.result["structuredContent"]["result"].as_u64().is_some(), "{}", pid.result);
    for uri in ["att://notes/welcome", "att://notes/other"] {
        let read = Operation::ReadResource { uri: uri.into() };
        let read = bench.invoke(Some(name), read, None).await.unwrap();
        assert!(read.result["contents"][0]["text"].is_string(), "{uri} of {name} in {era:?}");
    }
    let arguments = json!({"name": "Ann"}).as_object().cloned().unwrap();
    let prompt = Operation::GetPrompt { name: "greet".into(), arguments };
    let prompt = bench.invoke(Some(name), prompt, None).await.unwrap();
    assert!(prompt.result["messages"][0]["content"]["text"].as_str().unwrap().contains("Ann"));
    let before = bench.state(name).snapshot_id;
    bench.call(name, "grow", json!({})).await.unwrap();
    bench.fleet.refresh(name).await.unwrap();
    let after = bench.state(name);
    assert_eq!(after.counts.tools, Some(4), "{name} in {era:?} offers one tool more");
    assert_ne!(after.snapshot_id, before);
    let answer = bench.call(name, "subtract", json!({"a": 5, "b": 3})).await.unwrap();
    assert_eq!(answer.result["structuredContent"]["result"], 2);
}
