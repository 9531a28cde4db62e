//! What a caller knows of a schema: the properties that it names, and that others are let through.
//!
//! A schema that says nothing about further properties takes them all, so that strictly every property that is
//! added narrows it. No caller sends a property that it never heard of; so the old schema is closed before it is
//! compared, but for one property of a name that nobody uses: whoever refuses that one refuses others now.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The property that stands for all that the schema does not name.
const ANY_OTHER: &str = "\u{1}att: any other";
/// How often the references are followed until they are settled.
const ROUNDS: usize = 8;

/// Marks a reference whose target is not a plain pointer into the document: nothing is closed then.
const UNTRACED: &str = "?";

/// Keywords that lay another schema over the same value.
const IN_PLACE: [&str; 10] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "dependentSchemas", "dependencies"];

/// Keywords beside which a schema is not closed: it says itself what may be there, or names what it does not describe.
const SAYS_ITSELF: [&str; 5] = [
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "propertyNames",
    "dependentRequired",
];

/// `schema` as a caller knows it. A part that is laid over another one is left open: closed, it would refuse the other's
/// properties.
pub(super) fn to_a_caller(schema: &Value) -> Value {
    let mut open = BTreeSet::new();
    for _ in 0..ROUNDS {
        let before = open.len();
        let mut walk = Walk { open: open.clone(), closing: false };
        walk.schema(&mut schema.clone(), "", true);
        open = walk.open;
        if open.contains(UNTRACED) {
            return schema.clone();
        }
        if open.len() == before {
            let mut closed = schema.clone();
            Walk { open, closing: true }.schema(&mut closed, "", true);
            return closed;
        }
    }
    schema.clone()
}

struct Walk {
    /// Pointers of schemas that something refers to from where it must not be closed.
    open: BTreeSet<String>,
    /// The second walk closes; the first only looks at references.
    closing: bool,
}

impl Walk {
    fn schema(&mut self, value: &mut Value, at: &str, closable: bool) {
        let Value::Object(fields) = value else { return };
        let closable = closable && !self.open.contains(at);
        let in_place: Vec<&str> = IN_PLACE.into_iter().filter(|name| fields.contains_key(*name)).collect();
        let describes = fields.contains_key("properties")
            || fields.contains_key("required")
            || SAYS_ITSELF.iter().any(|name| fields.contains_key(*name));
        // A lone choice, or a lone reference, is its members and nothing besides.
        let lone = match in_place.as_slice() {
            ["allOf"] => fields.get("allOf").and_then(Value::as_array).is_some_and(|all| all.len() == 1),
            ["anyOf" | "oneOf" | "$ref"] => true,
            _ => false,
        };
        let members_closable = closable && lone && !describes;
        if self.closing && closable && in_place.is_empty() && (describes || at.is_empty()) {
            close(fields);
        }
        for (name, inner) in fields.iter_mut() {
            let at = step(at, name);
            match name.as_str() {
                "anyOf" | "oneOf" | "allOf" => self.each(inner, &at, members_closable),
                "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
                    self.schema(inner, &at, false)
                }
                "dependentSchemas" | "dependencies" => self.each(inner, &at, false),
                "properties" | "patternProperties" | "$defs" | "definitions" => self.each(inner, &at, true),
                "additionalProperties" | "additionalItems" => self.schema(inner, &at, true),
                "items" if inner.is_object() => self.schema(inner, &at, true),
                "items" | "prefixItems" => self.each(inner, &at, true),
                "$ref" if !members_closable => {
                    let target = inner.as_str().and_then(|target| target.strip_prefix('#'));
                    let plain =
                        target.filter(|to| to.is_empty() || (to.starts_with('/') && !to.contains('%')));
                    self.open.insert(plain.unwrap_or(UNTRACED).to_owned());
                }
                "$dynamicRef" | "$recursiveRef" | "$anchor" | "$dynamicAnchor" => {
                    self.open.insert(UNTRACED.to_owned());
                }
                _ => {}
            }
        }
    }

    fn each(&mut self, value: &mut Value, at: &str, closable: bool) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields.iter_mut() {
                    self.schema(inner, &step(at, name), closable);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter_mut().enumerate() {
                    self.schema(inner, &step(at, &index.to_string()), closable);
                }
            }
            _ => {}
        }
    }
}

fn close(fields: &mut Map<String, Value>) {
    if SAYS_ITSELF.iter().any(|name| fields.contains_key(*name)) {
        return;
    }
    let named: Vec<String> = fields
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let properties = fields.entry("properties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else { return };
    for name in named {
        properties.entry(name).or_insert(Value::Bool(true));
    }
    properties.insert(ANY_OTHER.to_owned(), Value::Bool(true));
    fields.insert("additionalProperties".to_owned(), Value::Bool(false));
}

/// One step further in a JSON pointer (RFC 6901).
fn step(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Keywords that describe and do not constrain.
const ANNOTATIONS: [&str; 11] = [
    "$schema",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
];

/// `schema` without what only describes. Two that are equal then mean the same, however large or recursive they are.
pub(super) fn plain(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let kept =
        fields.iter().filter(|(name, _)| !ANNOTATIONS.contains(&name.as_str()) && !name.starts_with("x-"));
    kept.map(|(name, inner)| {
        let inner = match (name.as_str(), inner) {
            // Names here are a server's own words, whatever keyword they look like.
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => Value::Object(named.iter().map(|(name, inner)| (name.clone(), plain(inner))).collect()),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Value::Array(members)) => {
                members.iter().map(plain).collect()
            }
            (
                "items"
                | "additionalProperties"
                | "additionalItems"
                | "contains"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else"
                | "unevaluatedProperties"
                | "unevaluatedItems",
                inner,
            ) => plain(inner),
            (_, inner) => inner.clone(),
        };
        (name.clone(), inner)
    })
    .collect()
}
