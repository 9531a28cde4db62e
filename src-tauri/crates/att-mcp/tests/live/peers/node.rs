//! The reference servers in TypeScript: everything, filesystem, memory.

use std::time::Duration;

use att_mcp::config::ServerConfig;
use att_mcp::model::{Era, Status, TransportKind};
use att_mcp::{FleetStore as _, Operation};
use serde_json::json;

use super::{counts_of, dies_and_returns, patient, peer, served, text, up};
use crate::bench::Bench;

fn everything_over_stdio(name: &str) -> ServerConfig {
    patient(ServerConfig::stdio(name, "node", [peer("ATT_PEER_EVERYTHING").as_str(), "stdio"]))
}

fn everything_over_http(name: &str) -> ServerConfig {
    served(name, "/mcp", |_| vec!["node".into(), peer("ATT_PEER_EVERYTHING"), "streamableHttp".into()])
}

/// The old transport, as the operator says it or found out.
fn everything_over_sse(name: &str, said: bool) -> ServerConfig {
    let mut config = served(name, "/sse", |_| vec!["node".into(), peer("ATT_PEER_EVERYTHING"), "sse".into()]);
    config.sse = said;
    config
}

#[tokio::test]
async fn the_reference_server_everything_offers_everything_and_answers_over_every_transport() {
    let bench = Bench::new(vec![
        everything_over_stdio("stdio"),
        everything_over_http("http"),
        everything_over_sse("sse", true),
        everything_over_sse("found", false),
    ])
    .await;
    for (name, transport) in [
        ("stdio", TransportKind::Stdio),
        ("http", TransportKind::StreamableHttp),
        ("sse", TransportKind::Sse),
        ("found", TransportKind::Sse),
    ] {
        let state = up(&bench, name).await;
        assert_eq!(state.transport, transport, "{name}");
        assert_eq!((state.era, state.status), (Some(Era::Legacy), Status::Healthy), "{name}");
        assert_eq!(state.protocol_version.as_deref(), Some("2025-11-25"), "{name}");
        // More tools where a client says that it can be asked things.
        let [tools, rest @ ..] = counts_of(state.counts);
        assert!(tools >= Some(12), "{name}: {tools:?} tools");
        assert_eq!(rest, [Some(7), Some(2), Some(4)], "{name}");
        assert!(bench.fleet.snapshot(name).unwrap().lists.tools.items.iter().all(|t| t.problem.is_none()));

        let answer = bench.call(name, "echo", json!({"message": "hello"})).await.unwrap();
        assert_eq!(text(&answer.result), "Echo: hello", "{name}");
        let answer =
            bench.call(name, "get-structured-content", json!({"location": "Chicago"})).await.unwrap();
        assert!(answer.result["structuredContent"]["temperature"].is_number(), "{}", answer.result);
        let read = Operation::ReadResource { uri: "demo://resource/static/document/architecture.md".into() };
        let read = bench.invoke(Some(name), read, None).await.unwrap();
        assert!(read.result["contents"][0]["text"].as_str().unwrap().contains("Everything Server"));
        let prompt = Operation::GetPrompt {
            name: "args-prompt".into(),
            arguments: json!({"city": "Oslo"}).as_object().cloned().unwrap(),
        };
        let prompt = bench.invoke(Some(name), prompt, None).await.unwrap();
        assert!(prompt.result["messages"][0]["content"]["text"].as_str().unwrap().contains("Oslo"));
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_resource_that_a_peer_adds_while_it_runs_is_a_new_snapshot() {
    let bench = Bench::new(vec![
        everything_over_stdio("stdio"),
        everything_over_http("http"),
        everything_over_sse("sse", true),
    ])
    .await;
    for name in ["stdio", "http", "sse"] {
        up(&bench, name).await;
        let zip = json!({"name": "note.gz", "data": "data:text/plain,hello", "outputType": "resourceLink"});
        bench.call(name, "gzip-file-as-resource", zip).await.unwrap();
        bench.until(name, Duration::from_secs(10), |s| s.counts.resources == Some(8)).await;
        let snapshots = bench.store.snapshots(name, 10).await.unwrap();
        let uris: Vec<_> = snapshots[0].lists.resources.items.iter().map(|item| item.key.as_str()).collect();
        assert!(uris.contains(&"demo://resource/session/note.gz"), "{name}: {uris:?}");
        assert_eq!(snapshots[0].parent.as_deref(), Some(snapshots[1].id.as_str()), "{name}");
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_peer_that_dies_is_noticed_at_once_and_returns_with_the_same_surface() {
    let memory = tempfile::tempdir().unwrap();
    let mut config = patient(ServerConfig::stdio("stdio", "node", [peer("ATT_PEER_MEMORY")]));
    let file = memory.path().join("graph.jsonl").display().to_string();
    config.env.insert("MEMORY_FILE_PATH".into(), file);
    let bench =
        Bench::new(vec![config, everything_over_http("http"), everything_over_sse("sse", true)]).await;
    for name in ["stdio", "http", "sse"] {
        up(&bench, name).await;
        // What a server adds on its own after the handshake is part of what must come back.
        bench.fleet.refresh(name).await.unwrap();
        dies_and_returns(&bench, name).await;
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn the_filesystem_and_memory_peers_offer_what_they_say_and_do_it() {
    let dir = tempfile::tempdir().unwrap();
    // The server tells allowed paths by their real names.
    let root = dir.path().canonicalize().unwrap();
    let files = root.join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("note.txt"), "a note").unwrap();
    let filesystem =
        ServerConfig::stdio("filesystem", "node", [peer("ATT_PEER_FILESYSTEM"), files.display().to_string()]);
    let mut memory = ServerConfig::stdio("memory", "node", [peer("ATT_PEER_MEMORY")]);
    let graph = root.join("graph.jsonl");
    memory.env.insert("MEMORY_FILE_PATH".into(), graph.display().to_string());
    let bench = Bench::new(vec![patient(filesystem), patient(memory)]).await;

    let state = up(&bench, "filesystem").await;
    assert_eq!((state.era, state.status), (Some(Era::Legacy), Status::Healthy), "{}", state.summary);
    assert_eq!(counts_of(state.counts), [Some(14), None, None, None], "it offers tools and nothing else");
    let note = files.join("note.txt").display().to_string();
    let answer = bench.call("filesystem", "read_text_file", json!({"path": note})).await.unwrap();
    assert_eq!(text(&answer.result), "a note");
    let outside = bench.call("filesystem", "read_text_file", json!({"path": "/etc/hostname"})).await;
    assert_eq!(outside.unwrap_err().code, att_mcp::FailureCode::ApplicationError);
    assert_eq!(bench.state("filesystem").status, Status::Healthy, "a refusal is an answer");

    let state = up(&bench, "memory").await;
    assert_eq!((state.era, state.status), (Some(Era::Legacy), Status::Healthy), "{}", state.summary);
    assert_eq!((state.counts.tools, state.counts.resources), (Some(9), Some(1)));
    let entity = json!({"entities": [{"name": "att", "entityType": "program", "observations": ["it runs"]}]});
    bench.call("memory", "create_entities", entity).await.unwrap();
    let answer = bench.call("memory", "read_graph", json!({})).await.unwrap();
    assert!(text(&answer.result).contains("it runs"));
    assert!(std::fs::read_to_string(&graph).unwrap().contains("it runs"));
    let uri = bench.fleet.snapshot("memory").unwrap().lists.resources.items[0].key.clone();
    let read = bench.invoke(Some("memory"), Operation::ReadResource { uri }, None).await.unwrap();
    assert!(read.result["contents"][0]["text"].as_str().unwrap().contains("it runs"));
    bench.fleet.shutdown().await;
}
