//! What a server asks of the operator in the middle of a call, and what may be answered.
//!
//! A question is hostile text: it is bounded, shown and never followed. An answer is checked against what was asked for
//! before it leaves. Roots are no question: the operator's setting `att.roots` is the standing answer.

pub(crate) mod desk;
mod fit;

use async_trait::async_trait;
use att_core::id::{CorrelationId, InterruptionId, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::text::shown;
use crate::weight::weigh;

/// Longest message of a question, in characters.
const MESSAGE_CHARS: usize = 4_000;
/// Longest address that may be shown, in bytes.
const URL_BYTES: usize = 2_048;
/// Largest requested schema, in bytes.
const SCHEMA_BYTES: usize = 32 * 1024;
/// Most fields that may be asked for.
const MAX_FIELDS: usize = 64;
/// Most messages of one sampling question that are shown.
const MAX_MESSAGES: usize = 50;

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// A form to fill in (`elicitation/create`).
    ElicitationForm,
    /// A page to visit; ATT shows its address and does not open it.
    ElicitationUrl,
    /// A message that a model would write (`sampling/createMessage`); here a person writes it.
    Sampling,
}

impl QuestionKind {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ElicitationForm => "elicitation_form",
            Self::ElicitationUrl => "elicitation_url",
            Self::Sampling => "sampling",
        }
    }
}

/// One message of the talk that a sampling question continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionMessage {
    /// `user` or `assistant`, as the server says.
    pub role: String,
    /// What was said; what is no text is told by its type.
    pub text: String,
}

/// An open question of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Its id, which is also that of its entry in the inbox.
    pub id: InterruptionId,
    /// Who asks.
    pub server: String,
    /// On which connection attempt.
    pub generation: u64,
    /// The call it belongs to, where that is known.
    pub request_id: Option<RequestId>,
    /// The trace of that call.
    pub correlation_id: Option<CorrelationId>,
    /// What is wanted.
    pub kind: QuestionKind,
    /// The server's words.
    pub message: String,
    /// The form's JSON Schema.
    pub schema: Option<Value>,
    /// The page.
    pub url: Option<String>,
    /// The talk so far.
    pub messages: Vec<QuestionMessage>,
    /// Since when it waits, Unix ms.
    pub asked_at_ms: i64,
    /// When it lapses, Unix ms.
    pub expires_at_ms: i64,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum QuestionAnswer {
    /// Here it is: the form's fields as an object, the text of a sampling question; nothing for a page.
    Accept {
        /// The fields, or the text.
        #[serde(default)]
        content: Value,
    },
    /// No.
    Decline,
    /// Neither yes nor no.
    Cancel,
}

impl QuestionAnswer {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accept { .. } => "accept",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
        }
    }
}

/// Answers in the place of an operator, where there is none.
#[async_trait]
pub trait Answerer: Send + Sync {
    /// The answer; none leaves the question to the operator.
    async fn answer(&self, question: &Question) -> Option<QuestionAnswer>;
}

/// A question as a server put it, bounded, before anyone is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posed {
    pub kind: QuestionKind,
    pub message: String,
    pub schema: Option<Value>,
    pub url: Option<String>,
    pub messages: Vec<QuestionMessage>,
}

impl Posed {
    /// Reads `elicitation/create` or `sampling/createMessage`; `Err` says what is wrong with it.
    pub fn read(method: &str, params: Option<&Value>) -> Result<Self, String> {
        let params = params.filter(|params| params.is_object()).ok_or("it has no parameters")?;
        let text = |key: &str| params.get(key).and_then(Value::as_str);
        let blank = |kind, message: &str| Self {
            kind,
            message: shown(message, MESSAGE_CHARS),
            schema: None,
            url: None,
            messages: Vec::new(),
        };
        match method {
            "sampling/createMessage" => {
                let messages =
                    params.get("messages").and_then(Value::as_array).ok_or("it has no messages")?;
                let mut posed = blank(QuestionKind::Sampling, text("systemPrompt").unwrap_or_default());
                let skipped = messages.len().saturating_sub(MAX_MESSAGES);
                posed.messages = messages.iter().skip(skipped).map(spoken).collect();
                Ok(posed)
            }
            "elicitation/create" => {
                let message = text("message").ok_or("it has no message")?;
                match text("mode") {
                    Some("url") => {
                        let mut posed = blank(QuestionKind::ElicitationUrl, message);
                        posed.url = Some(page(text("url").ok_or("it has no address")?)?);
                        Ok(posed)
                    }
                    Some("form") | None => {
                        let schema = params.get("requestedSchema").ok_or("it asks for no fields")?;
                        form(schema)?;
                        let mut posed = blank(QuestionKind::ElicitationForm, message);
                        posed.schema = Some(schema.clone());
                        Ok(posed)
                    }
                    Some(_) => Err("it asks in a mode that ATT does not know".to_owned()),
                }
            }
            _ => Err("it is no question that ATT knows".to_owned()),
        }
    }
}

/// A form is flat: fields with a plain type each (specification, "Restricted schema").
fn form(schema: &Value) -> Result<(), String> {
    if weigh(schema).bytes > SCHEMA_BYTES {
        return Err(format!("its form has more than {SCHEMA_BYTES} bytes"));
    }
    let fields = schema
        .get("properties")
        .and_then(Value::as_object)
        .filter(|_| schema.get("type").and_then(Value::as_str) == Some("object"))
        .ok_or("its form is no object with fields")?;
    if fields.len() > MAX_FIELDS {
        return Err(format!("its form has more than {MAX_FIELDS} fields"));
    }
    let plain = |field: &Value| match field.get("type").and_then(Value::as_str) {
        Some("string" | "number" | "integer" | "boolean") => true,
        Some("array") => field.get("items").is_some_and(Value::is_object),
        _ => field.get("enum").is_some_and(Value::is_array),
    };
    match fields.iter().find(|(_, field)| !plain(field)) {
        Some((name, _)) => Err(format!("its form's field {} has no plain type", shown(name, 60))),
        None => Ok(()),
    }
}

/// An address that may be shown: plain, of the web, and not endless.
fn page(url: &str) -> Result<String, String> {
    let parsed = reqwest::Url::parse(url).ok().filter(|_| url.len() <= URL_BYTES);
    match parsed.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host()) {
        Some(url) => Ok(url.to_string()),
        None => Err("its address is none that can be shown".to_owned()),
    }
}

fn spoken(message: &Value) -> QuestionMessage {
    let part = |part: &Value| match part.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => format!("[{}]", part.get("type").and_then(Value::as_str).unwrap_or("nothing")),
    };
    let text = match message.get("content") {
        Some(Value::Array(parts)) => parts.iter().take(20).map(part).collect::<Vec<_>>().join("\n"),
        Some(content) => part(content),
        None => String::new(),
    };
    let role = message.get("role").and_then(Value::as_str).unwrap_or("unknown");
    QuestionMessage { role: shown(role, 20), text: shown(&text, MESSAGE_CHARS) }
}

/// The answer as MCP wants it; none where MCP has no word for a refusal but an error.
pub(crate) fn on_the_wire(kind: QuestionKind, answer: &QuestionAnswer) -> Option<Value> {
    match (kind, answer) {
        (QuestionKind::Sampling, QuestionAnswer::Accept { content }) => Some(json!({
            "role": "assistant",
            "model": "operator",
            "stopReason": "endTurn",
            "content": {"type": "text", "text": content},
        })),
        (QuestionKind::Sampling, _) => None,
        (QuestionKind::ElicitationForm, QuestionAnswer::Accept { content }) => {
            Some(json!({"action": "accept", "content": content}))
        }
        (_, answer) => Some(json!({"action": answer.as_str()})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn elicit(params: &Value) -> Result<Posed, String> {
        Posed::read("elicitation/create", Some(params))
    }

    #[test]
    fn a_form_is_read_and_its_words_are_made_harmless() {
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        let posed = elicit(&json!({"message": "who\u{202e}?", "requestedSchema": schema})).unwrap();
        assert_eq!((posed.kind, posed.message.as_str()), (QuestionKind::ElicitationForm, "who ?"));
        assert_eq!(posed.schema, Some(schema));
        let long =
            elicit(&json!({"message": "x".repeat(1_000_000), "mode": "url", "url": "https://a.example/"}));
        assert_eq!(long.unwrap().message.chars().count(), MESSAGE_CHARS + 1);
    }

    #[test]
    fn a_form_that_is_nested_huge_or_none_and_an_address_that_is_no_page_are_refused() {
        let form = |schema: Value| json!({"message": "m", "requestedSchema": schema});
        let wide: serde_json::Map<String, Value> =
            (0..65).map(|n| (format!("f{n}"), json!({"type": "string"}))).collect();
        let refused = [
            json!({"message": "m"}),
            form(json!({"type": "object"})),
            form(json!({"type": "object", "properties": {"a": {"type": "object"}}})),
            form(json!({"type": "object", "properties": wide})),
            form(
                json!({"type": "object", "properties": {"a": {"type": "string", "title": "x".repeat(40_000)}}}),
            ),
            json!({"message": "m", "mode": "url", "url": "javascript:alert(1)"}),
            json!({"message": "m", "mode": "url", "url": "file:///etc/passwd"}),
            json!({"message": "m", "mode": "url", "url": format!("https://a.example/{}", "x".repeat(3_000))}),
            json!({"message": "m", "mode": "telepathy"}),
            json!([]),
        ];
        for params in refused {
            assert!(elicit(&params).is_err(), "{params}");
        }
    }

    #[test]
    fn what_a_model_would_be_asked_is_shown_with_its_newest_messages() {
        let messages: Vec<Value> = (0..60)
            .map(|n| json!({"role": "user", "content": {"type": "text", "text": format!("m{n}")}}))
            .collect();
        let params = json!({"messages": messages, "systemPrompt": "be brief", "maxTokens": 5});
        let posed = Posed::read("sampling/createMessage", Some(&params)).unwrap();
        assert_eq!((posed.message.as_str(), posed.messages.len()), ("be brief", MAX_MESSAGES));
        assert_eq!(posed.messages[49].text, "m59");
        let image = json!({"role": "user", "content": [{"type": "image", "data": "AAAA"}, {"type": "text", "text": "t"}]});
        assert_eq!(spoken(&image).text, "[image]\nt");
    }

    #[test]
    fn a_refused_sampling_has_no_result_and_a_refused_form_says_so() {
        assert_eq!(on_the_wire(QuestionKind::Sampling, &QuestionAnswer::Decline), None);
        let declined = on_the_wire(QuestionKind::ElicitationForm, &QuestionAnswer::Decline);
        assert_eq!(declined, Some(json!({"action": "decline"})));
        let visited = QuestionAnswer::Accept { content: json!({"secret": 1}) };
        let wire = on_the_wire(QuestionKind::ElicitationUrl, &visited);
        assert_eq!(wire, Some(json!({"action": "accept"})), "a page's answer carries nothing");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            prop::sample::select(vec!["object", "string", "url", "form", "text"]).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let key = prop::sample::select(vec![
                "message",
                "mode",
                "url",
                "requestedSchema",
                "type",
                "properties",
                "messages",
                "content",
                "role",
                "a",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..5)
                    .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_server_asks_is_bounded_or_refused(params in any_json(), sampling: bool) {
            let method = if sampling { "sampling/createMessage" } else { "elicitation/create" };
            if let Ok(posed) = Posed::read(method, Some(&params)) {
                prop_assert!(posed.message.chars().count() <= MESSAGE_CHARS + 1);
                prop_assert!(posed.messages.len() <= MAX_MESSAGES);
                prop_assert!(posed.kind != QuestionKind::ElicitationForm || posed.schema.is_some());
                prop_assert!(posed.kind != QuestionKind::ElicitationUrl || posed.url.is_some());
            }
        }
    }
}
