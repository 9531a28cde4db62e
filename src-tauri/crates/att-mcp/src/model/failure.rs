//! What went wrong: the closed categories (design 1.2), faults, and attempt records (design 4).

use att_core::id::{CorrelationId, RequestId};
use serde::{Deserialize, Serialize};

use super::server::Era;

/// What kind of failure: the closed list, each with a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCategory {
    /// A probe failed.
    HealthCheck,
    /// The handshake failed.
    InitializeError,
    /// No answer in time.
    NetworkTimeout,
    /// An HTTP status that is an error.
    HttpStatus,
    /// What came back is no valid message.
    InvalidPayload,
    /// A JSON-RPC error: the server answered, and said no.
    RpcError,
    /// The transport failed.
    TransportError,
    /// The process ended.
    ProcessExit,
    /// 401, 403 or a missing secret.
    AuthRequired,
    /// 429, or 503 with Retry-After.
    Throttled,
    /// No protocol version in common.
    ProtocolMismatch,
    /// The caller or ATT's end cancelled it.
    Cancelled,
    /// None of these.
    Unknown,
}

impl ErrorCategory {
    /// Every category, in the order of its code.
    pub const ALL: [Self; 13] = [
        Self::HealthCheck,
        Self::InitializeError,
        Self::NetworkTimeout,
        Self::HttpStatus,
        Self::InvalidPayload,
        Self::RpcError,
        Self::TransportError,
        Self::ProcessExit,
        Self::AuthRequired,
        Self::Throttled,
        Self::ProtocolMismatch,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The stable code, `ATT-MCP-nnn`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::HealthCheck => "ATT-MCP-001",
            Self::InitializeError => "ATT-MCP-002",
            Self::NetworkTimeout => "ATT-MCP-003",
            Self::HttpStatus => "ATT-MCP-004",
            Self::InvalidPayload => "ATT-MCP-005",
            Self::RpcError => "ATT-MCP-006",
            Self::TransportError => "ATT-MCP-007",
            Self::ProcessExit => "ATT-MCP-008",
            Self::AuthRequired => "ATT-MCP-009",
            Self::Throttled => "ATT-MCP-010",
            Self::ProtocolMismatch => "ATT-MCP-011",
            Self::Cancelled => "ATT-MCP-012",
            Self::Unknown => "ATT-MCP-099",
        }
    }

    /// One sentence of cause.
    #[must_use]
    pub fn cause(self) -> &'static str {
        match self {
            Self::HealthCheck => "The server is connected but did not answer the probe.",
            Self::InitializeError => "The server and ATT could not finish the opening handshake.",
            Self::NetworkTimeout => "The server did not answer in the time allowed.",
            Self::HttpStatus => "The server answered with an HTTP error status.",
            Self::InvalidPayload => "The server sent something that is not a valid MCP message.",
            Self::RpcError => "The server understood the request and refused it.",
            Self::TransportError => "The connection to the server could not be made or broke.",
            Self::ProcessExit => "The server's process ended or could not be started.",
            Self::AuthRequired => "The server wants credentials that ATT does not have.",
            Self::Throttled => "The server asked ATT to slow down.",
            Self::ProtocolMismatch => "The server and ATT have no protocol version in common.",
            Self::Cancelled => "The request was cancelled before it was answered.",
            Self::Unknown => "The failure fits no known kind.",
        }
    }

    /// One sentence of cure.
    #[must_use]
    pub fn cure(self) -> &'static str {
        match self {
            Self::HealthCheck => "Look at the server's log; ATT probes again by itself.",
            Self::InitializeError => {
                "Start the server by hand and see whether it speaks MCP on this transport."
            }
            Self::NetworkTimeout => {
                "See whether the server is busy or hangs; raise its timeout if it is merely slow."
            }
            Self::HttpStatus => "Check the URL's path and the server's log for that status.",
            Self::InvalidPayload => {
                "Report it to the server's author; a stdio server must print nothing but MCP to stdout."
            }
            Self::RpcError => "Read the server's message; it is about the request, not the connection.",
            Self::TransportError => "Check that the server runs and that its address and port are right.",
            Self::ProcessExit => {
                "Read the server's stderr, and check the command, its arguments and its environment."
            }
            Self::AuthRequired => "Set the secret or authorize ATT with the server.",
            Self::Throttled => "Wait; ATT goes on at the time the server named.",
            Self::ProtocolMismatch => "Update the server or ATT.",
            Self::Cancelled => "Ask again if it is still wanted.",
            Self::Unknown => "Look at the server's stderr and events.",
        }
    }

    /// True when it says that the way to the server or the server itself is broken; being refused, told to wait or
    /// called off says no such thing.
    #[must_use]
    pub fn counts_against_breaker(self) -> bool {
        !matches!(self, Self::RpcError | Self::AuthRequired | Self::Throttled | Self::Cancelled)
    }

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HealthCheck => "health_check",
            Self::InitializeError => "initialize_error",
            Self::NetworkTimeout => "network_timeout",
            Self::HttpStatus => "http_status",
            Self::InvalidPayload => "invalid_payload",
            Self::RpcError => "rpc_error",
            Self::TransportError => "transport_error",
            Self::ProcessExit => "process_exit",
            Self::AuthRequired => "auth_required",
            Self::Throttled => "throttled",
            Self::ProtocolMismatch => "protocol_mismatch",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// One failure as it is kept and shown. The message is redacted and bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The category.
    pub category: ErrorCategory,
    /// `ATT-MCP-nnn`.
    pub code: String,
    /// What happened, in one sentence.
    pub message: String,
    /// When, Unix ms.
    pub at_ms: i64,
    /// Until when the server asked to be left alone (`throttled`), Unix ms.
    pub retry_at_ms: Option<i64>,
    /// Who can cure an `auth_required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<AuthNeed>,
}

/// What an `auth_required` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthNeed {
    /// A secret that the configuration refers to.
    Secret,
    /// A person in a browser.
    Authorize,
    /// Somebody who looks why the server refuses what it was given.
    Refused,
}

/// Longest fault message kept, in characters.
const MAX_MESSAGE: usize = 2_000;

impl Fault {
    /// A fault of `category` at `at_ms`; the message is redacted, cleaned of what misleads the eye, and cut to 2,000
    /// characters.
    #[must_use]
    pub fn new(category: ErrorCategory, message: impl AsRef<str>, at_ms: i64) -> Self {
        let message = crate::text::sentence(message.as_ref(), MAX_MESSAGE);
        Self { category, code: category.code().to_owned(), message, at_ms, retry_at_ms: None, need: None }
    }

    /// The same, with the time before which the server does not want to be asked.
    #[must_use]
    pub fn retry_at(mut self, at_ms: i64) -> Self {
        self.retry_at_ms = Some(at_ms);
        self
    }
}

/// Whether calls are let through to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// No call goes through until the facet's `next_action_at_ms`.
    Open,
    /// One probe goes through.
    HalfOpen,
}

/// What the breaker remembers of a server's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerCount {
    /// Calls in a row that failed on the way.
    pub failures_in_a_row: u32,
    /// The last calls as bits, the newest lowest; 1 is a failure on the way.
    pub recent: u64,
    /// How many bits of `recent` count.
    pub recent_calls: u32,
    /// How often it opened since a call was last answered; the time it stays open grows with it.
    pub times_opened: u32,
}

/// Which part of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStage {
    /// The connection was not ready and was renewed first.
    Initialize,
    /// The request itself.
    Invoke,
}

/// How far an attempt came. It decides whether another candidate may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvokeOutcome {
    /// No byte of the request left.
    NotSent,
    /// Bytes went out, no reply came.
    SentNoReply,
    /// The server answered with an error.
    RepliedError,
    /// The server answered.
    RepliedOk,
}

/// One attempt, with every key of design 4 in that order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The server asked, or excluded.
    pub server: String,
    /// Its connection's generation.
    pub generation: u64,
    /// Its era.
    pub era: Option<Era>,
    /// How far the stages went.
    pub stage: AttemptStage,
    /// How far the bytes went.
    pub outcome: InvokeOutcome,
    /// What went wrong.
    pub error: Option<String>,
    /// Its category.
    pub error_category: Option<ErrorCategory>,
    /// Why it was no candidate; set only where it was excluded.
    pub excluded_reason: Option<String>,
    /// Time in the connection's queue.
    pub queue_ms: Option<i64>,
    /// Time to renew the connection, where that was needed.
    pub connect_ms: Option<i64>,
    /// Time to the first byte of the answer.
    pub first_byte_ms: Option<i64>,
    /// All of it.
    pub total_ms: Option<i64>,
    /// The breaker before.
    pub breaker_before: BreakerState,
    /// The breaker after.
    pub breaker_after: BreakerState,
}

/// An attempt as it is kept: with the request it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The invocation.
    pub request_id: RequestId,
    /// The trace.
    pub correlation_id: CorrelationId,
    /// Its place among the attempts of the invocation, from 0.
    pub index: u32,
    /// When it began, Unix ms.
    pub at_ms: i64,
    /// Who called: a face's name such as `desktop` or `cli`.
    pub client: String,
    /// `tools/call`, `resources/read` or `prompts/get`.
    pub method: String,
    /// The tool, URI or prompt.
    pub item: String,
    /// The attempt.
    #[serde(flatten)]
    pub attempt: Attempt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_its_own_code_and_says_cause_and_cure() {
        let codes: std::collections::BTreeSet<_> = ErrorCategory::ALL.iter().map(|c| c.code()).collect();
        assert_eq!(codes.len(), ErrorCategory::ALL.len());
        for category in ErrorCategory::ALL {
            assert_eq!(serde_json::to_value(category).unwrap(), category.as_str());
            assert!(category.cause().ends_with('.') && category.cure().ends_with('.'));
        }
    }

    #[test]
    fn a_fault_holds_no_secret_and_is_bounded() {
        let fault =
            Fault::new(ErrorCategory::Unknown, format!("token=abcdefgh12345678 {}", "é".repeat(4_000)), 1);
        assert!(!fault.message.contains("abcdefgh12345678"));
        assert!(fault.message.chars().count() <= MAX_MESSAGE + 1);
    }

    #[test]
    fn a_fault_cannot_move_a_cursor_or_turn_what_is_read() {
        let fault = Fault::new(ErrorCategory::RpcError, "a\u{1b}[2J\r\nb\u{202e}c\u{2066}d\u{200b}e", 1);
        assert_eq!(fault.message, "a [2J  b c d e");
    }
}
