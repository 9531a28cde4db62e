//! Whether an answer fits its question, and the defaults of what was left out (SEP-1034).

use serde_json::{Map, Value};

use super::{Question, QuestionAnswer, QuestionKind};
use crate::arguments::misfits;

/// Longest text that answers a sampling question, in bytes.
const TEXT_BYTES: usize = 256 * 1024;

impl Question {
    /// The answer as it may leave: with the form's defaults for what was left out.
    ///
    /// # Errors
    /// Everything that does not fit, as `JSON-pointer: what is wrong`.
    pub fn fitted(&self, answer: QuestionAnswer) -> Result<QuestionAnswer, Vec<String>> {
        let QuestionAnswer::Accept { content } = answer else { return Ok(answer) };
        let content = match self.kind {
            QuestionKind::ElicitationUrl => Value::Null,
            QuestionKind::Sampling => match content {
                Value::String(text) if text.len() <= TEXT_BYTES => Value::String(text),
                Value::String(_) => return Err(vec![format!("/: has more than {TEXT_BYTES} bytes")]),
                _ => return Err(vec!["/: must be a text".to_owned()]),
            },
            QuestionKind::ElicitationForm => self.filled_in(content)?,
        };
        Ok(QuestionAnswer::Accept { content })
    }

    fn filled_in(&self, content: Value) -> Result<Value, Vec<String>> {
        let mut given = match content {
            Value::Object(given) => given,
            Value::Null => Map::new(),
            _ => return Err(vec!["/: must be an object".to_owned()]),
        };
        let schema = self.schema.as_ref().unwrap_or(&Value::Null);
        let fields = schema.get("properties").and_then(Value::as_object);
        let asked = |name: &str| fields.is_some_and(|fields| fields.contains_key(name));
        let unasked: Vec<_> = given
            .keys()
            .filter(|name| !asked(name))
            .map(|name| format!("/{name}: was not asked for"))
            .collect();
        if !unasked.is_empty() {
            return Err(unasked);
        }
        for (name, field) in fields.into_iter().flatten() {
            if let Some(default) = field.get("default").filter(|_| !given.contains_key(name)) {
                given.insert(name.clone(), default.clone());
            }
        }
        let given = Value::Object(given);
        let wrong = misfits(schema, &given);
        if wrong.is_empty() { Ok(given) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(kind: QuestionKind, schema: Value) -> Question {
        Question {
            id: "q".into(),
            server: "s".into(),
            generation: 1,
            request_id: None,
            correlation_id: None,
            kind,
            message: "m".into(),
            schema: Some(schema),
            url: None,
            messages: Vec::new(),
            asked_at_ms: 1,
            expires_at_ms: 2,
        }
    }

    fn accept(content: Value) -> QuestionAnswer {
        QuestionAnswer::Accept { content }
    }

    #[test]
    fn a_form_gets_its_defaults_and_is_checked_before_it_leaves() {
        let form = question(
            QuestionKind::ElicitationForm,
            json!({"type": "object", "required": ["age"], "properties": {
                "name": {"type": "string", "default": "Ann"},
                "age": {"type": "integer", "minimum": 1}
            }}),
        );
        assert_eq!(form.fitted(accept(json!({"age": 3}))), Ok(accept(json!({"age": 3, "name": "Ann"}))));
        assert_eq!(
            form.fitted(accept(json!({"age": 3, "name": "B"}))),
            Ok(accept(json!({"age": 3, "name": "B"})))
        );
        assert_eq!(form.fitted(accept(Value::Null)), Err(vec!["/age: is required".to_owned()]));
        assert_eq!(form.fitted(accept(json!({"age": 0}))), Err(vec!["/age: must be at least 1".to_owned()]));
        let more = form.fitted(accept(json!({"age": 1, "token": "t"})));
        assert_eq!(more, Err(vec!["/token: was not asked for".to_owned()]));
        assert_eq!(form.fitted(QuestionAnswer::Decline), Ok(QuestionAnswer::Decline));
    }

    #[test]
    fn a_sampling_wants_a_text_and_a_page_takes_nothing() {
        let sampling = question(QuestionKind::Sampling, Value::Null);
        assert_eq!(sampling.fitted(accept(json!("hi"))), Ok(accept(json!("hi"))));
        assert!(sampling.fitted(accept(json!({"a": 1}))).is_err());
        let page = question(QuestionKind::ElicitationUrl, Value::Null);
        assert_eq!(page.fitted(accept(json!({"a": 1}))), Ok(accept(Value::Null)));
    }
}
