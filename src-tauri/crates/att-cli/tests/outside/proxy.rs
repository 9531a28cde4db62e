//! The proxies that the environment names: for the world, and never for this machine.

use crate::outside::config;
use crate::support::{TestHome, run_to_end};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// Listens, keeps the first line of each request and answers it with an error.
async fn listener() -> (u16, Arc<Mutex<Vec<String>>>) {
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let list = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let list = Arc::clone(&list);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                if stream.read_line(&mut line).await.is_ok() && !line.is_empty() {
                    list.lock().unwrap().push(line.trim().to_owned());
                    let answer =
                        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    });
    (port, seen)
}

#[tokio::test]
async fn the_proxies_of_the_environment_are_used_for_the_world_and_never_for_this_machine() {
    let home = TestHome::empty();
    let (proxy, through) = listener().await;
    let (near, directly) = listener().await;
    let servers = json!({
        "far": {"url": "http://mcp.att.test/mcp"},
        "far-tls": {"url": "https://mcp-tls.att.test/mcp"},
        "near": {"url": format!("http://127.0.0.1:{near}/mcp")},
        "near-name": {"url": format!("http://localhost:{near}/mcp")},
        "excepted": {"url": "http://excepted.att.test:1/mcp"},
    });
    let file = config(&home, "proxied.json", &servers).display().to_string();
    let address = format!("http://127.0.0.1:{proxy}");
    let spec = home
        .command("att", &["check", "--config", &file, "--json"])
        .env("HTTP_PROXY", &address)
        .env("HTTPS_PROXY", &address)
        .env("NO_PROXY", "excepted.att.test");
    let outcome = run_to_end(&spec).await;
    assert_eq!(outcome.exit.code, Some(1), "{}\n{}", outcome.stdout, outcome.stderr);
    let through = through.lock().unwrap().clone();
    let asked = |line: &str| through.iter().any(|seen| seen.starts_with(line));
    assert!(asked("POST http://mcp.att.test/mcp "), "{through:?}");
    assert!(asked("CONNECT mcp-tls.att.test:443 "), "{through:?}");
    let stays = |line: &String| ["127.0.0.1", "localhost", "excepted"].iter().any(|host| line.contains(host));
    assert!(!through.iter().any(stays), "{through:?}");
    let directly = directly.lock().unwrap().clone();
    assert!(
        directly.len() >= 2 && directly.iter().all(|line| line.starts_with("POST /mcp ")),
        "{directly:?}"
    );
}
