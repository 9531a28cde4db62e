//! Streamable HTTP as a transport of our own: every request a POST of its own, its answer plain or as events, and in
//! the legacy era a session with a standing stream beside it.
//!
//! Nothing is ever sent twice: a session that the server forgot breaks the connection, and what was under way on it is
//! told so. Only an answer's *stream* is taken up again, where the server gave its events ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, StatusCode};
use att_core::id::Randomness;
use bytes::Bytes;
use reqwest::Response;
use rmcp::RoleClient;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorCode, ErrorData, GetMeta as _, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::headers::{self, LAST_EVENT_ID, PROTOCOL_VERSION, SESSION, ToolHeaders};
use super::refusal::{refusal, session_is_gone};
use super::{HttpFault, HttpWire, REFUSAL_BYTES, bounded_body, header_text, media_type};
use crate::model::ErrorCategory;
use crate::wire::incoming::{Arrival, error_of};
use crate::wire::{EndOfTransport, MAX_MESSAGE_BYTES, Wire, WireFault};

/// Messages waiting for rmcp, at most; beyond that the streams wait.
pub(super) const INBOUND: usize = 256;
/// Requests under way over one connection, at most; beyond that they wait.
const AT_ONCE: usize = 256;
/// Longest time for ending a session.
const DELETE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// So long the rest of an answer may take, for the connection to be used again.
const REST_TIMEOUT: Duration = Duration::from_millis(50);

/// One connection to a Streamable HTTP server.
pub(crate) struct StreamableTransport {
    shared: Arc<Shared>,
    inbound: mpsc::Receiver<ServerJsonRpcMessage>,
    _streams: DropGuard,
    _end: EndOfTransport,
}

pub(super) struct Shared {
    pub http: HttpWire,
    pub wire: Arc<Wire>,
    pub inbound: mpsc::Sender<ServerJsonRpcMessage>,
    /// What came and was of no use.
    pub noise: mpsc::Sender<String>,
    pub randomness: Arc<dyn Randomness>,
    /// Ends every stream.
    pub over: CancellationToken,
    session: Mutex<Session>,
    under_way: Mutex<HashMap<String, CancellationToken>>,
    tools: Mutex<ToolHeaders>,
    at_once: Semaphore,
}

#[derive(Debug, Clone, Default)]
struct Session {
    id: Option<Arc<str>>,
    /// What the legacy handshake agreed on.
    version: Option<HeaderValue>,
}

/// A request whose answer is read.
pub(super) struct Asked {
    pub id: RequestId,
    pub key: String,
    is_tools: bool,
}

impl StreamableTransport {
    pub fn new(
        http: HttpWire,
        wire: Arc<Wire>,
        noise: mpsc::Sender<String>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let (inbound, messages) = mpsc::channel(INBOUND);
        let over = CancellationToken::new();
        let _streams = over.clone().drop_guard();
        let _end = EndOfTransport(Arc::clone(&wire));
        let shared = Arc::new(Shared {
            http,
            wire,
            inbound,
            noise,
            randomness,
            over,
            session: Mutex::default(),
            under_way: Mutex::default(),
            tools: Mutex::default(),
            at_once: Semaphore::new(AT_ONCE),
        });
        Self { shared, inbound: messages, _streams, _end }
    }
}

impl Transport<RoleClient> for StreamableTransport {
    type Error = HttpFault;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.shared.wire.register(&item);
        let shared = Arc::clone(&self.shared);
        async move { shared.send(item).await.map_err(HttpFault) }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        tokio::select! {
            biased;
            message = self.inbound.recv() => message,
            () = self.shared.over.cancelled() => None,
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.shared.over.cancel();
        let session = self.shared.session().clone();
        if let Some(id) = &session.id {
            let headers = self.shared.session_headers(id, session.version);
            let _ = tokio::time::timeout(DELETE_TIMEOUT, self.shared.http.delete(headers)).await;
        }
        Ok(())
    }
}

impl Shared {
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tools(&self) -> MutexGuard<'_, ToolHeaders> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(self: Arc<Self>, item: ClientJsonRpcMessage) -> Result<(), WireFault> {
        let (request, is_initialize, is_tools, stays_open) = match &item {
            JsonRpcMessage::Request(request) => {
                let method = request.request.method();
                (
                    Some(request.id.clone()),
                    method == "initialize",
                    method == "tools/list",
                    method == "subscriptions/listen",
                )
            }
            JsonRpcMessage::Notification(note) => {
                if let ClientNotification::CancelledNotification(cancelled) = &note.notification {
                    let id = cancelled.params.request_id.as_ref().map(ToString::to_string);
                    return self.cancel(&item, id.as_deref()).await;
                }
                let opens = matches!(note.notification, ClientNotification::InitializedNotification(_));
                let outcome = self.post(&item, None, None, false).await;
                if opens {
                    match &outcome {
                        Ok(()) => self.stand(),
                        Err(fault) => self.wire.break_with(fault.clone()),
                    }
                }
                return outcome;
            }
            _ => (None, false, false, false),
        };
        let Some(id) = request else { return self.post(&item, None, None, false).await };
        let key = id.to_string();
        let token = self.over.child_token();
        let under_way = UnderWay::new(&self, key.clone(), token.clone());
        let asked = Asked { id, key, is_tools };
        let _permit = match stays_open {
            true => None,
            false => self.at_once.acquire().await.ok(),
        };
        let cancelled = || WireFault::new(ErrorCategory::Cancelled, "the request was cancelled");
        let failed_key = asked.key.clone();
        tokio::select! {
            biased;
            () = token.cancelled() => Err(cancelled()),
            outcome = self.post(&item, Some(asked), Some(under_way), is_initialize) => outcome.inspect_err(|fault| {
                self.wire.fail(&failed_key, fault.clone());
            }),
        }
    }

    /// The modern era cancels by closing the request's stream; the legacy one by saying so.
    async fn cancel(
        self: &Arc<Self>,
        item: &ClientJsonRpcMessage,
        id: Option<&str>,
    ) -> Result<(), WireFault> {
        let stream = id.and_then(|id| self.under_way().remove(id));
        let outcome = match self.wire.is_modern() {
            true => Ok(()),
            false => self.post(item, None, None, false).await,
        };
        if let Some(stream) = stream {
            stream.cancel();
        }
        outcome
    }

    async fn post(
        self: &Arc<Self>,
        item: &ClientJsonRpcMessage,
        asked: Option<Asked>,
        under_way: Option<UnderWay>,
        is_initialize: bool,
    ) -> Result<(), WireFault> {
        let body = serde_json::to_vec(item).map_err(|error| {
            WireFault::new(ErrorCategory::Unknown, format!("the message has no JSON form: {error}")).unsent()
        })?;
        let body = Bytes::from(body);
        let session = if is_initialize { None } else { self.session().id.clone() };
        let headers = self.headers(item, &body, session.as_ref(), is_initialize);
        self.wire.going_out(item, &body, session.as_ref());
        let response = self.http.post(body, headers).await?;
        let status = response.status();
        if status.is_success() && is_initialize {
            self.session().id = header_text(response.headers(), SESSION).map(Arc::from);
        }
        if !status.is_success() {
            return self.refused(item, asked, response, session.as_ref()).await;
        }
        let Some(asked) = asked else {
            rest_of(response).await;
            return Ok(());
        };
        let media = media_type(&response);
        match media.as_str() {
            "text/event-stream" => {
                let shared = Arc::clone(self);
                tokio::spawn(async move { shared.follow(asked, response, under_way).await });
                Ok(())
            }
            "application/json" | "" if !matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => {
                let body = bounded_body(response, MAX_MESSAGE_BYTES).await?;
                let arrival = Arrival {
                    status: Some(status.as_u16()),
                    session: session.as_ref(),
                    request: Some(&asked.id),
                    unassociated: false,
                };
                self.hear(&body, arrival, Some(&asked)).await?;
                if self.wire.is_answered(&asked.key) {
                    return Ok(());
                }
                let text = "the server answered with something else than what it was asked";
                Err(WireFault::new(ErrorCategory::InvalidPayload, text))
            }
            _ => {
                let body = bounded_body(response, REFUSAL_BYTES).await.unwrap_or_default();
                self.wire.refused(Some(&asked.key), status.as_u16(), session.as_ref(), &body);
                let media = att_core::visible(&media).chars().take(100).collect::<String>();
                let text = match media.as_str() {
                    "" | "application/json" => {
                        format!("the server took the request and gave no answer (HTTP {status})")
                    }
                    media => {
                        format!("the server answered with {media}, which is no MCP answer (HTTP {status})")
                    }
                };
                let mut fault = WireFault::new(ErrorCategory::InvalidPayload, text);
                fault.status = Some(status.as_u16());
                Err(fault)
            }
        }
    }

    /// An error status: a JSON-RPC error inside it counts as the answer; a refused `server/discover` is how a legacy
    /// server says that it does not know it.
    async fn refused(
        &self,
        item: &ClientJsonRpcMessage,
        asked: Option<Asked>,
        response: Response,
        session: Option<&Arc<str>>,
    ) -> Result<(), WireFault> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = bounded_body(response, REFUSAL_BYTES).await.unwrap_or_default();
        self.wire.refused(asked.as_ref().map(|asked| asked.key.as_str()), status.as_u16(), session, &body);
        let fault = refusal(status, &headers, &body, session.is_some());
        if session.is_some() && session_is_gone(status, &body) {
            self.wire.break_with(fault.clone());
            return Err(fault);
        }
        let (Some(asked), ErrorCategory::HttpStatus) = (asked, fault.category) else { return Err(fault) };
        let is_discover =
            matches!(item, JsonRpcMessage::Request(r) if r.request.method() == "server/discover");
        let told = serde_json::from_slice::<Value>(&body).ok().and_then(|message| error_of(&message));
        let error = match told {
            Some(error) => error,
            None if is_discover && status.is_client_error() => {
                ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("HTTP {status}"), None)
            }
            None => return Err(fault),
        };
        // Its id may be missing or another one: it is the answer to this request all the same.
        if let Some(message) = self.wire.answer_with(&asked.key, error) {
            let _ = self.inbound.send(message).await;
        }
        Ok(())
    }

    /// Takes a message and hands it on. A message that is broken is a fault of the request it answers.
    pub(super) async fn hear(
        &self,
        bytes: &[u8],
        arrival: Arrival<'_>,
        asked: Option<&Asked>,
    ) -> Result<(), WireFault> {
        let is_tools = asked.is_some_and(|asked| asked.is_tools) && self.wire.is_modern();
        super::hand_on(&self.wire, bytes, arrival, &self.inbound, &self.noise, |result| {
            if is_tools {
                headers::learn(result, &mut self.tools());
            }
        })
        .await
    }

    fn headers(
        &self,
        item: &ClientJsonRpcMessage,
        body: &[u8],
        session: Option<&Arc<str>>,
        is_initialize: bool,
    ) -> HeaderMap {
        if is_initialize {
            return HeaderMap::new();
        }
        let asked = match item {
            JsonRpcMessage::Request(request) => request.request.get_meta().protocol_version(),
            _ => None,
        };
        let modern = asked.as_ref().is_some_and(|version| version.as_str() >= headers::SINCE);
        let mut all = match modern.then(|| serde_json::from_slice::<Value>(body)) {
            Some(Ok(request)) => headers::of_request(&request, &self.tools()),
            Some(Err(_)) | None => HeaderMap::new(),
        };
        let version = match asked {
            Some(version) => HeaderValue::from_str(version.as_str()).ok(),
            None => self.agreed_version(),
        };
        if let Some(session) = session {
            all.extend(self.session_headers(session, version));
        } else if let Some(version) = version {
            all.insert(PROTOCOL_VERSION, version);
        }
        all
    }

    pub(super) fn session_headers(&self, session: &str, version: Option<HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(session) = HeaderValue::from_str(session) {
            headers.insert(SESSION, session);
        }
        if let Some(version) = version {
            headers.insert(PROTOCOL_VERSION, version);
        }
        headers
    }

    fn agreed_version(&self) -> Option<HeaderValue> {
        let mut session = self.session();
        if session.version.is_none() {
            let agreed = self.wire.greeting_text("protocolVersion");
            session.version = agreed.and_then(|version| HeaderValue::from_str(&version).ok());
        }
        session.version.clone()
    }

    /// Headers of a GET in this session, and the session.
    pub(super) fn stream_headers(&self, last_id: Option<&str>) -> (HeaderMap, Option<Arc<str>>) {
        let version = self.agreed_version();
        let id = self.session().id.clone();
        let mut headers = match &id {
            Some(id) => self.session_headers(id, version),
            None => version.map(|version| (PROTOCOL_VERSION, version)).into_iter().collect(),
        };
        if let Some(value) = last_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(LAST_EVENT_ID, value);
        }
        (headers, id)
    }
}

/// Reads what is left of an answer that nobody needs, shortly, so that its connection can be used again.
pub(super) async fn rest_of(response: Response) {
    let _ = tokio::time::timeout(REST_TIMEOUT, bounded_body(response, REFUSAL_BYTES)).await;
}

/// A request under way, listed so that it can be cancelled.
pub(super) struct UnderWay {
    shared: Arc<Shared>,
    key: String,
    pub token: CancellationToken,
}

impl UnderWay {
    fn new(shared: &Arc<Shared>, key: String, token: CancellationToken) -> Self {
        shared.under_way().insert(key.clone(), token.clone());
        Self { shared: Arc::clone(shared), key, token }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.shared.under_way().remove(&self.key);
    }
}
