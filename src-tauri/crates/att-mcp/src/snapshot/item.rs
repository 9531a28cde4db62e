//! Judges one listed item: what it is called, what is wrong with it, its hashes, and how much of it is kept.

use std::sync::LazyLock;

use att_core::{canonical_json, sha256_hex};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::model::{ItemHashes, ListKind, SnapshotItem};
use crate::weight::weigh;
use crate::wire::http::headers::annotations;

/// What identifies an item beside its key; a change here alone is a rename.
const IDENTITY: [&str; 4] = ["name", "title", "uri", "uriTemplate"];
/// The fields that have a hash of their own.
const GROUPED: [&str; 9] = [
    "name",
    "title",
    "uri",
    "uriTemplate",
    "description",
    "inputSchema",
    "arguments",
    "outputSchema",
    "annotations",
];
/// Largest item kept whole, in bytes of its text.
const MAX_BYTES: usize = 256 * 1024;
/// Largest field of an item that was cut.
const MAX_CUT_FIELD: usize = 4 * 1024;
/// Most fields of an item that was cut.
const MAX_CUT_FIELDS: usize = 32;
/// Longest key; a URI may rightly be long.
const MAX_KEY: usize = 2 * 1024;
/// Deepest nesting that is not remarked on.
const MAX_DEPTH: usize = 64;

/// A field that is not there.
static ABSENT: LazyLock<String> = LazyLock::new(|| digest(&Value::Null));

/// An item and the digest of all that the server sent of it.
pub(super) struct Judged {
    pub item: SnapshotItem,
    pub digest: String,
}

pub(super) fn judge(kind: ListKind, raw: Value) -> Judged {
    let whole = digest(&raw);
    let hashes = hashes(&raw);
    let key_field = match kind {
        ListKind::Tools | ListKind::Prompts => "name",
        ListKind::Resources => "uri",
        ListKind::ResourceTemplates => "uriTemplate",
    };
    let named = raw.get(key_field).and_then(Value::as_str).filter(|key| !key.is_empty());
    let mut problem = match (&raw, named) {
        (Value::Object(fields), Some(name)) => {
            name_problem(key_field, name).or_else(|| problem(kind, fields))
        }
        (Value::Object(_), None) => Some(format!("it has no \"{key_field}\"")),
        _ => Some("it is not an object".to_owned()),
    };
    let key = match named {
        Some(name) if name.len() <= MAX_KEY => name.to_owned(),
        Some(name) => format!("{}…{}", start(name, 256), &whole[..12]),
        None => format!("malformed:{}", &whole[..12]),
    };
    let weight = weigh(&raw);
    let raw = if weight.bytes > MAX_BYTES {
        problem =
            Some(format!("it has {} bytes, more than {MAX_BYTES}; its large fields were cut", weight.bytes));
        cut(raw)
    } else {
        if weight.depth > MAX_DEPTH {
            problem.get_or_insert_with(|| format!("it is nested {} levels deep", weight.depth));
        }
        raw
    };
    Judged { item: SnapshotItem { key, raw, problem, hashes }, digest: whole }
}

/// What is left of an item that is too large: its small fields, and of the others how large they were.
fn cut(raw: Value) -> Value {
    let shortened = |value: Value| match weigh(&value).bytes {
        bytes if bytes > MAX_CUT_FIELD => Value::String(format!("(cut by ATT: {bytes} bytes)")),
        _ => value,
    };
    match raw {
        Value::Object(fields) => fields
            .into_iter()
            .take(MAX_CUT_FIELDS)
            .map(|(name, value)| (start(&name, 256).to_owned(), shortened(value)))
            .collect(),
        other => shortened(other),
    }
}

/// The first `most` bytes of `text`, or a few less: a character is not split.
fn start(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most.min(text.len()))]
}

/// `text`, or its start and how long it was.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.len() > most {
        true => format!("{}… (cut by ATT: {} bytes)", start(text, most), text.len()),
        false => text.to_owned(),
    }
}

fn name_problem(field: &str, name: &str) -> Option<String> {
    if name.len() > MAX_KEY {
        return Some(format!("its \"{field}\" has {} bytes, more than {MAX_KEY}", name.len()));
    }
    let odd =
        |c: char| c.is_control() || turns(c) || hides(c) || matches!(c, '\u{200B}'..='\u{200F}' | '\u{FEFF}');
    name.chars()
        .any(odd)
        .then(|| format!("its \"{field}\" holds characters that do not show or that turn text"))
}

/// Characters that change the direction of what follows them.
fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Characters that show as nothing, and that a model reads all the same.
fn hides(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

fn problem(kind: ListKind, fields: &Map<String, Value>) -> Option<String> {
    for name in ["description", "title", "mimeType"] {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().any(|c| turns(c) || hides(c)) => {
                return Some(format!("\"{name}\" holds characters that do not show or that turn text"));
            }
            Some(Value::String(_)) => {}
            Some(_) => return Some(format!("\"{name}\" is not a text")),
        }
    }
    if fields.get("annotations").is_some_and(|v| !v.is_object() && !v.is_null()) {
        return Some("\"annotations\" is not an object".to_owned());
    }
    match kind {
        ListKind::Tools => {
            match fields.get("inputSchema") {
                None => return Some("it has no \"inputSchema\"".to_owned()),
                Some(whole @ Value::Object(schema)) => {
                    if schema.get("type").and_then(Value::as_str) != Some("object") {
                        return Some("\"inputSchema\" is not of type object".to_owned());
                    }
                    if let Err(why) = annotations(whole) {
                        return Some(why);
                    }
                }
                Some(_) => return Some("\"inputSchema\" is not a schema".to_owned()),
            }
            match fields.get("outputSchema") {
                None | Some(Value::Null | Value::Object(_)) => None,
                Some(_) => Some("\"outputSchema\" is not a schema".to_owned()),
            }
        }
        ListKind::Prompts => match fields.get("arguments") {
            None | Some(Value::Null) => None,
            Some(Value::Array(arguments)) => arguments
                .iter()
                .any(|a| a.get("name").and_then(Value::as_str).is_none())
                .then(|| "an argument has no name".to_owned()),
            Some(_) => Some("\"arguments\" is not a list".to_owned()),
        },
        ListKind::Resources | ListKind::ResourceTemplates => None,
    }
}

fn hashes(raw: &Value) -> ItemHashes {
    let field = |name: &str| raw.get(name).map_or_else(|| ABSENT.clone(), digest);
    let without = |names: &[&str]| match raw {
        Value::Object(fields) => digest(&Without { fields, names }),
        other => digest(other),
    };
    let identity: Vec<&Value> = IDENTITY.iter().map(|name| raw.get(*name).unwrap_or(&Value::Null)).collect();
    ItemHashes {
        identity: digest(&identity),
        description: field("description"),
        input_schema: match raw.get("inputSchema") {
            Some(schema) => digest(schema),
            None => field("arguments"),
        },
        output_schema: field("outputSchema"),
        annotations: field("annotations"),
        other: without(&GROUPED),
        body: without(&IDENTITY),
    }
}

/// An object without some of its fields, and without copying the others.
struct Without<'f> {
    fields: &'f Map<String, Value>,
    names: &'f [&'f str],
}

impl Serialize for Without<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.fields.iter().filter(|(name, _)| !self.names.contains(&name.as_str())) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// SHA-256 over RFC 8785 text.
pub(super) fn digest(value: &impl Serialize) -> String {
    // Every JSON value has a canonical form; one that had none would only share its hash with others like it.
    sha256_hex(canonical_json(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(raw: Value) -> SnapshotItem {
        judge(ListKind::Tools, raw).item
    }

    fn tool(name: &str) -> Value {
        json!({"name": name, "inputSchema": {"type": "object"}})
    }

    #[test]
    fn each_group_of_fields_has_a_hash_that_follows_it_and_no_other() {
        let base = json!({"name": "t", "title": "T", "description": "d", "inputSchema": {"type": "object"},
            "outputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}, "x": 1});
        let words = |raw: Value| serde_json::to_value(judged(raw).hashes).unwrap();
        let before = words(base.clone());
        for (field, moved) in [
            ("name", vec!["identity"]),
            ("title", vec!["identity"]),
            ("description", vec!["body", "description"]),
            ("inputSchema", vec!["body", "input_schema"]),
            ("outputSchema", vec!["body", "output_schema"]),
            ("annotations", vec!["annotations", "body"]),
            ("x", vec!["body", "other"]),
        ] {
            let mut after = base.clone();
            after[field] = json!("changed");
            let after = words(after);
            let mut differ: Vec<&str> = before
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .filter(|k| before[k] != after[k])
                .collect();
            differ.sort_unstable();
            assert_eq!(differ, moved, "{field}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_text_whatever_the_order_the_escapes_and_the_form_of_numbers() {
        let one: Value = serde_json::from_str(
            r#"{"name":"\u20ac\u00e9","inputSchema":{"type":"object","maximum":1.0,"minimum":-0,"x":1e21}}"#,
        )
        .unwrap();
        let other: Value = serde_json::from_str(
            r#"{"inputSchema":{"x":1000000000000000000000,"minimum":0,"maximum":1,"type":"object"},"name":"€é"}"#,
        )
        .unwrap();
        assert_eq!(judged(one).hashes, judged(other).hashes);
        // Composed and decomposed letters are other names: RFC 8785 does not normalize.
        assert_ne!(judged(tool("\u{e9}")).hashes.identity, judged(tool("e\u{301}")).hashes.identity);
        // Keys are sorted by UTF-16 code units, so that an emoji comes before U+FB33.
        assert_eq!(
            digest(&json!({"\u{fb33}": 1, "\u{1f600}": 2})),
            sha256_hex("{\"\u{1f600}\":2,\"\u{fb33}\":1}")
        );
    }

    #[test]
    fn names_that_hide_something_or_never_end_are_kept_marked_and_bounded() {
        for name in ["a\u{0}b", "a\nb", "delete\u{202e}elif", "a\u{200b}b", "a\u{e0041}"] {
            let item = judged(tool(name));
            assert!(item.problem.as_deref().unwrap().contains("characters"), "{name:?}");
            assert_eq!(item.raw["name"], name, "kept as it came");
        }
        let endless = judged(tool(&"é".repeat(1_000_000)));
        assert!(endless.key.len() < 300 && endless.problem.is_some(), "{}", endless.key.len());
        assert!(weigh(&endless.raw).bytes < MAX_BYTES);
        assert_eq!(judged(tool("ein-Wörkzeug_🔧.v2/x")).problem, None);
        let mut told = tool("a");
        told["description"] = json!("reads\u{202e}seteled");
        assert!(judged(told).problem.unwrap().contains("description"));
    }

    #[test]
    fn an_item_that_is_too_large_is_cut_says_so_and_still_changes_with_what_was_cut() {
        let large = |last: &str| {
            let mut raw = tool("big");
            raw["description"] = json!("short");
            raw["inputSchema"]["x"] = json!(format!("{}{last}", "y".repeat(MAX_BYTES)));
            judge(ListKind::Tools, raw)
        };
        let (one, other) = (large("1"), large("2"));
        assert!(one.item.problem.as_deref().unwrap().contains("cut"));
        assert_eq!((&one.item.raw["name"], &one.item.raw["description"]), (&json!("big"), &json!("short")));
        assert!(one.item.raw["inputSchema"].as_str().unwrap().starts_with("(cut by ATT: "));
        assert!(one.digest != other.digest && one.item.hashes.input_schema != other.item.hashes.input_schema);
    }

    #[test]
    fn wrong_types_are_told_one_by_one() {
        for (raw, told) in [
            (json!(7), "not an object"),
            (json!({"name": ""}), "no \"name\""),
            (json!({"name": "a", "inputSchema": []}), "not a schema"),
            (json!({"name": "a", "inputSchema": {"type": "string"}}), "not of type object"),
            (json!({"name": "a", "inputSchema": {"type": "object"}, "outputSchema": 1}), "outputSchema"),
            (json!({"name": "a", "inputSchema": {"type": "object"}, "annotations": []}), "annotations"),
            (json!({"name": "a", "inputSchema": {"type": "object"}, "title": {}}), "title"),
        ] {
            let problem = judged(raw.clone()).problem.unwrap_or_default();
            assert!(problem.contains(told), "{raw}: {problem}");
        }
    }
}
