//! The servers: one process, one port, one endpoint a path. A legacy server with three tools, answered by hand so
//! that what is measured is the client. `/mcp/REVISION/NUMBER` is well, `/hang`, `/500` and `/broken` are not.

use crate::peers::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use std::io::Write as _;

/// How it answers.
#[derive(Debug, Clone, Copy)]
struct Manner {
    events: bool,
    streams: bool,
}

/// Serves until it is ended; tells its port on standard output.
pub async fn serve() -> Result<()> {
    let set = |name: &str| std::env::var_os(name).is_some();
    let manner = Manner { events: set("ATT_BENCH_EVENTS"), streams: set("ATT_BENCH_STREAMS") };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    let app = Router::new()
        .route("/mcp/{revision}/{number}", any(answer))
        .route("/hang/{number}", any(std::future::pending::<()>))
        .route("/500/{number}", any(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route(
            "/broken/{number}",
            any(|| async { ([(header::CONTENT_TYPE, "application/json")], "{\"jsonrpc\": ") }),
        )
        .with_state(manner);
    Ok(axum::serve(listener, app).await?)
}

async fn answer(
    State(manner): State<Manner>,
    method: Method,
    Path((revision, number)): Path<(u32, u32)>,
    body: Bytes,
) -> Response {
    if method == Method::GET {
        if !manner.streams {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let silent = Body::from_stream(futures::stream::pending::<std::io::Result<Bytes>>());
        return ([(header::CONTENT_TYPE, "text/event-stream")], silent).into_response();
    }
    if method == Method::DELETE {
        return StatusCode::OK.into_response();
    }
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(id) = request.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let message = match result(&request, revision, number) {
        Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        None => json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "unknown method"}}),
    };
    let (kind, text) = match manner.events {
        true => ("text/event-stream", format!("event: message\ndata: {message}\n\n")),
        false => ("application/json", message.to_string()),
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], text).into_response();
    if request["method"] == "initialize"
        && let Ok(session) = HeaderValue::from_str(&format!("session-{revision}-{number}"))
    {
        response.headers_mut().insert("mcp-session-id", session);
    }
    response
}

fn result(request: &Value, revision: u32, number: u32) -> Option<Value> {
    Some(match request["method"].as_str()? {
        "initialize" => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": format!("farm-{number}"), "version": "1"},
        }),
        "tools/list" => json!({"tools": [
            tool("echo", "Say it again", revision), tool("add", "Add numbers", revision), tool("count", "Count", revision)
        ]}),
        "tools/call" => {
            json!({"content": [{"type": "text", "text": request["params"]["arguments"]["text"]}]})
        }
        "ping" => json!({}),
        _ => return None,
    })
}

fn tool(name: &str, description: &str, revision: u32) -> Value {
    json!({
        "name": name,
        "description": format!("{description}, as of revision {revision}"),
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "Any text", "maxLength": 1000}},
            "required": ["text"],
        },
    })
}
