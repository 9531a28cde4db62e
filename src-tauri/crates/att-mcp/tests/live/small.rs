//! A small HTTP server written for these tests: a legacy server that says what the test wants.

use std::sync::{Arc, Mutex};

use att_mcp::config::ServerConfig;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// What it says; it may be changed at any time.
#[derive(Debug, Clone)]
pub struct Says {
    pub version: String,
    pub server_info: Value,
    pub instructions: Option<String>,
    pub tools: Vec<String>,
    /// The session that it knows; requests in another one are refused with 404.
    pub session: String,
}

impl Default for Says {
    fn default() -> Self {
        Self {
            version: "2025-11-25".to_owned(),
            server_info: json!({"name": "small", "version": "1"}),
            instructions: None,
            tools: vec!["one".to_owned()],
            session: "s-1".to_owned(),
        }
    }
}

pub struct Small {
    pub says: Arc<Mutex<Says>>,
    pub url: String,
}

impl Small {
    pub async fn start(says: Says) -> Self {
        let says = Arc::new(Mutex::new(says));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let app = Router::new().route("/mcp", post(answer)).with_state(Arc::clone(&says));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { says, url }
    }

    pub fn config(&self, name: &str) -> ServerConfig {
        super::bench::quick(ServerConfig::http(name, self.url.clone()))
    }

    pub fn change(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }
}

async fn answer(State(says): State<Arc<Mutex<Says>>>, headers: HeaderMap, body: Bytes) -> Response {
    let says = says.lock().unwrap().clone();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let method = request["method"].as_str().unwrap_or_default();
    let session = headers.get("mcp-session-id").and_then(|value| value.to_str().ok());
    if session.is_some_and(|session| session != says.session) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(id) = request.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = match method {
        "initialize" => json!({
            "protocolVersion": says.version, "capabilities": {"tools": {}},
            "serverInfo": says.server_info, "instructions": says.instructions,
        }),
        "tools/list" => {
            let tool = |name: &String| json!({"name": name, "inputSchema": {"type": "object"}});
            json!({"tools": says.tools.iter().map(tool).collect::<Vec<_>>()})
        }
        "tools/call" => json!({"content": [{"type": "text", "text": "done"}]}),
        "ping" => json!({}),
        _ => {
            let error = json!({"code": -32601, "message": "unknown method"});
            return reply(&json!({"jsonrpc": "2.0", "id": id, "error": error}), None);
        }
    };
    let greeted = (method == "initialize").then_some(says.session.as_str());
    reply(&json!({"jsonrpc": "2.0", "id": id, "result": result}), greeted)
}

fn reply(message: &Value, session: Option<&str>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/json")], message.to_string()).into_response();
    if let Some(session) = session {
        response.headers_mut().insert("mcp-session-id", session.parse().unwrap());
    }
    response
}
