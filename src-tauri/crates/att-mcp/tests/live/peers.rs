//! Servers that others wrote. `./test` installs them and names them in `ATT_PEER_EVERYTHING` and `ATT_PEER_TIME`;
//! by hand, leave these tests out with `-E 'not test(peer)'`.

use att_mcp::ServerConfig;
use att_mcp::config::Endpoint;
use att_mcp::model::{Era, Status};
use serde_json::json;

use crate::bench::{Bench, free_port};

/// A missing peer is an error, never a test that passes without having looked.
fn peer(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: ./test installs the peer and sets it"))
}

#[tokio::test]
async fn the_reference_server_everything_connects_and_answers_over_both_transports() {
    let index = peer("ATT_PEER_EVERYTHING");
    let port = free_port();
    let mut http = ServerConfig::http("http", format!("http://127.0.0.1:{port}/mcp"));
    http.env.insert("PORT".into(), port.to_string());
    if let Endpoint::Http { start, .. } = &mut http.endpoint {
        *start = Some(vec!["node".into(), index.clone(), "streamableHttp".into()]);
    }
    let bench = Bench::new(vec![ServerConfig::stdio("stdio", "node", [index.as_str(), "stdio"]), http]).await;
    for name in ["stdio", "http"] {
        let state = bench.ready(name).await;
        assert_eq!((state.era, state.status), (Some(Era::Legacy), Status::Healthy), "{name}");
        let counts = state.counts;
        assert!(
            counts.tools >= Some(10) && counts.resources >= Some(5) && counts.prompts >= Some(3),
            "{counts:?}"
        );
        assert!(bench.fleet.snapshot(name).unwrap().lists.tools.items.iter().all(|t| t.problem.is_none()));
        let answer = bench.call(name, "echo", json!({"message": "hello"})).await.unwrap();
        assert!(answer.result["content"][0]["text"].as_str().unwrap().contains("hello"));
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn the_time_server_is_found_to_be_modern_and_answers() {
    let program = peer("ATT_PEER_TIME");
    let bench = Bench::new(vec![ServerConfig::stdio("time", program, Vec::<String>::new())]).await;
    let state = bench.ready("time").await;
    assert_eq!((state.era, state.counts.tools), (Some(Era::Modern), Some(2)));
    let answer = bench.call("time", "get_current_time", json!({"timezone": "UTC"})).await.unwrap();
    assert!(answer.result["content"][0]["text"].as_str().unwrap().contains("UTC"));
    bench.fleet.shutdown().await;
}
