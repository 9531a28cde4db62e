//! Whether a changed input schema still takes every call that the old one took. Errs on the side of "breaking".

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keywords that describe and do not constrain.
const SILENT: [&str; 9] =
    ["$schema", "$comment", "$id", "title", "description", "default", "examples", "deprecated", "readOnly"];

/// Keywords whose absence only loosens a schema.
const NARROWING: [&str; 13] = [
    "pattern",
    "format",
    "uniqueItems",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "propertyNames",
    "contains",
    "multipleOf",
];

/// Deepest nesting looked into.
const MAX_DEPTH: u32 = 64;

/// True when `new` surely accepts everything that `old` accepts. An optional property that is added counts as
/// accepted: no caller sends what it does not know.
#[must_use]
pub fn accepts_all_of(new: &Value, old: &Value) -> bool {
    accepts(new, old, MAX_DEPTH)
}

fn accepts(new: &Value, old: &Value, depth: u32) -> bool {
    if depth == 0 {
        return new == old;
    }
    let (new, old) = match (new, old) {
        (Value::Bool(true), _) | (_, Value::Bool(false)) => return true,
        (Value::Bool(false), _) => return false,
        (Value::Object(new), Value::Bool(true)) => return spoken(new).next().is_none(),
        (Value::Object(new), Value::Object(old)) => (new, old),
        _ => return new == old,
    };
    let keys: BTreeSet<&String> = spoken(new).chain(spoken(old)).collect();
    keys.into_iter().all(|key| keyword_fits(key, new, old, depth))
}

fn spoken(schema: &Map<String, Value>) -> impl Iterator<Item = &String> {
    schema.keys().filter(|key| !SILENT.contains(&key.as_str()))
}

fn keyword_fits(key: &str, new: &Map<String, Value>, old: &Map<String, Value>, depth: u32) -> bool {
    let (n, o) = (new.get(key), old.get(key));
    match key {
        "type" => match (n, o) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(n), Some(o)) => types(o).iter().all(|t| {
                let n = types(n);
                n.contains(t) || (t == "integer" && n.contains("number"))
            }),
        },
        "enum" | "const" => match key == "enum" || new.get("enum").is_none() {
            true => match (choices(new), choices(old)) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(n), Some(o)) => o.iter().all(|choice| n.contains(choice)),
            },
            false => true,
        },
        "required" => names(n).is_subset(&names(o)),
        "properties" => properties_fit(new, old, depth),
        "additionalProperties" => match n {
            None => true,
            Some(n) => accepts(n, o.unwrap_or(&Value::Bool(true)), depth - 1),
        },
        "items" => match (n, o) {
            (None, _) => true,
            (Some(n), o) => accepts(n, o.unwrap_or(&Value::Bool(true)), depth - 1),
        },
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
            bound_fits(n, o, |new, old| new <= old)
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
            bound_fits(n, o, |new, old| new >= old)
        }
        _ if n == o => true,
        _ => n.is_none() && NARROWING.contains(&key),
    }
}

fn properties_fit(new: &Map<String, Value>, old: &Map<String, Value>, depth: u32) -> bool {
    let empty = Map::new();
    let of = |schema: &'_ Map<String, Value>| -> Map<String, Value> {
        schema.get("properties").and_then(Value::as_object).unwrap_or(&empty).clone()
    };
    let (new_properties, old_properties) = (of(new), of(old));
    let rest = new.get("additionalProperties").unwrap_or(&Value::Bool(true));
    old_properties.iter().all(|(name, before)| match new_properties.get(name) {
        Some(after) => accepts(after, before, depth - 1),
        None => accepts(rest, before, depth - 1),
    })
}

fn types(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

fn choices(schema: &Map<String, Value>) -> Option<Vec<Value>> {
    match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(many)), _) => Some(many.clone()),
        (None, Some(one)) => Some(vec![one.clone()]),
        _ => None,
    }
}

fn names(value: Option<&Value>) -> BTreeSet<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn bound_fits(new: Option<&Value>, old: Option<&Value>, fits: fn(f64, f64) -> bool) -> bool {
    match (new.and_then(Value::as_f64), old.and_then(Value::as_f64)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(new), Some(old)) => fits(new, old),
    }
}
