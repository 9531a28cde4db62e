//! A server's wire log.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One message as it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WireEntryDto {
    /// Its place among all messages of this server since its watcher started, from 1.
    pub seq: u32,
    /// When it passed, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// The connection attempt it belongs to.
    pub generation: u32,
    /// `out` (to the server) or `in`.
    pub direction: String,
    /// `request` `response` `notification` `error`.
    pub kind: String,
    /// The method; of an answer, that of its request.
    pub method: Option<String>,
    /// The JSON-RPC id.
    pub id: Option<String>,
    /// Its size, before anything was cut.
    pub bytes: u32,
    /// The HTTP status it came with.
    pub status: Option<u32>,
    /// A mark of its HTTP session, never the session's id.
    pub session: Option<String>,
    /// The message, redacted; hostile text.
    pub text: String,
    /// True when `text` is not all of it.
    pub cut: bool,
}

/// Some messages of one server, oldest first; never more than 200 of them or 32 KB of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WirePageDto {
    /// The server.
    pub server: String,
    /// `memory` of this process, or `disk`, where another process writes it.
    pub source: String,
    /// The messages.
    pub entries: Vec<WireEntryDto>,
    /// What to ask for as `after_seq` next.
    pub next_seq: u32,
}
