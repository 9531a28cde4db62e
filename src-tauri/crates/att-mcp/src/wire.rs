//! The edge: what really goes over the wire, kept raw beside rmcp's typed models.
//!
//! rmcp drops unknown fields and, with one malformed item, a whole list. So every answer to a request that we
//! read for content is put aside here as plain JSON, and handed back in place of the typed one.

pub(crate) mod http;
pub(crate) mod line;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, CustomResult, JsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::ErrorCategory;

/// Largest single message taken, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Methods whose answers are handed on raw.
const RAW_METHODS: [&str; 7] = [
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "tools/call",
    "resources/read",
    "prompts/get",
];

/// What went wrong at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireFault {
    pub category: ErrorCategory,
    pub message: String,
    /// How long the server wants to be left alone.
    pub retry_after_ms: Option<i64>,
    /// False when surely no byte of the request reached the server.
    pub sent: bool,
    /// The HTTP status that said so, where one did.
    pub status: Option<u16>,
    /// The `WWW-Authenticate` headers of a 401 or 403, as the server wrote them, joined by commas.
    pub challenge: Option<String>,
}

impl WireFault {
    pub fn new(category: ErrorCategory, message: impl Into<String>) -> Self {
        Self {
            category,
            message: message.into(),
            retry_after_ms: None,
            sent: true,
            status: None,
            challenge: None,
        }
    }

    pub fn unsent(mut self) -> Self {
        self.sent = false;
        self
    }
}

/// What the edge knows of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub sent: bool,
    pub first_byte_ms: Option<i64>,
    pub fault: Option<WireFault>,
}

#[derive(Debug)]
struct Waiting {
    keep: Keep,
    raw: Option<Value>,
    trace: Trace,
    begun: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Handed on instead of the typed answer.
    Replace,
    /// Kept as the greeting, the typed answer goes on too.
    Greeting,
    /// Not kept.
    Nothing,
}

#[derive(Debug, Default)]
struct Known {
    waiting: HashMap<String, Waiting>,
    greeting: Option<Value>,
    broken: Option<WireFault>,
    /// The transport is gone; says nothing where there is a better reason.
    ended: bool,
}

impl Known {
    fn over(&self) -> Option<WireFault> {
        let gone = || WireFault::new(ErrorCategory::TransportError, "the server closed the connection");
        self.broken.clone().or_else(|| self.ended.then(gone))
    }
}

/// Shared by the transport, which fills it, and the connection, which asks it.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    known: Mutex<Known>,
    news: Notify,
}

impl Wire {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is about to go out.
    fn register(&self, message: &ClientJsonRpcMessage) {
        let JsonRpcMessage::Request(request) = message else { return };
        let keep = match request.request.method() {
            // It stays open as long as the connection; rmcp follows it.
            "subscriptions/listen" => return,
            "initialize" | "server/discover" => Keep::Greeting,
            method if RAW_METHODS.contains(&method) => Keep::Replace,
            _ => Keep::Nothing,
        };
        let waiting = Waiting { keep, raw: None, trace: Trace::default(), begun: Instant::now() };
        self.known().waiting.insert(request.id.to_string(), waiting);
    }

    /// Bytes of this request go out now.
    fn mark_sent(&self, id: &str) {
        if let Some(waiting) = self.known().waiting.get_mut(id) {
            waiting.trace.sent = true;
        }
    }

    /// A message came in, raw.
    fn note(&self, message: &Value) {
        let Some(id) = message.get("id").map(id_text) else { return };
        let mut known = self.known();
        let Some(waiting) = known.waiting.get_mut(&id) else { return };
        let elapsed = i64::try_from(waiting.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        waiting.trace.first_byte_ms.get_or_insert(elapsed);
        let Some(result) = message.get("result") else { return };
        match waiting.keep {
            Keep::Replace => waiting.raw = Some(result.clone()),
            Keep::Greeting => known.greeting = Some(result.clone()),
            Keep::Nothing => {}
        }
    }

    /// The typed message with its result replaced by the raw one, where we want that.
    fn swap(&self, message: ServerJsonRpcMessage) -> ServerJsonRpcMessage {
        match message {
            JsonRpcMessage::Response(mut response) => {
                let mut known = self.known();
                let raw = known.waiting.get_mut(&response.id.to_string()).and_then(|w| w.raw.take());
                if let Some(raw) = raw {
                    response.result = ServerResult::CustomResult(CustomResult::new(raw));
                }
                JsonRpcMessage::Response(response)
            }
            other => other,
        }
    }

    /// This request failed at the edge.
    fn fail(&self, id: &str, fault: WireFault) {
        if let Some(waiting) = self.known().waiting.get_mut(id) {
            waiting.trace.sent = fault.sent;
            waiting.trace.fault.get_or_insert(fault);
        }
        self.news.notify_waiters();
    }

    /// The transport as a whole failed; the first cause is the one that counts.
    pub fn break_with(&self, fault: WireFault) {
        self.known().broken.get_or_insert(fault);
        self.news.notify_waiters();
    }

    /// The transport is gone, for whatever reason.
    fn end(&self) {
        self.known().ended = true;
        self.news.notify_waiters();
    }

    /// True once the transport failed or is gone.
    pub fn is_over(&self) -> bool {
        let known = self.known();
        known.ended || known.broken.is_some()
    }

    /// Why the transport, or a request on it, failed; none if all that is known is that it is gone.
    pub fn cause(&self) -> Option<WireFault> {
        let known = self.known();
        known.waiting.values().find_map(|w| w.trace.fault.clone()).or_else(|| known.broken.clone())
    }

    /// `initialize` or `server/discover` as the server answered it last.
    pub fn greeting(&self) -> Option<Value> {
        self.known().greeting.clone()
    }

    /// What is known of a request; it is forgotten with that.
    pub fn finish(&self, id: &str) -> Trace {
        let mut known = self.known();
        let broken = known.over();
        let mut trace = known.waiting.remove(id).map_or_else(Trace::default, |w| w.trace);
        if trace.fault.is_none() {
            trace.fault = broken;
        }
        trace
    }

    /// Waits until this request, or with `None` any request, or the transport failed.
    pub async fn failed(&self, id: Option<&str>) -> WireFault {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            {
                let known = self.known();
                let of_request = match id {
                    Some(id) => known.waiting.get(id).and_then(|w| w.trace.fault.clone()),
                    None => known.waiting.values().find_map(|w| w.trace.fault.clone()),
                };
                if let Some(fault) = of_request.or_else(|| known.over()) {
                    return fault;
                }
            }
            news.await;
        }
    }
}

/// A JSON-RPC id as one text, the same for our typed ids and for raw ones.
fn id_text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Tells the wire that its transport is gone, whoever dropped it: rmcp has no future for that.
pub(crate) struct EndOfTransport(std::sync::Arc<Wire>);

impl Drop for EndOfTransport {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Any rmcp transport with the raw answers put back in.
pub(crate) struct Tapped<T> {
    inner: T,
    wire: std::sync::Arc<Wire>,
    _end: EndOfTransport,
}

impl<T> Tapped<T> {
    pub fn new(inner: T, wire: std::sync::Arc<Wire>) -> Self {
        let _end = EndOfTransport(std::sync::Arc::clone(&wire));
        Self { inner, wire, _end }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Tapped<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.wire.register(&item);
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        match self.inner.receive().await {
            Some(message) => Some(self.wire.swap(message)),
            None => {
                self.wire.end();
                None
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
