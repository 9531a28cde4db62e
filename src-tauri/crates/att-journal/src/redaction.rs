//! Takes secrets out of JSON before it is hashed or stored.

use att_core::redact::{REDACTED, names_a_secret};
use serde_json::Value;

/// `value` with every string leaf passed through [`att_core::redact`], and with the strings under a key that
/// names a secret replaced, unless they are references.
pub(crate) fn redact_json(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(att_core::redact(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(redact_json).collect()),
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
            "args": ["--password=hunter22", "plain"],
            "count": 3,
        });
        assert_eq!(
            redact_json(given),
            json!({
                "env": {"API_TOKEN": "[redacted]", "REF": "${env:A}", "token": "${keyring:files}"},
                "args": ["--password=[redacted]", "plain"],
                "count": 3,
            })
        );
    }
}
