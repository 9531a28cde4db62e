//! One message as it went over the wire (design 1.3).

use serde::{Deserialize, Serialize};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireDirection {
    /// From ATT to the server.
    Out,
    /// From the server to ATT.
    In,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireKind {
    /// It wants an answer.
    Request,
    /// It answers a request.
    Response,
    /// It wants no answer.
    Notification,
    /// It answers a request with an error, or is an HTTP error, or no message at all.
    Error,
}

/// One message of a server's wire log, its text redacted and bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    /// Its place among all messages of this server since ATT started, both ways, from 1.
    pub seq: u64,
    /// When it passed, Unix ms.
    pub at_ms: i64,
    /// The connection attempt it belongs to.
    pub generation: u64,
    /// Which way it went.
    pub direction: WireDirection,
    /// What it is.
    pub kind: WireKind,
    /// The method of a request or a notification; of an answer, where the request is known.
    pub method: Option<String>,
    /// The JSON-RPC id.
    pub id: Option<String>,
    /// Its size, before anything was cut.
    pub bytes: u64,
    /// The HTTP status it came with.
    pub status: Option<u16>,
    /// A mark of the HTTP session it belongs to: 8 hex digits of the session id's SHA-256, never the id.
    pub session: Option<String>,
    /// The message, redacted and cut.
    pub text: String,
    /// True when `text` is not all of it.
    pub cut: bool,
}
