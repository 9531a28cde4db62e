//! Text from a server as it may be shown: bounded, without secrets, without characters that mislead the eye.

use serde_json::Value;

use crate::weight::weigh;

/// Longest instructions shown, in characters.
pub(crate) const INSTRUCTIONS: usize = 20_000;
/// Largest JSON shown, in bytes.
const MAX_JSON_BYTES: usize = 64 * 1024;

/// `text` with secrets taken out, control and direction characters replaced, and at most `limit` characters.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    // Cut before the search for secrets: its cost must not grow with what a server sends.
    let some: String = text.chars().take(limit.saturating_mul(2)).collect();
    let mut out: String =
        att_core::redact(&some).chars().map(|c| if is_plain(c) { c } else { ' ' }).take(limit).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

/// The same in one line.
pub(crate) fn sentence(text: &str, limit: usize) -> String {
    att_core::visible(&shown(text, limit))
}

/// JSON from a server for people to see: the same for every text and key in it. One that is too large is cut to a word
/// about that.
pub(crate) fn shown_json(value: &Value) -> Value {
    let weight = weigh(value);
    if weight.bytes > MAX_JSON_BYTES {
        return Value::String(format!("{} bytes of JSON, more than is shown", weight.bytes));
    }
    clean(value)
}

fn clean(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(shown(text, MAX_JSON_BYTES)),
        Value::Array(items) => Value::Array(items.iter().map(clean).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, inner)| (att_core::visible(key), clean(inner))).collect())
        }
        plain => plain.clone(),
    }
}

fn is_plain(c: char) -> bool {
    c == '\n' || att_core::text::is_visible(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_misleads_the_eye_is_replaced_and_what_is_long_is_cut() {
        assert_eq!(shown("a\u{202e}b\u{1b}[31mc\nd", 100), "a b [31mc\nd");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(sentence("a\nb\u{9b}31m\u{2066}c", 100), "a b 31m c");
        assert!(shown(&"x".repeat(1_000_000), 10).chars().count() == 11);
    }

    #[test]
    fn json_is_cleaned_in_its_keys_and_texts_and_a_huge_one_is_not_shown() {
        let told = json!({"na\u{202e}me": ["\u{1b}]0;x\u{7}", 1, {"v": "1\u{200b}.2"}]});
        assert_eq!(shown_json(&told), json!({"na me": [" ]0;x ", 1, {"v": "1 .2"}]}));
        let huge = json!({"name": "x".repeat(MAX_JSON_BYTES)});
        assert!(shown_json(&huge).as_str().is_some_and(|text| text.contains("more than is shown")));
    }
}
