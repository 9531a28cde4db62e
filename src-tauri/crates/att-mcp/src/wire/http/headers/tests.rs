use proptest::prelude::*;
use serde_json::json;

use super::*;

fn tools(schema: Value) -> ToolHeaders {
    let mut known = ToolHeaders::new();
    learn(&json!({"tools": [{"name": "t", "inputSchema": schema}]}), &mut known);
    known
}

#[test]
fn a_call_carries_method_name_and_the_annotated_arguments() {
    let known = tools(json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
        "flag": {"type": "boolean", "x-mcp-header": "Flag"},
        "plain": {"type": "string"},
    }}));
    let arguments = json!({"region": "süd", "deep": {"n": 5}, "plain": "x"});
    let request = json!({"method": "tools/call", "params": {"name": "t", "arguments": arguments}});
    let headers = of_request(&request, &known);
    let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(of("mcp-method").as_deref(), Some("tools/call"));
    assert_eq!(of("mcp-name").as_deref(), Some("t"));
    assert_eq!(of("mcp-param-region").as_deref(), Some("=?base64?c8O8ZA==?="));
    assert_eq!(of("mcp-param-n").as_deref(), Some("5"));
    assert_eq!((of("mcp-param-flag"), of("mcp-param-plain")), (None, None));
}

#[test]
fn wrong_annotations_are_named_and_give_no_header() {
    let property = |annotated: Value| json!({"properties": {"a": annotated}});
    for (schema, why) in [
        (property(json!({"type": "number", "x-mcp-header": "A"})), "whole number"),
        (property(json!({"type": "string", "x-mcp-header": "A b"})), "no header name"),
        (property(json!({"type": "string", "x-mcp-header": ""})), "no header name"),
        (property(json!({"type": "string", "x-mcp-header": 4})), "must be a text"),
        (json!({"x-mcp-header": "A"}), "not the schema"),
        (property(json!({"items": {"type": "string", "x-mcp-header": "A"}})), "properties alone"),
        (
            json!({"properties": {
                "a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}
            }}),
            "second time",
        ),
    ] {
        let found = annotations(&schema).unwrap_err();
        assert!(found.contains(why), "{found}");
        assert!(tools(schema).is_empty());
    }
}

#[test]
fn a_text_that_cannot_travel_in_a_header_is_wrapped() {
    let of = |text: &str| encoded(text).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(of("a b").as_deref(), Some("a b"));
    assert_eq!(of(" a").as_deref(), Some("=?base64?IGE=?="));
    assert_eq!(of("a\r\nEvil: 1").as_deref(), Some("=?base64?YQ0KRXZpbDogMQ==?="));
    assert_eq!(of("=?base64?x?=").as_deref(), Some("=?base64?PT9iYXNlNjQ/eD89?="));
}

proptest! {
    #[test]
    fn any_text_gives_a_valid_header(text in any::<String>()) {
        prop_assert!(encoded(&text).is_some());
    }
}
