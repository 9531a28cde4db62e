//! What is kept of a question once it is closed.

use att_core::Actor;
use att_core::id::InterruptionId;
use serde::{Deserialize, Serialize};

/// How a question of a server ended. What was answered is not kept: it may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionClosure {
    /// The question.
    pub id: InterruptionId,
    /// When, Unix ms.
    pub at_ms: i64,
    /// `accept`, `decline` or `cancel`: what the server was told.
    pub action: String,
    /// Why, in a few words.
    pub how: String,
    /// The names of the fields that were given.
    pub fields: Vec<String>,
    /// Who answered; none where nobody did.
    pub by: Option<Actor>,
}
