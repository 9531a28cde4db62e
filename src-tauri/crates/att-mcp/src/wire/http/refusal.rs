//! What an HTTP error status means, and what the operator can do about it.

use ::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use ::http::{HeaderMap, StatusCode};

use super::header_text;
use crate::model::ErrorCategory;
use crate::wire::WireFault;

/// Longest error body shown, in characters.
const SHOWN_CHARS: usize = 600;
/// Longest challenge kept.
const CHALLENGE_CHARS: usize = 8_192;
/// Longest wait that a server may ask for, in seconds.
const MAX_RETRY_AFTER_S: i64 = 86_400;

/// An error status as a fault.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], in_session: bool) -> WireFault {
    let retry_after = header_text(headers, RETRY_AFTER);
    let asked_to_wait = status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
    let mut fault = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => WireFault::new(
            ErrorCategory::AuthRequired,
            format!("the server wants authorization (HTTP {status})"),
        ),
        _ if status == StatusCode::TOO_MANY_REQUESTS || asked_to_wait => {
            let mut fault = WireFault::new(
                ErrorCategory::Throttled,
                format!("the server asked ATT to wait (HTTP {status})"),
            );
            fault.retry_after_ms = retry_after
                .and_then(|seconds| seconds.trim().parse::<i64>().ok())
                .map(|seconds| seconds.clamp(0, MAX_RETRY_AFTER_S) * 1000);
            fault
        }
        _ if in_session && session_is_gone(status, body) => WireFault::new(
            ErrorCategory::HttpStatus,
            format!("the server no longer knows the session (HTTP {status}); ATT begins a new one"),
        ),
        _ => {
            let text = format!("the server answered HTTP {status}{}{}", hint(status), shown(body));
            WireFault::new(ErrorCategory::HttpStatus, text)
        }
    };
    fault.status = Some(status.as_u16());
    fault.challenge = challenge(headers);
    fault
}

/// 404 says so by the specification; some servers say 400 and name the session. An error that bears a request's id is
/// the answer to that request, whatever it speaks of.
pub(super) fn session_is_gone(status: StatusCode, body: &[u8]) -> bool {
    match status {
        StatusCode::NOT_FOUND => true,
        StatusCode::BAD_REQUEST => {
            let answers = serde_json::from_slice::<serde_json::Value>(body)
                .is_ok_and(|message| message.get("id").is_some_and(|id| !id.is_null()));
            let text = String::from_utf8_lossy(&body[..body.len().min(4_096)]).to_ascii_lowercase();
            !answers && text.contains("session")
        }
        _ => false,
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => " (is the path in \"url\" right?)",
        StatusCode::NOT_ACCEPTABLE => " (it offers neither application/json nor text/event-stream)",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => " (it does not take application/json)",
        StatusCode::MISDIRECTED_REQUEST => {
            " (it does not serve that host name; write the one that it was configured for into \"url\")"
        }
        _ => "",
    }
}

/// What a 401 or 403 wants, bounded.
pub(super) fn challenge(headers: &HeaderMap) -> Option<String> {
    let all: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()).collect();
    let joined: String = all.join(", ").chars().take(CHALLENGE_CHARS).collect();
    (!joined.is_empty()).then_some(joined)
}

fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN_CHARS * 4)]);
    let text: String = att_core::visible(text.trim()).chars().take(SHOWN_CHARS).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}
