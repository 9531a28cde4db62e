//! HTTP to one server: requests with their headers, redirects within one origin, refusals in words, bodies bounded.
//!
//! Two transports stand on it: [`streamable`] and the old HTTP+SSE one, [`legacy`].

mod events;
pub(crate) mod headers;
pub(crate) mod legacy;
mod refusal;
pub(crate) mod streamable;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{Response, Url};
use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use serde_json::Value;
use tokio::sync::mpsc;

use super::incoming::{Arrival, Heard};
use super::{MAX_MESSAGE_BYTES, Wire, WireFault};
use crate::auth::{Authorization, Verdict};
use crate::model::ErrorCategory;

const BOTH_TYPES: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS_ONLY: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON_TYPE: HeaderValue = HeaderValue::from_static("application/json");
/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;
/// Tokens tried for one request: none or an old one, the kept one, a renewed one.
const MAX_TOKENS: usize = 3;
/// Largest body of a refusal that is read.
const REFUSAL_BYTES: usize = 64 * 1024;

/// What a transport gives to rmcp when a message could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct HttpFault(pub WireFault);

/// The shared client, seen from one connection.
#[derive(Clone)]
pub(crate) struct HttpWire {
    client: reqwest::Client,
    url: Url,
    /// What the operator wrote into `headers`.
    own: Arc<HeaderMap>,
    authorization: Option<Arc<Authorization>>,
}

impl HttpWire {
    pub fn new(client: reqwest::Client, url: Url, own: &HashMap<HeaderName, HeaderValue>) -> Self {
        let own = own.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { client, url, own: Arc::new(own), authorization: None }
    }

    /// The same with the server's authorization.
    pub fn authorized(self, authorization: Option<Arc<Authorization>>) -> Self {
        Self { authorization, ..self }
    }

    /// The same client at another place.
    fn at(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }

    async fn post(&self, body: Bytes, headers: HeaderMap) -> Result<Response, WireFault> {
        self.send(Method::POST, BOTH_TYPES, Some(body), headers).await
    }

    async fn open_events(&self, headers: HeaderMap) -> Result<Response, WireFault> {
        self.send(Method::GET, EVENTS_ONLY, None, headers).await
    }

    async fn delete(&self, headers: HeaderMap) -> Result<Response, WireFault> {
        self.send(Method::DELETE, BOTH_TYPES, None, headers).await
    }

    /// Every request goes through here. One that was refused for want of a token was not worked on: it is sent again
    /// with another token, where there is one without a person.
    async fn send(
        &self,
        method: Method,
        accept: HeaderValue,
        body: Option<Bytes>,
        headers: HeaderMap,
    ) -> Result<Response, WireFault> {
        let Some(authorization) = &self.authorization else {
            return self.send_once(method, accept, body, headers).await;
        };
        let mut rounds = 0;
        loop {
            let (mut headers, carried) = (headers.clone(), authorization.header().await);
            let used = carried.map(|(header, secret)| {
                headers.insert(AUTHORIZATION, header);
                secret
            });
            let response = self.send_once(method.clone(), accept.clone(), body.clone(), headers).await?;
            let status = response.status().as_u16();
            if !matches!(status, 401 | 403) {
                authorization.accepted(used.is_some());
                return Ok(response);
            }
            let challenge = refusal::challenge(response.headers());
            let verdict = authorization.refused(status, challenge.as_deref(), used.as_deref()).await;
            rounds += 1;
            match verdict {
                Verdict::Again if rounds < MAX_TOKENS => {}
                Verdict::Again => return Err(authorization.fault(status, challenge, None)),
                Verdict::Refused(need, text) => {
                    return Err(authorization.fault(status, challenge, Some((need, text))));
                }
            }
        }
    }

    /// A redirect is followed where the method, the body and the origin stay: what
    /// the operator wrote into `headers` is for this origin and for no other.
    async fn send_once(
        &self,
        method: Method,
        accept: HeaderValue,
        body: Option<Bytes>,
        headers: HeaderMap,
    ) -> Result<Response, WireFault> {
        let mut all = match self.own.is_empty() {
            true => headers,
            false => {
                let mut own = (*self.own).clone();
                own.extend(headers);
                own
            }
        };
        all.insert(ACCEPT, accept);
        if body.is_some() {
            all.insert(CONTENT_TYPE, JSON_TYPE);
        }
        let mut redirected = None;
        for _ in 0..=MAX_REDIRECTS {
            let url = redirected.as_ref().unwrap_or(&self.url);
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(body) = &body {
                request = request.body(body.clone());
            }
            let response = request.headers(all.clone()).send().await.map_err(|error| broken(&error))?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            redirected = Some(self.redirected(url, &response)?);
        }
        Err(WireFault::new(
            ErrorCategory::HttpStatus,
            format!("the server redirects more than {MAX_REDIRECTS} times"),
        ))
    }

    fn redirected(&self, from: &Url, response: &Response) -> Result<Url, WireFault> {
        let status = response.status();
        let named =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let fault = |why: &str| {
            let shown: String = att_core::visible(&att_core::redact(named)).chars().take(300).collect();
            let text = format!(
                "the server redirects to \"{shown}\" (HTTP {status}), which ATT does not follow: {why}"
            );
            let mut fault = WireFault::new(ErrorCategory::HttpStatus, text);
            fault.status = Some(status.as_u16());
            fault
        };
        if !matches!(status.as_u16(), 307 | 308) {
            return Err(fault(
                "only 307 and 308 keep the request as it is; put the right address into \"url\"",
            ));
        }
        let to = from.join(named).map_err(|_| fault("that is no address"))?;
        if !same_origin(from, &to) {
            return Err(fault("it is another origin; put the right address into \"url\""));
        }
        Ok(to)
    }
}

/// Takes the bytes of a message and hands it on to rmcp; `on_result` sees a raw result before. What is of no use is
/// noise; what is no JSON is a fault.
async fn hand_on(
    wire: &Wire,
    bytes: &[u8],
    arrival: Arrival<'_>,
    inbound: &mpsc::Sender<ServerJsonRpcMessage>,
    noise: &mpsc::Sender<String>,
    on_result: impl Fn(&Value),
) -> Result<(), WireFault> {
    for heard in wire.hear(bytes, arrival) {
        match heard {
            Heard::Message(message) => {
                if let JsonRpcMessage::Response(response) = &*message
                    && let ServerResult::CustomResult(raw) = &response.result
                {
                    on_result(&raw.0);
                }
                // Nobody listens any more only when the connection is over.
                let _ = inbound.send(*message).await;
            }
            Heard::Taken => {}
            Heard::Ignored(why) => {
                let _ = noise.try_send(format!("wire: {why}"));
            }
            Heard::Broken(why) => {
                return Err(WireFault::new(ErrorCategory::InvalidPayload, format!("the server sent {why}")));
            }
        }
    }
    Ok(())
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn header_text(headers: &HeaderMap, name: impl ::http::header::AsHeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The media type without its parameters, in small letters.
fn media_type(response: &Response) -> String {
    let text = header_text(response.headers(), CONTENT_TYPE).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body, up to `limit` bytes; more is a fault.
async fn bounded_body(response: Response, limit: usize) -> Result<Vec<u8>, WireFault> {
    let too_large = || {
        let text = format!("the server's answer has more than {limit} bytes");
        WireFault::new(ErrorCategory::InvalidPayload, text)
    };
    let announced = response.content_length().unwrap_or(0);
    if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0).min(MAX_MESSAGE_BYTES));
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error of the client as a fault, without the URL (it may hold a secret).
fn broken(error: &reqwest::Error) -> WireFault {
    use std::error::Error as _;
    let mut last = None;
    let mut source = error.source();
    while let Some(inner) = source {
        last = Some(inner.to_string());
        source = inner.source();
    }
    let last = last.map(|last| format!(": {}", att_core::visible(&last))).unwrap_or_default();
    let text = match error {
        _ if last.contains("certificate") => format!(
            "the server's certificate is not trusted{last}; correct the certificate, or add the authority that \
             signed it to the system's trusted roots"
        ),
        e if e.is_connect() => format!("the connection was refused or could not be made{last}"),
        e if e.is_timeout() => format!("the connection timed out{last}"),
        _ => format!("the connection broke{last}"),
    };
    let fault = WireFault::new(ErrorCategory::TransportError, text);
    if error.is_connect() { fault.unsent() } else { fault }
}
