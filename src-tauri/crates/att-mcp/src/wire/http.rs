//! Streamable HTTP: our own POST, so that raw answers, status codes and Retry-After are not lost.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use ::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use ::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, ErrorData, JsonRpcMessage, ServerJsonRpcMessage,
};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
    StreamableHttpResponseLimits,
};
use serde_json::Value;
use sse_stream::{Sse, SseStream};

use super::{MAX_MESSAGE_BYTES, Wire, WireFault};
use crate::model::ErrorCategory;

const BOTH_TYPES: &str = "application/json, text/event-stream";
const SESSION_HEADER: &str = "mcp-session-id";
/// Longest error body shown, in bytes.
const ERROR_BODY_BYTES: usize = 600;

/// Longest challenge kept.
const CHALLENGE_CHARS: usize = 8_192;

type HttpError = StreamableHttpError<reqwest::Error>;

/// The shared client, seen from one connection.
#[derive(Clone)]
pub(crate) struct HttpWire {
    client: reqwest::Client,
    wire: Arc<Wire>,
}

impl HttpWire {
    pub fn new(client: reqwest::Client, wire: Arc<Wire>) -> Self {
        Self { client, wire }
    }

    async fn post(
        &self,
        uri: &str,
        message: &ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Trouble> {
        let mut request = self.client.post(uri).header(ACCEPT, BOTH_TYPES);
        for (name, value) in custom_headers {
            request = request.header(name, value);
        }
        let in_session = session_id.is_some();
        if let Some(session_id) = session_id {
            request = request.header(SESSION_HEADER, session_id.as_ref());
        }
        // Before, not after: a request whose answer never comes was sent all the same.
        if let Some(id) = request_id(message) {
            self.wire.mark_sent(&id);
        }
        let response = request.json(message).send().await.map_err(|error| {
            let fault = WireFault::new(ErrorCategory::TransportError, plain(&error));
            Trouble::Fault(if error.is_connect() { fault.unsent() } else { fault })
        })?;
        let status = response.status();
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status == StatusCode::NOT_FOUND && in_session {
            return Err(Trouble::SessionExpired);
        }
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let session = header(SESSION_HEADER);
        let retry_after = header(RETRY_AFTER.as_str());
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        let awaits_answer = matches!(message, JsonRpcMessage::Request(_));
        if !status.is_success() {
            let challenge = challenge(response.headers());
            let body = bounded_body(response).await.unwrap_or_default();
            return self.refused(message, status, retry_after.as_deref(), &body, session).map_err(
                |trouble| match trouble {
                    Trouble::Fault(mut fault) => {
                        fault.status = Some(status.as_u16());
                        fault.challenge = challenge;
                        Trouble::Fault(fault)
                    }
                    other => other,
                },
            );
        }
        if content_type.starts_with("text/event-stream") {
            let wire = Arc::clone(&self.wire);
            let id = request_id(message);
            let events = SseStream::from_bytes_stream(bounded_events(response.bytes_stream()))
                .inspect(move |event| note_event(&wire, id.as_deref(), event))
                .boxed();
            return Ok(StreamableHttpPostResponse::Sse(events, session));
        }
        if !awaits_answer {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let body = bounded_body(response).await?;
        let raw: Value = serde_json::from_slice(&body).map_err(|error| {
            let text = format!("the server answered HTTP {status} with broken JSON: {error}");
            Trouble::Fault(WireFault::new(ErrorCategory::InvalidPayload, text))
        })?;
        self.wire.note(&raw);
        let typed = serde_json::from_value::<ServerJsonRpcMessage>(raw).map_err(|error| {
            let text = format!("the server answered with something that is no MCP message: {error}");
            Trouble::Fault(WireFault::new(ErrorCategory::InvalidPayload, text))
        })?;
        Ok(StreamableHttpPostResponse::Json(typed, session))
    }

    /// A stream is opened only on a connection that has worked. Where even that is refused, nobody is left who could
    /// still answer what was asked before: whoever waits is told now, not when rmcp gives up.
    fn note_gone(&self, error: &HttpError) {
        if let StreamableHttpError::Client(error) = error
            && error.is_connect()
        {
            self.wire.break_with(WireFault::new(ErrorCategory::TransportError, plain(error)));
        }
    }

    /// An error status: a JSON-RPC error inside it counts as the answer; a refused `server/discover` is how a
    /// legacy server says that it does not know it.
    fn refused(
        &self,
        message: &ClientJsonRpcMessage,
        status: StatusCode,
        retry_after: Option<&str>,
        body: &[u8],
        session: Option<String>,
    ) -> Result<StreamableHttpPostResponse, Trouble> {
        let shown = shown_body(body);
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let text = format!("the server wants authorization (HTTP {status})");
            return Err(Trouble::Fault(WireFault::new(ErrorCategory::AuthRequired, text)));
        }
        let asked_to_wait = status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
        if status == StatusCode::TOO_MANY_REQUESTS || asked_to_wait {
            let mut fault = WireFault::new(
                ErrorCategory::Throttled,
                format!("the server asked ATT to wait (HTTP {status})"),
            );
            fault.retry_after_ms =
                retry_after.and_then(|s| s.trim().parse::<i64>().ok()).map(|s| s.clamp(0, 86_400) * 1000);
            return Err(Trouble::Fault(fault));
        }
        let parsed = serde_json::from_slice::<ServerJsonRpcMessage>(body).ok();
        let discover = match message {
            JsonRpcMessage::Request(r) if matches!(r.request, ClientRequest::DiscoverRequest(_)) => {
                Some(r.id.clone())
            }
            _ => None,
        };
        match (discover, parsed) {
            (Some(id), parsed) if status.is_client_error() => {
                let error = match parsed {
                    Some(JsonRpcMessage::Error(error)) => error.error,
                    _ => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("HTTP {status}"), None),
                };
                // The id may be missing or another one: it is the answer to this request all the same.
                Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, Some(id)), None))
            }
            (None, Some(error @ JsonRpcMessage::Error(_))) => {
                if let Ok(raw) = serde_json::from_slice::<Value>(body) {
                    self.wire.note(&raw);
                }
                Ok(StreamableHttpPostResponse::Json(error, session))
            }
            _ => {
                let text = format!("the server answered HTTP {status}{shown}");
                Err(Trouble::Fault(WireFault::new(ErrorCategory::HttpStatus, text)))
            }
        }
    }
}

/// Why a POST failed.
enum Trouble {
    Fault(WireFault),
    SessionExpired,
}

impl StreamableHttpClient for HttpWire {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        match self.post(&uri, &message, session_id, custom_headers).await {
            Ok(answer) => Ok(answer),
            Err(Trouble::SessionExpired) => Err(StreamableHttpError::SessionExpired),
            Err(Trouble::Fault(fault)) => {
                let text = fault.message.clone();
                if let Some(id) = request_id(&message) {
                    self.wire.fail(&id, fault);
                }
                Err(StreamableHttpError::UnexpectedServerResponse(Cow::Owned(text)))
            }
        }
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        _limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        self.post_message(uri, message, session_id, auth_header, custom_headers).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), HttpError> {
        self.client.delete_session(uri, session_id, auth_header, custom_headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, HttpError> {
        let limit = MAX_MESSAGE_BYTES;
        let events = self
            .client
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                custom_headers,
                limit,
            )
            .await
            .inspect_err(|error| self.note_gone(error))?;
        let wire = Arc::clone(&self.wire);
        Ok(events.inspect(move |event| note_event(&wire, None, event)).boxed())
    }
}

/// What a 401 or 403 wants, bounded.
fn challenge(headers: &::http::HeaderMap) -> Option<String> {
    let all: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()).collect();
    let joined: String = all.join(", ").chars().take(CHALLENGE_CHARS).collect();
    (!joined.is_empty()).then_some(joined)
}

fn request_id(message: &ClientJsonRpcMessage) -> Option<String> {
    match message {
        JsonRpcMessage::Request(request) => Some(request.id.to_string()),
        _ => None,
    }
}

fn note_event(wire: &Wire, id: Option<&str>, event: &Result<Sse, SseError>) {
    let Ok(Sse { data: Some(data), .. }) = event else { return };
    if data.trim().is_empty() {
        return;
    }
    match (serde_json::from_str::<Value>(data), id) {
        (Ok(raw), _) => wire.note(&raw),
        (Err(error), Some(id)) => {
            let text = format!("the server sent an event that is broken JSON: {error}");
            wire.fail(id, WireFault::new(ErrorCategory::InvalidPayload, text));
        }
        (Err(_), None) => {}
    }
}

async fn bounded_body(response: reqwest::Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|error| Trouble::Fault(WireFault::new(ErrorCategory::TransportError, plain(&error))))?;
        body.extend_from_slice(&chunk);
        if body.len() > MAX_MESSAGE_BYTES {
            let text = format!("the server's answer has more than {MAX_MESSAGE_BYTES} bytes");
            return Err(Trouble::Fault(WireFault::new(ErrorCategory::InvalidPayload, text)));
        }
    }
    Ok(body)
}

/// The stream, ended with an error once a single event grows beyond the bound.
fn bounded_events<S>(chunks: S) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send
where
    S: Stream<Item = Result<Bytes, reqwest::Error>> + Send,
{
    let mut size = 0usize;
    let mut last = 0u8;
    chunks.map(move |chunk| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        for byte in &chunk {
            if *byte == b'\r' {
                continue;
            }
            size = if *byte == b'\n' && last == b'\n' { 0 } else { size + 1 };
            last = *byte;
        }
        if size > MAX_MESSAGE_BYTES {
            return Err(std::io::Error::other("an event is too large"));
        }
        Ok(chunk)
    })
}

fn shown_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(ERROR_BODY_BYTES)]);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}

/// An error of the client with its causes, without the URL (it may hold a secret).
fn plain(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut text = match error {
        e if e.is_connect() => "the connection was refused or could not be made".to_owned(),
        e if e.is_timeout() => "the connection timed out".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    let mut source = error.source();
    let mut last = None;
    while let Some(inner) = source {
        last = Some(inner.to_string());
        source = inner.source();
    }
    if let Some(last) = last {
        text = format!("{text}: {last}");
    }
    text
}
