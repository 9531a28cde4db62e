//! The calls under way.

use serde::{Deserialize, Serialize};
use specta::Type;

/// How far a call is, as its server told it last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CallProgressDto {
    /// How much is done; it only grows.
    pub progress: f64,
    /// How much there is, where the server knows.
    pub total: Option<f64>,
    /// What the server says it does; hostile text.
    pub message: Option<String>,
    /// When it was told, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
}

/// One call under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CallUnderWayDto {
    /// What `call_cancel` wants.
    pub request_id: String,
    /// Joins the call with all that it causes.
    pub correlation_id: String,
    /// Who calls: `desktop` `cli` `mcp`.
    pub client: String,
    /// The server that is asked now; null before one is chosen.
    pub server: Option<String>,
    /// The MCP method.
    pub method: String,
    /// The tool, URI or prompt.
    pub item: String,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// When it ends at the latest, Unix ms.
    #[specta(type = Option<u32>)]
    pub deadline_ms: Option<i64>,
    /// How far it is.
    pub progress: Option<CallProgressDto>,
    /// Open questions of the server about it.
    pub open_questions: u32,
}
