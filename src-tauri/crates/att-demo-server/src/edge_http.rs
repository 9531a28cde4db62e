//! The HTTP edge: requests pass through the faults before they reach rmcp's Streamable HTTP service.

use crate::faults::{Control, Treatment};
use crate::handler::DemoServer;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Larger requests and answers are refused.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Serves on loopback until the process is told to end; prints the address on stderr.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(server: DemoServer, control: Arc<Control>, port: u16) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    crate::say(&format!("listening on http://{}/mcp", listener.local_addr()?));
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let app = axum::Router::new().nest_service("/mcp", service).layer(from_fn_with_state(control, misbehave));
    axum::serve(listener, app).with_graceful_shutdown(told_to_end()).await
}

async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut term) => {
            term.recv().await;
            // Open streams would keep a graceful end waiting.
            std::process::exit(0);
        }
        Err(_) => std::future::pending().await,
    }
}

async fn misbehave(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let faults = control.now();
    if faults.http_500 {
        return (StatusCode::INTERNAL_SERVER_ERROR, "failing, as told").into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let message: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
    match faults.treatment(&method) {
        Treatment::Pass { after_ms } => tokio::time::sleep(Duration::from_millis(after_ms)).await,
        Treatment::Swallow => std::future::pending().await,
        Treatment::Die if method == "server/discover" => return StatusCode::BAD_REQUEST.into_response(),
        Treatment::Die => {
            crate::say(&format!("dying on {method}, as told"));
            std::process::exit(9);
        }
        Treatment::Garbage => {
            let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
            return (json, "{\"jsonrpc\": \"2.0\", \"id\": oops").into_response();
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if faults.malformed_tool && method == "tools/list" {
        spoil(response, &control, &method).await
    } else {
        response
    }
}

/// Rewrites the one message of an answer, JSON or event stream.
async fn spoil(response: Response, control: &Control, method: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let faults = control.now();
    let lines = String::from_utf8_lossy(&bytes).into_owned();
    let rewritten: Vec<String> = lines
        .split('\n')
        .map(|line| {
            let (prefix, json) = line.strip_prefix("data: ").map_or(("", line), |json| ("data: ", json));
            match serde_json::from_str::<Value>(json) {
                Ok(mut answer) => {
                    faults.spoil(method, &mut answer);
                    format!("{prefix}{answer}")
                }
                Err(_) => line.to_owned(),
            }
        })
        .collect();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(rewritten.join("\n")))
}
