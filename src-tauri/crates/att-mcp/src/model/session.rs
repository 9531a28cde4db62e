//! A server's session as the operator sees it (design 1.6).

use serde::{Deserialize, Serialize};

use super::server::{ConnectionState, ServerState};

/// Whether the session was heard of lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Nothing was heard yet.
    Unknown,
    /// An answer came within the window.
    ActiveRecent,
    /// The last answer is older than the window: the next call makes a new session first.
    Stale,
}

impl Freshness {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ActiveRecent => "active_recent",
            Self::Stale => "stale",
        }
    }
}

/// The session of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The server.
    pub server: String,
    /// The connection it belongs to.
    pub generation: u64,
    /// It can be used now.
    pub active: bool,
    /// The handshake is done.
    pub initialized: bool,
    /// When the server last answered anything, Unix ms.
    pub last_activity_at_ms: Option<i64>,
    /// How fresh it is.
    pub freshness: Freshness,
}

impl Session {
    /// The session of `state`, seen at `now_ms`, with a window of `window_ms`.
    #[must_use]
    pub fn of(state: &ServerState, window_ms: i64, now_ms: i64) -> Self {
        let connection = state.facets.connection.state;
        let initialized = matches!(
            connection,
            ConnectionState::Discovering | ConnectionState::Ready | ConnectionState::Draining
        );
        let freshness = match state.last_activity_at_ms {
            Some(at) if initialized && now_ms.saturating_sub(at) <= window_ms => Freshness::ActiveRecent,
            Some(_) => Freshness::Stale,
            None => Freshness::Unknown,
        };
        Self {
            server: state.server.clone(),
            generation: state.generation,
            active: connection == ConnectionState::Ready,
            initialized,
            last_activity_at_ms: state.last_activity_at_ms,
            freshness,
        }
    }
}
