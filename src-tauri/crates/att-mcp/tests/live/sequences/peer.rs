//! A scripted peer: a legacy server over Streamable HTTP that behaves as it is told, from one request to the next.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Its two tools; the operator marked the first as idempotent.
pub const TOOLS: [&str; 2] = ["marked", "unmarked"];

/// How a peer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Good,
    /// It is greeted, but one of its lists cannot be read.
    Partial,
    /// HTTP 500 to everything.
    Down,
    /// HTTP 500 to calls.
    FailsCalls,
    /// A JSON-RPC error to calls.
    RefusesCalls,
    /// No answer to calls.
    HangsOnCalls,
    /// No answer to `initialize`; what stands goes on.
    HangsOnInitialize,
}

pub struct Peer {
    pub url: String,
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

struct Script {
    mode: Mutex<Mode>,
    calls: AtomicU32,
}

impl Peer {
    pub async fn start(mode: Mode) -> Self {
        let script = Arc::new(Script { mode: Mutex::new(mode), calls: AtomicU32::new(0) });
        // GET is answered 405: it offers no stream of its own.
        let app = Router::new()
            .route("/mcp", post(answer).delete(|| async { StatusCode::OK }))
            .with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, script, serving }
    }

    pub fn set(&self, mode: Mode) {
        *self.script.mode.lock().unwrap() = mode;
    }

    /// How many calls of a tool reached it.
    pub fn calls(&self) -> u32 {
        self.script.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, body: Bytes) -> Response {
    let mode = *script.mode.lock().unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap();
    let (method, id) = (message["method"].as_str().unwrap_or_default(), &message["id"]);
    if method == "tools/call" {
        script.calls.fetch_add(1, Ordering::SeqCst);
    }
    let result = |result: Value| Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response();
    let refusal =
        |code: i64, text: &str| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}});
    match (method, mode) {
        (_, Mode::Down) | ("tools/call", Mode::FailsCalls) => {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        ("tools/call", Mode::HangsOnCalls) | ("initialize", Mode::HangsOnInitialize) => {
            std::future::pending().await
        }
        ("tools/call", Mode::RefusesCalls) => Json(refusal(-32_000, "not today")).into_response(),
        ("server/discover", _) => {
            (StatusCode::BAD_REQUEST, Json(refusal(-32_601, "no such method"))).into_response()
        }
        ("initialize", _) => {
            let greeting = json!({
                "protocolVersion": "2025-11-25",
                "serverInfo": {"name": "scripted", "version": "1"},
                "capabilities": {"tools": {}, "prompts": {}},
            });
            let session = [(header::HeaderName::from_static("mcp-session-id"), "one")];
            (session, result(greeting)).into_response()
        }
        ("tools/list", _) => {
            let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
            result(json!({"tools": TOOLS.map(tool)}))
        }
        ("prompts/list", Mode::Partial) => Json(refusal(-32_603, "out of order")).into_response(),
        ("prompts/list", _) => result(json!({"prompts": []})),
        ("tools/call", _) => result(json!({"content": [{"type": "text", "text": "done"}]})),
        ("ping", _) => result(json!({})),
        _ if id.is_null() => StatusCode::ACCEPTED.into_response(),
        _ => Json(refusal(-32_601, "no such method")).into_response(),
    }
}
