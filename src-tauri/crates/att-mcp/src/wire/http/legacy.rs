//! The old HTTP+SSE transport (2024-11-05): one stream of events for everything that comes, an address told in its
//! first event for everything that goes. rmcp has none any more.

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{StatusCode, Url};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::events::{Events, events};
use super::refusal::refusal;
use super::streamable::{INBOUND, rest_of};
use super::{HttpFault, HttpWire, REFUSAL_BYTES, bounded_body, hand_on, media_type, same_origin};
use crate::model::ErrorCategory;
use crate::wire::incoming::Arrival;
use crate::wire::{EndOfTransport, Wire, WireFault};

/// Events read before the one that tells the address, at most.
const MAX_PREAMBLE: usize = 16;
/// Longest address told.
const MAX_ENDPOINT_BYTES: usize = 4_096;

/// One connection over the old transport. It ends with its stream.
pub(crate) struct LegacyTransport {
    endpoint: HttpWire,
    wire: Arc<Wire>,
    inbound: mpsc::Receiver<ServerJsonRpcMessage>,
    over: CancellationToken,
    _stream: DropGuard,
    _end: EndOfTransport,
}

impl LegacyTransport {
    /// Opens the stream and waits, up to `patience`, until the server has told where messages go.
    ///
    /// # Errors
    /// What the server refused, or that it told nothing, or an address of another origin.
    pub async fn open(
        http: &HttpWire,
        wire: Arc<Wire>,
        noise: mpsc::Sender<String>,
        patience: Duration,
    ) -> Result<Self, WireFault> {
        let opened = tokio::time::timeout(patience, open_stream(http, &wire)).await;
        let (endpoint, events) = opened.map_err(|_| {
            let text = format!("the server told no address for messages within {} ms", patience.as_millis());
            WireFault::new(ErrorCategory::NetworkTimeout, text)
        })??;
        let (tell, inbound) = mpsc::channel(INBOUND);
        let over = CancellationToken::new();
        let _stream = over.clone().drop_guard();
        let _end = EndOfTransport(Arc::clone(&wire));
        let (reading, ended) = (Arc::clone(&wire), over.clone());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                fault = read(events, &reading, &tell, &noise) => reading.break_with(fault),
            }
        });
        Ok(Self { endpoint, wire, inbound, over, _stream, _end })
    }
}

async fn open_stream(http: &HttpWire, wire: &Wire) -> Result<(HttpWire, Events), WireFault> {
    let response = http.open_events(HeaderMap::new()).await?;
    let status = response.status();
    if !status.is_success() {
        let headers = response.headers().clone();
        let body = bounded_body(response, REFUSAL_BYTES).await.unwrap_or_default();
        wire.refused(None, status.as_u16(), None, &body);
        return Err(refusal(status, &headers, &body, false));
    }
    if media_type(&response) != "text/event-stream" {
        let text = "the server speaks neither Streamable HTTP nor the old HTTP+SSE transport at this address";
        let mut fault = WireFault::new(ErrorCategory::InvalidPayload, text);
        fault.status = Some(status.as_u16());
        return Err(fault);
    }
    let mut events = events(response);
    for _ in 0..MAX_PREAMBLE {
        let Some(event) = events.next().await else { break };
        let event = event?;
        if event.event.as_deref() == Some("endpoint") {
            let told = event.data.unwrap_or_default();
            return Ok((http.at(endpoint(&http.url, told.trim())?), events));
        }
    }
    let text = "the server opened a stream and told no address for messages";
    Err(WireFault::new(ErrorCategory::InvalidPayload, text))
}

/// The address that `told` names, if it is one of the same origin: secrets in headers go there.
fn endpoint(stream: &Url, told: &str) -> Result<Url, WireFault> {
    let shown = att_core::visible(&att_core::redact(told)).chars().take(200).collect::<String>();
    let fault = |text: String| WireFault::new(ErrorCategory::InvalidPayload, text);
    if told.is_empty() || told.len() > MAX_ENDPOINT_BYTES {
        return Err(fault("the server told an empty or endless address for messages".to_owned()));
    }
    let url = stream.join(told).map_err(|_| fault(format!("the server told \"{shown}\" as its address")))?;
    if !same_origin(stream, &url) {
        return Err(fault(format!("the server wants messages sent to another origin: \"{shown}\"")));
    }
    Ok(url)
}

/// Reads until the stream ends, and says how it did.
async fn read(
    mut events: Events,
    wire: &Wire,
    inbound: &mpsc::Sender<ServerJsonRpcMessage>,
    noise: &mpsc::Sender<String>,
) -> WireFault {
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(fault) => return fault,
        };
        if !matches!(event.event.as_deref(), None | Some("message")) {
            continue;
        }
        let Some(data) = event.data.filter(|data| !data.trim().is_empty()) else { continue };
        let arrival = Arrival { status: Some(StatusCode::OK.as_u16()), ..Arrival::default() };
        if let Err(fault) = hand_on(wire, data.as_bytes(), arrival, inbound, noise, |_| {}).await {
            return fault;
        }
    }
    WireFault::new(ErrorCategory::TransportError, "the server closed its stream of events")
}

impl Transport<RoleClient> for LegacyTransport {
    type Error = HttpFault;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.wire.register(&item);
        let (endpoint, wire, over) = (self.endpoint.clone(), Arc::clone(&self.wire), self.over.clone());
        async move {
            let outcome = tokio::select! {
                biased;
                () = over.cancelled() => {
                    let text = "the connection was closed";
                    Err(WireFault::new(ErrorCategory::Cancelled, text))
                }
                outcome = post(&endpoint, &wire, &item) => outcome,
            };
            if let (Err(fault), JsonRpcMessage::Request(request)) = (&outcome, &item) {
                wire.fail(&request.id.to_string(), fault.clone());
            }
            outcome.map_err(HttpFault)
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        self.inbound.recv().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.over.cancel();
        Ok(())
    }
}

/// The server takes a message and answers over the stream.
async fn post(endpoint: &HttpWire, wire: &Wire, item: &ClientJsonRpcMessage) -> Result<(), WireFault> {
    let body = serde_json::to_vec(item).map_err(|error| {
        WireFault::new(ErrorCategory::Unknown, format!("the message has no JSON form: {error}")).unsent()
    })?;
    wire.going_out(item, &body, None);
    let response = endpoint.post(Bytes::from(body), HeaderMap::new()).await?;
    let status = response.status();
    if status.is_success() {
        rest_of(response).await;
        return Ok(());
    }
    let headers = response.headers().clone();
    let body = bounded_body(response, REFUSAL_BYTES).await.unwrap_or_default();
    let id = match item {
        JsonRpcMessage::Request(request) => Some(request.id.to_string()),
        _ => None,
    };
    wire.refused(id.as_deref(), status.as_u16(), None, &body);
    let fault = refusal(status, &headers, &body, true);
    if status == StatusCode::NOT_FOUND {
        wire.break_with(fault.clone());
    }
    Err(fault)
}
