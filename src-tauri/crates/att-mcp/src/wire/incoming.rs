//! What comes in: one parse, one entry in the log, and the answer put aside raw. A message that no one can use is
//! kept in the log and goes no further.

use rmcp::model::{
    CustomRequest, CustomResult, ErrorCode, ErrorData, GetExtensions as _, JsonRpcMessage, JsonRpcResponse,
    JsonRpcVersion2_0, RequestId, ServerJsonRpcMessage, ServerNotification, ServerRequest, ServerResult,
};
use rmcp::service::InboundStreamOrigin;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;

use super::log::Passing;
use super::{Keep, Wire, WireFault, id_text};
use crate::conversation::QUESTIONS;
use crate::model::{ErrorCategory, WireDirection, WireKind};

/// Longest excerpt of what is no message.
const EXCERPT_CHARS: usize = 200;

/// Where a message came in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrival<'a> {
    /// The HTTP status of the answer that holds it.
    pub status: Option<u16>,
    /// The HTTP session.
    pub session: Option<&'a Arc<str>>,
    /// The request on whose answer stream it came.
    pub request: Option<&'a RequestId>,
    /// True where a stream of the transport's own belongs to no request.
    pub unassociated: bool,
}

/// What is to be done with a message.
#[derive(Debug)]
pub(crate) enum Heard {
    /// rmcp gets it.
    Message(Box<ServerJsonRpcMessage>),
    /// It was for us and is done with.
    Taken,
    /// Nobody gets it; why not, in words.
    Ignored(String),
    /// It is no JSON; why not, in words.
    Broken(String),
}

impl Wire {
    /// Takes the bytes of one message, or of a batch.
    pub fn hear(&self, bytes: &[u8], arrival: Arrival<'_>) -> Vec<Heard> {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Array(batch)) => batch
                .into_iter()
                .map(|message| {
                    let part = serde_json::to_vec(&message).unwrap_or_default();
                    self.take(message, &part, arrival)
                })
                .collect(),
            Ok(message) => vec![self.take(message, bytes, arrival)],
            Err(error) => {
                self.log(Passing {
                    direction: WireDirection::In,
                    kind: WireKind::Error,
                    method: None,
                    id: None,
                    status: arrival.status,
                    session: arrival.session,
                    raw: bytes,
                });
                vec![Heard::Broken(plain_json_error(&error))]
            }
        }
    }

    fn take(&self, message: Value, bytes: &[u8], arrival: Arrival<'_>) -> Heard {
        let method = message.get("method").and_then(Value::as_str).map(str::to_owned);
        let id = message.get("id").filter(|id| !id.is_null()).map(id_text);
        if let (Some(method), None) = (&method, &id)
            && !self.admit(method)
        {
            // Not even logged: a flood would cost its redaction, and wash all else out of the log.
            return Heard::Ignored(format!(
                "{} was dropped: the server sends too many of them",
                word(method)
            ));
        }
        let kind = match (&method, &id) {
            (Some(_), Some(_)) => WireKind::Request,
            (Some(_), None) => WireKind::Notification,
            (None, _) if message.get("result").is_some() => WireKind::Response,
            (None, _) => WireKind::Error,
        };
        // The method of an answer is that of its request.
        let asked = method.is_none().then(|| id.as_deref().and_then(|id| self.method_of(id))).flatten();
        self.log(Passing {
            direction: WireDirection::In,
            kind,
            method: method.as_deref().or(asked.as_deref()),
            id: id.as_deref(),
            status: arrival.status,
            session: arrival.session,
            raw: bytes,
        });
        match (method, id) {
            (Some(_), _) => self.typed(message, arrival),
            (None, Some(id)) => self.answer(message, &id),
            (None, None) if message.get("error").is_some() => self.typed(message, arrival),
            (None, None) => Heard::Ignored(format!("no MCP message: {}", excerpt(bytes))),
        }
    }

    /// An answer goes to the request that asked for it, once.
    fn answer(&self, mut message: Value, id: &str) -> Heard {
        let mut known = self.known();
        let Some(waiting) = known.waiting.get_mut(id) else {
            return Heard::Ignored(format!(
                "an answer to the request {}, which was not asked or is over",
                word(id)
            ));
        };
        if waiting.answered {
            return Heard::Ignored(format!("a second answer to the request {id}"));
        }
        waiting.answered = true;
        let elapsed = i64::try_from(waiting.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        waiting.trace.first_byte_ms.get_or_insert(elapsed);
        let (asked_as, keep) = (waiting.id.clone(), waiting.keep);
        let Some(result) = message.get_mut("result") else {
            drop(known);
            return match error_of(&message) {
                Some(error) => Heard::Message(Box::new(ServerJsonRpcMessage::error(error, Some(asked_as)))),
                None => {
                    let text = "the server answered with something that is no MCP message";
                    self.fail(id, WireFault::new(ErrorCategory::InvalidPayload, text));
                    Heard::Ignored(text.to_owned())
                }
            };
        };
        match keep {
            Keep::Replace => {
                let raw = ServerResult::CustomResult(CustomResult::new(result.take()));
                drop(known);
                return Heard::Message(Box::new(response(asked_as, raw)));
            }
            Keep::Greeting => {
                let result = result.clone();
                known.modern = result.get("supportedVersions").is_some();
                known.greeting = Some(result);
            }
            Keep::Nothing => {}
        }
        drop(known);
        let typed = message.get_mut("result").map(Value::take).unwrap_or_default();
        match serde_json::from_value::<ServerResult>(typed) {
            Ok(result) => Heard::Message(Box::new(response(asked_as, result))),
            Err(error) => {
                let text = format!("the server's answer is no MCP result: {}", word(&error.to_string()));
                self.fail(id, WireFault::new(ErrorCategory::InvalidPayload, text.clone()));
                Heard::Ignored(text)
            }
        }
    }

    /// An answer that came as something else than a message: `error` for the request `id`.
    pub fn answer_with(&self, id: &str, error: ErrorData) -> Option<ServerJsonRpcMessage> {
        let mut known = self.known();
        let waiting = known.waiting.get_mut(id).filter(|waiting| !waiting.answered)?;
        waiting.answered = true;
        let elapsed = i64::try_from(waiting.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        waiting.trace.first_byte_ms.get_or_insert(elapsed);
        Some(ServerJsonRpcMessage::error(error, Some(waiting.id.clone())))
    }

    /// A request or a notification of the server's own.
    fn typed(&self, message: Value, arrival: Arrival<'_>) -> Heard {
        let read = match as_it_came(&message) {
            Some(request) => Ok(request),
            None => serde_json::from_value::<ServerJsonRpcMessage>(message),
        };
        match read {
            Ok(mut message) => {
                if let JsonRpcMessage::Request(request) = &mut message {
                    let origin = match arrival.request {
                        Some(id) => Some(InboundStreamOrigin::OutboundRequest(id.clone())),
                        None => arrival.unassociated.then_some(InboundStreamOrigin::Unassociated),
                    };
                    if let Some(origin) = origin {
                        request.request.extensions_mut().insert(origin);
                    }
                }
                match (&self.conversation, &message) {
                    // Here and not by rmcp, which starts a task for each and so loses their order.
                    (Some(conversation), JsonRpcMessage::Notification(note)) => match &note.notification {
                        ServerNotification::ProgressNotification(progress) => {
                            conversation.progressed(&progress.params);
                            Heard::Taken
                        }
                        _ => Heard::Message(Box::new(message)),
                    },
                    _ => Heard::Message(Box::new(message)),
                }
            }
            Err(error) => {
                Heard::Ignored(format!("a message that is no MCP message: {}", word(&error.to_string())))
            }
        }
    }

    /// True while the server keeps to a bearable rate of notifications. A flood that goes on ends the connection.
    fn admit(&self, method: &str) -> bool {
        let mut known = self.known();
        let dropped = match known.rate.admit(Instant::now()) {
            Ok(()) => return true,
            Err(dropped) => dropped,
        };
        drop(known);
        if dropped == super::rate::FLOOD {
            let text = format!(
                "the server floods ATT with notifications ({} and others): {dropped} were dropped",
                word(method)
            );
            self.break_with(WireFault::new(ErrorCategory::InvalidPayload, text));
        }
        false
    }
}

/// A question of the server, untyped: rmcp's models would drop what they do not know and refuse what is odd.
fn as_it_came(message: &Value) -> Option<ServerJsonRpcMessage> {
    let method = message.get("method")?.as_str()?;
    if method != "roots/list" && !QUESTIONS.contains(&method) {
        return None;
    }
    let id = serde_json::from_value(message.get("id")?.clone()).ok()?;
    let request = CustomRequest::new(method, message.get("params").cloned());
    Some(JsonRpcMessage::request(ServerRequest::CustomRequest(request), id))
}

fn response(id: RequestId, result: ServerResult) -> ServerJsonRpcMessage {
    JsonRpcMessage::Response(JsonRpcResponse { jsonrpc: JsonRpcVersion2_0, id, result })
}

pub(crate) fn error_of(message: &Value) -> Option<ErrorData> {
    let error = message.get("error")?;
    let code = error.get("code").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok())?;
    let text = error.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
    Some(ErrorData::new(ErrorCode(code), text, error.get("data").cloned()))
}

/// Why it is no JSON, in words; a depth bomb is called what it is.
fn plain_json_error(error: &serde_json::Error) -> String {
    if error.to_string().starts_with("recursion limit") {
        return "JSON that is nested more than 128 deep".to_owned();
    }
    format!("broken JSON: {error}")
}

/// A word of the server's own, fit to be shown.
fn word(text: &str) -> String {
    excerpt(text.as_bytes())
}

/// The begin of what is no message, fit to be shown.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_CHARS * 4)]);
    att_core::visible(text.trim()).chars().take(EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests;
