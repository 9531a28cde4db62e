//! The streams of a Streamable HTTP connection: answers as events, and the standing stream of a legacy session.

use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use futures::StreamExt;
use reqwest::Response;
use rmcp::model::{ErrorData, ServerJsonRpcMessage};
use tokio::time::{Instant, sleep, timeout};

use super::events::{Resumption, events};
use super::refusal::{refusal, session_is_gone};
use super::streamable::{Asked, Shared, UnderWay, rest_of};
use super::{REFUSAL_BYTES, bounded_body, media_type};
use crate::model::ErrorCategory;
use crate::wire::WireFault;
use crate::wire::incoming::Arrival;

/// So long the rest of an answer's stream may take, for the connection to be used again.
const REST_TIMEOUT: Duration = Duration::from_millis(50);
/// A standing stream that lived this long was a good one, whatever it brought.
const GOOD_LIFE: Duration = Duration::from_secs(10);

/// How the reading of a stream ended.
enum End {
    /// The request has its answer.
    Answered,
    /// The stream ended or broke.
    Gone(Option<WireFault>),
    /// What came cannot be used; no use in asking for more.
    Unusable(WireFault),
}

impl Shared {
    /// Reads the answer to `asked` out of a stream, taking the stream up again where the server allows it.
    pub(super) async fn follow(self: Arc<Self>, asked: Asked, first: Response, under_way: Option<UnderWay>) {
        let token = under_way.as_ref().map_or_else(|| self.over.clone(), |under_way| under_way.token.clone());
        let fault = tokio::select! {
            biased;
            () = token.cancelled() => return,
            fault = self.follow_until_answered(&asked, first) => fault,
        };
        if let Some(fault) = fault {
            self.wire.fail(&asked.key, fault);
            // Whoever waits through rmcp alone is told as well.
            let error = ErrorData::internal_error("the answer's stream ended before the answer", None);
            let _ = self.inbound.send(ServerJsonRpcMessage::error(error, Some(asked.id))).await;
        }
    }

    async fn follow_until_answered(&self, asked: &Asked, first: Response) -> Option<WireFault> {
        let mut resumption = Resumption::default();
        let mut next = Some(first);
        loop {
            if let Some(response) = next.take() {
                match self.read(response, Some(asked), &mut resumption).await {
                    End::Answered => return None,
                    End::Unusable(fault) => return Some(fault),
                    End::Gone(fault) if resumption.last_id.is_none() => {
                        return Some(fault.unwrap_or_else(lost));
                    }
                    End::Gone(_) => {}
                }
            }
            let Some(wait) = resumption.next_wait(self.randomness.bits()) else { return Some(lost()) };
            sleep(wait).await;
            match self.open(resumption.last_id.as_deref()).await {
                Ok(response) => next = Some(response),
                Err(fault) if self.wire.is_over() || fault.status == Some(405) => return Some(fault),
                Err(_) => {}
            }
        }
    }

    /// Opens the standing stream of the session, if there is a session, and keeps it open.
    pub(super) fn stand(self: &Arc<Self>) {
        let (_, session) = self.stream_headers(None);
        if session.is_none() {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = shared.over.cancelled() => {}
                () = shared.keep_standing() => {}
            }
        });
    }

    async fn keep_standing(&self) {
        let mut resumption = Resumption::default();
        loop {
            match self.open(resumption.last_id.as_deref()).await {
                Ok(response) => {
                    let begun = Instant::now();
                    if let End::Unusable(fault) = self.read(response, None, &mut resumption).await {
                        self.wire.break_with(fault);
                        return;
                    }
                    if begun.elapsed() >= GOOD_LIFE {
                        resumption.lived();
                    }
                }
                // It does not offer one.
                Err(fault) if matches!(fault.status, Some(status) if status < 500 && status != 429) => return,
                // A stream is opened only on a connection that has worked. Where even that is refused, nobody is left
                // who could still answer what was asked before: whoever waits is told now.
                Err(fault) if !fault.sent => return self.wire.break_with(fault),
                Err(_) => {}
            }
            let Some(wait) = resumption.next_wait(self.randomness.bits()) else { return };
            sleep(wait).await;
        }
    }

    async fn open(&self, last_id: Option<&str>) -> Result<Response, WireFault> {
        let (headers, session) = self.stream_headers(last_id);
        let response = self.http.open_events(headers).await?;
        let status = response.status();
        if status.is_success() && media_type(&response) == "text/event-stream" {
            return Ok(response);
        }
        if status.is_success() {
            rest_of(response).await;
            let text = "the server answered a request for events with something else";
            let mut fault = WireFault::new(ErrorCategory::InvalidPayload, text);
            fault.status = Some(status.as_u16());
            return Err(fault);
        }
        let headers = response.headers().clone();
        let body = bounded_body(response, REFUSAL_BYTES).await.unwrap_or_default();
        if status != StatusCode::METHOD_NOT_ALLOWED {
            self.wire.refused(None, status.as_u16(), session.as_ref(), &body);
        }
        let fault = refusal(status, &headers, &body, session.is_some());
        if session.is_some() && session_is_gone(status, &body) {
            self.wire.break_with(fault.clone());
        }
        Err(fault)
    }

    async fn read(&self, response: Response, asked: Option<&Asked>, resumption: &mut Resumption) -> End {
        let status = Some(response.status().as_u16());
        let (_, session) = self.stream_headers(None);
        let mut events = events(response);
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(fault) if fault.category == ErrorCategory::InvalidPayload => return End::Unusable(fault),
                Err(fault) => return End::Gone(Some(fault)),
            };
            resumption.note(&event);
            let Some(data) = event.data.filter(|data| !data.trim().is_empty()) else { continue };
            let arrival = Arrival {
                status,
                session: session.as_ref(),
                request: asked.map(|asked| &asked.id),
                unassociated: asked.is_none(),
            };
            let heard = self.hear(data.as_bytes(), arrival, asked).await;
            match (asked, heard) {
                (Some(_), Err(fault)) => return End::Unusable(fault),
                (Some(asked), Ok(())) if self.wire.is_answered(&asked.key) => {
                    let rest = async { while events.next().await.is_some() {} };
                    let _ = timeout(REST_TIMEOUT, rest).await;
                    return End::Answered;
                }
                (_, Ok(()) | Err(_)) => {}
            }
        }
        End::Gone(None)
    }
}

fn lost() -> WireFault {
    WireFault::new(ErrorCategory::TransportError, "the answer's stream ended before the answer came")
}
