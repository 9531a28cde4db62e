//! Questions and answers as faces see them.

use crate::dto::{QuestionAnswerDto, QuestionDto, QuestionMessageDto};
use att_core::{Code, Report};
use att_mcp::{Question, QuestionAnswer, QuestionKind};
use serde_json::Value;

/// A question.
#[must_use]
pub fn question(question: &Question) -> QuestionDto {
    let message = |message: &att_mcp::QuestionMessage| QuestionMessageDto {
        role: message.role.clone(),
        text: message.text.clone(),
    };
    QuestionDto {
        id: question.id.to_string(),
        server: question.server.clone(),
        kind: question.kind.as_str().to_owned(),
        message: question.message.clone(),
        schema: question.schema.as_ref().map(super::json_text),
        url: question.url.clone(),
        messages: question.messages.iter().map(message).collect(),
        request_id: question.request_id.as_ref().map(ToString::to_string),
        correlation_id: question.correlation_id.as_ref().map(ToString::to_string),
        asked_at_ms: question.asked_at_ms,
        expires_at_ms: question.expires_at_ms,
    }
}

/// What a person said to a question of this kind.
///
/// # Errors
/// When the action is none, or the fields are no JSON.
pub fn answer(kind: QuestionKind, given: &QuestionAnswerDto) -> Result<QuestionAnswer, Report> {
    let text = given.content.as_deref().unwrap_or_default();
    match given.action.as_str() {
        "decline" => Ok(QuestionAnswer::Decline),
        "cancel" => Ok(QuestionAnswer::Cancel),
        "accept" => {
            let content = match kind {
                QuestionKind::Sampling => Value::String(text.to_owned()),
                QuestionKind::ElicitationUrl => Value::Null,
                QuestionKind::ElicitationForm if text.trim().is_empty() => Value::Null,
                QuestionKind::ElicitationForm => serde_json::from_str(text).map_err(|error| {
                    Report::new(Code::InvalidInput, "the fields are not JSON").cause(error.to_string())
                })?,
            };
            Ok(QuestionAnswer::Accept { content })
        }
        other => Err(Report::new(Code::InvalidInput, format!("`{other}` is no answer"))
            .cure("use accept, decline or cancel")),
    }
}
