//! The edge: what really goes over the wire, logged, bounded, and kept raw beside rmcp's typed models.
//!
//! rmcp drops unknown fields and, with one malformed item, a whole list. So every message is parsed here, once, and the
//! answer to a request that is read for content is handed on as plain JSON.

pub(crate) mod disk;
pub(crate) mod http;
pub(crate) mod incoming;
pub(crate) mod line;
pub(crate) mod log;
mod rate;
pub(crate) mod reading;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, RequestId};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::log::{Passing, WireLog};
use self::rate::Rate;
use crate::conversation::Conversation;
use crate::model::{AuthNeed, ErrorCategory, WireDirection, WireKind};

/// Largest single message taken, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Methods whose answers are handed on raw.
const RAW_METHODS: [&str; 9] = [
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "tools/call",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "ping",
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
    /// Who can cure an `auth_required`.
    pub need: Option<AuthNeed>,
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
            need: None,
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
    /// Why there is no answer: of this request, or of the whole transport.
    pub fault: Option<WireFault>,
    /// True when `fault` is of this request.
    pub failed: bool,
}

#[derive(Debug)]
struct Waiting {
    id: RequestId,
    method: String,
    keep: Keep,
    answered: bool,
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
    /// The server was greeted in the modern way.
    modern: bool,
    rate: Rate,
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
#[derive(Default)]
pub(crate) struct Wire {
    known: Mutex<Known>,
    news: Notify,
    log: Option<(Arc<WireLog>, u64)>,
    conversation: Option<Arc<Conversation>>,
}

/// What is read of a message of our own beside its id.
#[derive(Deserialize)]
struct Head {
    method: Option<String>,
}

impl Wire {
    /// A wire of the connection attempt `generation`, all of it kept in `log`, its side talk told to `conversation`.
    pub fn new(log: Arc<WireLog>, generation: u64, conversation: Arc<Conversation>) -> Self {
        Self { log: Some((log, generation)), conversation: Some(conversation), ..Self::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, passing: Passing<'_>) {
        if let Some((log, generation)) = &self.log {
            log.keep(*generation, passing);
        }
    }

    /// A request is about to go out.
    fn register(&self, message: &ClientJsonRpcMessage) {
        let JsonRpcMessage::Request(request) = message else { return };
        let method = request.request.method();
        let keep = match method {
            "initialize" | "server/discover" => Keep::Greeting,
            method if RAW_METHODS.contains(&method) => Keep::Replace,
            _ => Keep::Nothing,
        };
        let waiting = Waiting {
            id: request.id.clone(),
            method: method.to_owned(),
            keep,
            answered: false,
            trace: Trace::default(),
            begun: Instant::now(),
        };
        self.known().waiting.insert(request.id.to_string(), waiting);
    }

    /// The bytes of a message of our own go out now.
    pub fn going_out(&self, message: &ClientJsonRpcMessage, bytes: &[u8], session: Option<&Arc<str>>) {
        let (kind, id, method) = match message {
            JsonRpcMessage::Request(request) => {
                let id = request.id.to_string();
                // Before, not after: a request whose answer never comes was sent all the same.
                if let Some(waiting) = self.known().waiting.get_mut(&id) {
                    waiting.trace.sent = true;
                }
                (WireKind::Request, Some(id), Some(request.request.method().to_owned()))
            }
            JsonRpcMessage::Response(response) => (WireKind::Response, Some(response.id.to_string()), None),
            JsonRpcMessage::Error(error) => {
                (WireKind::Error, error.id.as_ref().map(ToString::to_string), None)
            }
            JsonRpcMessage::Notification(_) => (
                WireKind::Notification,
                None,
                serde_json::from_slice::<Head>(bytes).ok().and_then(|h| h.method),
            ),
        };
        self.log(Passing {
            direction: WireDirection::Out,
            kind,
            method: method.as_deref(),
            id: id.as_deref(),
            status: None,
            session,
            raw: bytes,
        });
    }

    /// An HTTP answer that holds no message: an error status, or a body that is none.
    pub fn refused(&self, id: Option<&str>, status: u16, session: Option<&Arc<str>>, body: &[u8]) {
        let method = id.and_then(|id| self.method_of(id));
        self.log(Passing {
            direction: WireDirection::In,
            kind: WireKind::Error,
            method: method.as_deref(),
            id,
            status: Some(status),
            session,
            raw: body,
        });
    }

    /// The method of a request under way.
    fn method_of(&self, id: &str) -> Option<String> {
        self.known().waiting.get(id).map(|waiting| waiting.method.clone())
    }

    /// This request failed at the edge.
    fn fail(&self, id: &str, fault: WireFault) {
        if let Some(waiting) = self.known().waiting.get_mut(id) {
            waiting.trace.sent = fault.sent;
            waiting.trace.failed = true;
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

    /// True once the server was greeted in the modern way.
    pub fn is_modern(&self) -> bool {
        self.known().modern
    }

    /// True when this request has its answer, or nobody waits for it.
    pub fn is_answered(&self, id: &str) -> bool {
        self.known().waiting.get(id).is_none_or(|waiting| waiting.answered)
    }

    /// A text of the greeting.
    pub fn greeting_text(&self, key: &str) -> Option<String> {
        self.known().greeting.as_ref()?.get(key)?.as_str().map(str::to_owned)
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
pub(crate) struct EndOfTransport(Arc<Wire>);

impl Drop for EndOfTransport {
    fn drop(&mut self) {
        self.0.end();
    }
}
