//! Takes secrets out of JSON before it is hashed or stored.

use att_core::redact::{REDACTED, names_a_secret};
use serde_json::Value;

/// `value` with every string leaf passed through [`att_core::redact`], and with the strings under a key that
/// names a secret replaced, unless they are references.
pub(crate) fn redact_json(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(att_core::redact(&text)),
        Value::Array(items) => Value::Array(redact_list(items)),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let value = match value {
                        Value::String(text) if names_a_secret(&key) && !is_reference(&text) => {
                            Value::String(REDACTED.into())
                        }
                        other => redact_json(other),
                    };
                    (key, value)
                })
                .collect(),
        ),
        other => other,
    }
}

/// A list may be a command line: the word after a flag that names a secret (`--token`, `X`) is one.
fn redact_list(items: Vec<Value>) -> Vec<Value> {
    let mut after_flag = false;
    items
        .into_iter()
        .map(|item| {
            let follows = std::mem::replace(&mut after_flag, item.as_str().is_some_and(is_secret_flag));
            match item {
                Value::String(text) if follows && !text.starts_with('-') && !is_reference(&text) => {
                    Value::String(REDACTED.into())
                }
                other => redact_json(other),
            }
        })
        .collect()
}

fn is_secret_flag(word: &str) -> bool {
    word.starts_with('-') && !word.contains(['=', ' ']) && names_a_secret(word)
}

fn is_reference(text: &str) -> bool {
    text.is_empty() || (text.starts_with("${") && text.ends_with('}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_go_wherever_they_hang_and_references_stay() {
        let given = json!({
            "env": {"API_TOKEN": "s3cr3t", "REF": "${env:A}", "token": "${keyring:files}"},
            "args": ["--password=hunter22", "plain", "--token", "abc", "--api-key", "${env:KEY}", "--secret", "-v"],
            "count": 3,
        });
        assert_eq!(
            redact_json(given),
            json!({
                "env": {"API_TOKEN": "[redacted]", "REF": "${env:A}", "token": "${keyring:files}"},
                "args": [
                    "--password=[redacted]", "plain", "--token", "[redacted]", "--api-key", "${env:KEY}", "--secret", "-v",
                ],
                "count": 3,
            })
        );
    }
}
