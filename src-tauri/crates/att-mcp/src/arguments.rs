//! Whether arguments fit a tool's input schema, before a server is bothered.
//!
//! It checks what most schemas use; what it does not know it lets pass, for the server has the last word.

use serde_json::Value;

/// Deepest nesting looked into.
const MAX_DEPTH: u32 = 32;
/// Most problems told.
const MAX_PROBLEMS: usize = 20;

/// Every misfit as `JSON-pointer: what is wrong`. Empty when the arguments fit.
#[must_use]
pub fn misfits(schema: &Value, arguments: &Value) -> Vec<String> {
    let mut out = Vec::new();
    check(schema, arguments, "", MAX_DEPTH, &mut out);
    out.truncate(MAX_PROBLEMS);
    out
}

fn check(schema: &Value, value: &Value, at: &str, depth: u32, out: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    if depth == 0 || out.len() >= MAX_PROBLEMS {
        return;
    }
    let mut say = |text: String| out.push(format!("{}: {text}", if at.is_empty() { "/" } else { at }));
    if let Some(types) = schema.get("type") {
        let allowed: Vec<&str> = match types {
            Value::String(one) => vec![one.as_str()],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !allowed.is_empty() && !allowed.iter().any(|t| is_of(t, value)) {
            say(format!("must be {}", allowed.join(" or ")));
            return;
        }
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<_> = choices.iter().map(ToString::to_string).collect();
        say(format!("must be one of {}", choices.join(", ")));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        say(format!("must be {only}"));
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    if let Some(given) = value.as_f64() {
        if number("minimum").is_some_and(|least| given < least) {
            say(format!("must be at least {}", schema["minimum"]));
        }
        if number("maximum").is_some_and(|most| given > most) {
            say(format!("must be at most {}", schema["maximum"]));
        }
    }
    let count = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if let Some(text) = value.as_str() {
        let length = text.chars().count();
        if count("minLength").is_some_and(|least| length < least) {
            say(format!("must have at least {} characters", schema["minLength"]));
        }
        if count("maxLength").is_some_and(|most| length > most) {
            say(format!("must have at most {} characters", schema["maxLength"]));
        }
    }
    if let Some(object) = value.as_object() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = name.as_str().filter(|name| !object.contains_key(*name)) {
                out.push(format!("{}: is required", pointer(at, name)));
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in object {
            match properties.and_then(|p| p.get(name)) {
                Some(inner_schema) => check(inner_schema, inner, &pointer(at, name), depth - 1, out),
                None => match schema.get("additionalProperties") {
                    Some(Value::Bool(false)) => {
                        out.push(format!("{}: is not an argument", pointer(at, name)));
                    }
                    Some(rest) => check(rest, inner, &pointer(at, name), depth - 1, out),
                    None => {}
                },
            }
        }
    }
    if let (Some(items), Some(array)) = (schema.get("items"), value.as_array()) {
        for (index, inner) in array.iter().enumerate() {
            check(items, inner, &pointer(at, &index.to_string()), depth - 1, out);
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        _ => true,
    }
}

/// RFC 6901.
fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_misfit_is_told_with_its_json_pointer() {
        let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": {"type": "integer", "minimum": 1},
            "list": {"type": "array", "items": {"enum": ["x"]}},
        }});
        assert_eq!(misfits(&schema, &json!({"a": 1, "list": ["x"]})), Vec::<String>::new());
        assert_eq!(
            misfits(&schema, &json!({"a": 0.5, "list": ["x", "y"], "b/c": 1})),
            ["/a: must be integer", "/list/1: must be one of \"x\"", "/b~1c: is not an argument"]
        );
        assert_eq!(misfits(&schema, &json!({})), ["/a: is required"]);
        assert_eq!(misfits(&schema, &json!([])), ["/: must be object"]);
    }
}
