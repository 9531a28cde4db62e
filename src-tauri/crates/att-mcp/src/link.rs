//! One standing connection: rmcp's peer with the raw answers of the edge.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CancelledNotificationParam, ClientRequest, DiscoverRequest, DiscoverRequestParams, PingRequest,
    RequestId, RequestMetaObject, ServerResult,
};
use rmcp::service::{PeerRequestOptions, RunningService, ServiceError};
use rmcp::{Peer, RoleClient};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::activity::Activity;
use crate::client::FleetClient;
use crate::conversation::{Caller, Conversation};
use crate::facets::Greeting;
use crate::model::{Era, ErrorCategory};
use crate::wire::{Trace, Wire, WireFault};

/// A connection that was greeted. Dropping it closes the transport.
pub(crate) struct Link {
    pub generation: u64,
    pub greeting: Greeting,
    peer: Peer<RoleClient>,
    wire: Arc<Wire>,
    conversation: Arc<Conversation>,
    service: Mutex<Option<RunningService<RoleClient, FleetClient>>>,
    /// Calls under way, and the last answer.
    pub activity: Activity,
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Longest time without a sign of life.
    pub silence: Duration,
    /// The hard end, whatever signs of life there are.
    pub until: Instant,
    /// Whether a progress is a sign of life.
    pub resets: bool,
}

impl Patience {
    /// So long and no longer.
    pub fn within(timeout: Duration) -> Self {
        Self { silence: timeout, until: Instant::now() + timeout, resets: false }
    }

    fn end(&self, sign_at: Instant) -> Instant {
        self.until.min(sign_at + self.silence)
    }
}

/// An answer, raw.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub value: Value,
    pub first_byte_ms: Option<i64>,
    pub total_ms: i64,
    /// Why the server's wish for input was not met, where the answer is one.
    pub unmet: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RequestError {
    /// No byte left.
    #[error("{}", .0.message)]
    NotSent(WireFault),
    /// Bytes left, nothing came back.
    #[error("{}", .0.message)]
    NoReply(WireFault),
    /// The server answered with a JSON-RPC error.
    #[error("{message} (JSON-RPC error {code})")]
    Refused { code: i64, message: String, data: Option<Value>, first_byte_ms: Option<i64> },
}

impl Link {
    pub fn new(
        generation: u64,
        greeting: Greeting,
        service: RunningService<RoleClient, FleetClient>,
        wire: Arc<Wire>,
    ) -> Self {
        let peer = service.peer().clone();
        let conversation = Arc::clone(&service.service().conversation);
        Self {
            generation,
            greeting,
            peer,
            wire,
            conversation,
            service: Mutex::new(Some(service)),
            activity: Activity::new(),
        }
    }

    /// The rmcp peer, for what needs no raw answer.
    pub fn peer(&self) -> &Peer<RoleClient> {
        &self.peer
    }

    /// True once the transport is gone.
    pub fn is_closed(&self) -> bool {
        self.peer.is_transport_closed() || self.wire.is_over()
    }

    /// True while it stands and was heard of within `window_ms`.
    pub fn is_fresh(&self, window_ms: i64) -> bool {
        !self.is_closed() && millis(self.activity.silent_for()) <= window_ms
    }

    /// Why the transport, or a request on it, failed, where anything is known of it.
    pub fn cause(&self) -> Option<WireFault> {
        self.wire.cause()
    }

    /// Ends with why the transport as a whole failed; a dead HTTP server gives no such signal.
    pub async fn broken(&self) -> WireFault {
        self.wire.failed(Some("")).await
    }

    /// One request with its own timeout.
    pub async fn request(
        &self,
        request: ClientRequest,
        timeout: Duration,
        meta: Option<RequestMetaObject>,
    ) -> Result<Answer, RequestError> {
        self.ask(request, meta, Patience::within(timeout), None).await
    }

    /// One request on behalf of `caller`, waited for as long as `patience` allows.
    pub async fn ask(
        &self,
        request: ClientRequest,
        meta: Option<RequestMetaObject>,
        patience: Patience,
        caller: Option<Caller>,
    ) -> Result<Answer, RequestError> {
        let begun = Instant::now();
        let _in_use = caller.is_some().then(|| self.activity.enter());
        let mut options = PeerRequestOptions::no_options();
        options.meta = meta;
        let handle = match self.peer.send_cancellable_request(request, options).await {
            Ok(handle) => handle,
            Err(error) => return Err(self.judge(error, self.wire.finish(""))),
        };
        let id = handle.id.to_string();
        // Forgets the request also when the caller stops waiting.
        let pending = Pending { link: self, request: Some(handle.id.clone()) };
        let listening = self.conversation.listen(&handle.progress_token, &id, caller, patience.until);
        let outcome = {
            let answered = handle.await_response();
            let failed = self.wire.failed(Some(&id));
            tokio::pin!(answered, failed);
            let mut end = patience.end(begun);
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut answered => break outcome,
                    _ = &mut failed => break Err(ServiceError::TransportClosed),
                    () = listening.heard.sign.notified(), if patience.resets => {
                        end = patience.end(Instant::now());
                    }
                    // While the operator thinks, the server may be silent.
                    () = listening.heard.asked.notified() => {
                        end = match listening.heard.waits_for_operator() {
                            true => patience.until,
                            false => patience.end(Instant::now()),
                        };
                    }
                    () = sleep_until(end) => break Err(ServiceError::Timeout { timeout: end.duration_since(begun) }),
                }
            }
        };
        drop(listening);
        // The server of a request that timed out is told, as for one whose caller went away.
        let timed_out = matches!(outcome, Err(ServiceError::Timeout { .. }));
        let trace = if timed_out { pending.abandon() } else { pending.finish() };
        let total_ms = millis(begun.elapsed());
        if matches!(outcome, Ok(_) | Err(ServiceError::McpError(_))) {
            self.activity.answered();
        }
        match outcome {
            Ok(result) => {
                let value = match result {
                    ServerResult::CustomResult(raw) => raw.0,
                    typed => serde_json::to_value(typed).unwrap_or(Value::Null),
                };
                Ok(Answer { value, first_byte_ms: trace.first_byte_ms, total_ms, unmet: None })
            }
            Err(error) => Err(self.judge(error, trace)),
        }
    }

    /// Asks whether the server lives, in the way of its era.
    pub async fn probe(&self, timeout: Duration) -> Result<Answer, RequestError> {
        let request = match self.greeting.era {
            Era::Legacy => ClientRequest::PingRequest(PingRequest {
                method: Default::default(),
                extensions: Default::default(),
            }),
            Era::Modern => ClientRequest::DiscoverRequest(DiscoverRequest::new(DiscoverRequestParams {})),
        };
        self.request(request, timeout, None).await
    }

    /// Closes the transport and waits, bounded, until it is gone. A session is ended with the server.
    pub async fn close(&self) {
        self.conversation.end();
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut service) = service {
            let _ = tokio::time::timeout(Duration::from_secs(2), service.close()).await;
        }
    }

    fn judge(&self, error: ServiceError, trace: Trace) -> RequestError {
        let fault = match (error, trace.fault) {
            (ServiceError::McpError(error), _) if !trace.failed => {
                return RequestError::Refused {
                    code: i64::from(error.code.0),
                    message: error.message.into_owned(),
                    data: error.data,
                    first_byte_ms: trace.first_byte_ms,
                };
            }
            (_, Some(fault)) => fault,
            (ServiceError::Timeout { timeout }, None) => {
                let text = format!("no answer within {} ms", timeout.as_millis());
                WireFault::new(ErrorCategory::NetworkTimeout, text)
            }
            (ServiceError::Cancelled { .. }, None) => {
                WireFault::new(ErrorCategory::Cancelled, "the request was cancelled")
            }
            (ServiceError::UnexpectedResponse, None) => {
                WireFault::new(ErrorCategory::InvalidPayload, "the answer does not fit the request")
            }
            (ServiceError::TransportClosed | ServiceError::TransportSend(_), None) => {
                WireFault::new(ErrorCategory::TransportError, "the connection closed before an answer came")
            }
            (other, None) => WireFault::new(ErrorCategory::Unknown, other.to_string()),
        };
        if trace.sent { RequestError::NoReply(fault) } else { RequestError::NotSent(fault) }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.conversation.end();
    }
}

/// A request under way. Dropped before its end, the caller stopped waiting: the server is told so.
struct Pending<'a> {
    link: &'a Link,
    request: Option<RequestId>,
}

impl Pending<'_> {
    /// Stops waiting; the server is told.
    fn abandon(self) -> Trace {
        let id = self.request.as_ref().map(ToString::to_string).unwrap_or_default();
        self.link.wire.finish(&id)
    }

    fn finish(mut self) -> Trace {
        self.request.take().map_or_else(Trace::default, |id| self.link.wire.finish(&id.to_string()))
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let Some(id) = self.request.take() else { return };
        self.link.wire.finish(&id.to_string());
        let peer = self.link.peer.clone();
        let params = CancelledNotificationParam::new(Some(id), Some("the caller stopped waiting".to_owned()));
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(5), peer.notify_cancelled(params)).await;
        });
    }
}

/// A duration as whole milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
