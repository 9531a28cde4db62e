//! Questions of servers, and what a person answers.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One message of the talk that a sampling question continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuestionMessageDto {
    /// `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub text: String,
}

/// A server's open question. Its words are hostile: show them as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuestionDto {
    /// Its id, also that of its entry in the inbox.
    pub id: String,
    /// Who asks.
    pub server: String,
    /// `elicitation_form` `elicitation_url` `sampling`.
    pub kind: String,
    /// The server's words.
    pub message: String,
    /// The form's JSON Schema, as JSON text.
    pub schema: Option<String>,
    /// The page; opened by the operator's click and by nothing else.
    pub url: Option<String>,
    /// The talk so far.
    pub messages: Vec<QuestionMessageDto>,
    /// The call it belongs to.
    pub request_id: Option<String>,
    /// The trace of that call.
    pub correlation_id: Option<String>,
    /// Since when it waits, Unix ms.
    #[specta(type = u32)]
    pub asked_at_ms: i64,
    /// When it lapses, Unix ms.
    #[specta(type = u32)]
    pub expires_at_ms: i64,
}

/// A person's answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuestionAnswerDto {
    /// The question.
    pub id: String,
    /// `accept` `decline` `cancel`.
    pub action: String,
    /// For `accept`: the form's fields as JSON text, or the text of a sampling question.
    pub content: Option<String>,
}

impl std::fmt::Debug for QuestionAnswerDto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (id, action) = (&self.id, &self.action);
        f.debug_struct("QuestionAnswerDto").field("id", id).field("action", action).finish_non_exhaustive()
    }
}
