//! Streamable HTTP, with the mischief as a layer before rmcp's service.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use futures::{StreamExt as _, stream};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;

use crate::DemoError;
use crate::control::{Control, Faults};
use crate::hostile::{Reply, reply};
use crate::mischief::{
    Act, Cut, TOOLS_CHANGED, half, on_answer, on_request, refusal, told_changes, touches_answer,
};
use crate::server::Demo;

/// Largest request taken, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Serves `/mcp`, and `/mcp/ANYTHING` where one process is to stand for many servers, on loopback until the process ends.
pub(crate) async fn serve(demo: Demo, control: Arc<Control>, port: u16) -> Result<(), DemoError> {
    let service = StreamableHttpService::new(
        move || Ok(demo.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let app = Router::new()
        .route_service("/mcp", service.clone())
        .route_service("/mcp/{server}", service)
        .layer(middleware::from_fn_with_state(control, edge));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(DemoError::io(format!("listening on port {port}")))?;
    let port = listener.local_addr().map_err(DemoError::io("asking for the port"))?.port();
    eprintln!("listening on http://127.0.0.1:{port}/mcp");
    // Without it every event waits up to 40 ms for the client's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await.map_err(DemoError::io("serving"))
}

async fn edge(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    // What stands behind the `?` of the address are faults of that address alone.
    let Ok(Query(own)) = Query::<Faults>::try_from_uri(request.uri()) else {
        return (StatusCode::BAD_REQUEST, "the address names an unknown fault").into_response();
    };
    let faults = own.over(control.faults());
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let message: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    match on_request(&faults, control.era, &message) {
        Act::Pass => {}
        Act::Delay(wait) => tokio::time::sleep(wait).await,
        Act::Hang => std::future::pending().await,
        Act::Exit => std::process::exit(9),
        Act::Status(status, wait) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let wait: HeaderMap =
                wait.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))).into_iter().collect();
            return (status, wait).into_response();
        }
        Act::Refuse(code, text) => {
            let body = refusal(&message, code, text).to_string();
            let json = [(header::CONTENT_TYPE, "application/json")];
            return (StatusCode::BAD_REQUEST, json, body).into_response();
        }
    }
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if let Some(cut) = Cut::of(&faults, &method) {
        return cut_short(cut, response).await;
    }
    if faults.hostile_to(&method).is_some() || touches_answer(&faults, &method) {
        touched(&faults, &method, response).await
    } else {
        response
    }
}

/// Half of the answer, and then what `cut` says.
async fn cut_short(cut: Cut, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let first = half(&String::from_utf8_lossy(&bytes)).to_owned();
    let rest = stream::once(async move {
        cut.follow().await;
        String::new()
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = stream::once(std::future::ready(first)).chain(rest).map(Ok::<_, std::io::Error>);
    Response::from_parts(parts, Body::from_stream(body))
}

/// The answer with the mischief done to its JSON, plain or inside events.
async fn touched(faults: &Faults, method: &str, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let text = String::from_utf8_lossy(&bytes);
    let is_events = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("text/event-stream"));
    parts.headers.remove(header::CONTENT_LENGTH);
    let message = |line: &str| match is_events {
        true => {
            line.strip_prefix("data:").map(str::trim).filter(|data| data.starts_with('{')).map(str::to_owned)
        }
        false => Some(line.to_owned()),
    };
    if let Some(act) = faults.hostile_to(method)
        && let Some(answer) = text.lines().rev().find_map(message)
    {
        let (media, body) = hostile_body(reply(act, &answer));
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        return Response::from_parts(parts, body);
    }
    let changes = format!("data: {TOOLS_CHANGED}\n\n").repeat(told_changes(faults, method) as usize);
    let text = match is_events {
        true => text
            .lines()
            .map(|line| match message(line) {
                Some(data) => format!("data: {}\n", on_answer(faults, method, &data)),
                None => format!("{line}\n"),
            })
            .fold(changes, |all, line| all + &line),
        false => on_answer(faults, method, &text),
    };
    Response::from_parts(parts, Body::from(text))
}

/// A hostile reply as a body, and what it claims to be.
fn hostile_body(reply: Reply) -> (&'static str, Body) {
    const JSON: &str = "application/json";
    const EVENTS: &str = "text/event-stream";
    let event = |message: &[u8]| [b"data: ", message, b"\n\n"].concat();
    let endless = |first: Vec<u8>, then: Vec<u8>| {
        let all = stream::once(std::future::ready(first)).chain(stream::repeat(then));
        Body::from_stream(all.map(Ok::<_, std::io::Error>))
    };
    match reply {
        Reply::Messages(all) => {
            (EVENTS, Body::from(all.iter().flat_map(|message| event(message)).collect::<Vec<u8>>()))
        }
        Reply::Garbage(bytes) => (JSON, Body::from(bytes)),
        Reply::Half(bytes) => {
            let all = stream::once(std::future::ready(bytes)).chain(stream::pending());
            (JSON, Body::from_stream(all.map(Ok::<_, std::io::Error>)))
        }
        Reply::Flood(message) => (EVENTS, endless(Vec::new(), event(&message))),
        Reply::EndlessLine(bytes) => (EVENTS, endless(b"data: ".to_vec(), bytes)),
    }
}
