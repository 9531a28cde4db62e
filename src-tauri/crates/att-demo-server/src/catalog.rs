//! What each profile offers, as plain JSON.

use crate::arguments::Profile;
use serde_json::{Value, json};

/// A picture of one red dot, for the tool that returns one.
pub const DOT_PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn echo() -> Value {
    json!({
        "name": "echo", "title": "Echo", "description": "Answers with what it was given.",
        "inputSchema": object(json!({"text": {"type": "string", "description": "What to say back."}}), &["text"]),
        "annotations": {"readOnlyHint": true, "idempotentHint": true},
    })
}

/// The tools. `drifted` changes the schema of one.
pub fn tools(profile: Profile, drifted: bool) -> Value {
    let count = json!({
        "name": "count_calls", "description": "Counts how often it was called, across restarts.",
        "inputSchema": object(json!({}), &[]),
    });
    let many = profile == Profile::Everything || profile == Profile::Faulty;
    let mut tools = vec![echo()];
    if profile == Profile::Drifting {
        tools.push(price(drifted));
    }
    if many {
        tools.extend([
            json!({
                "name": "add", "title": "Add", "description": "Adds two numbers.",
                "inputSchema": object(json!({"a": {"type": "number"}, "b": {"type": "number"}}), &["a", "b"]),
                "outputSchema": object(json!({"sum": {"type": "number"}}), &["sum"]),
                "annotations": {"readOnlyHint": true},
            }),
            json!({
                "name": "long_running", "description": "Works for a while and reports progress.",
                "inputSchema": object(json!({
                    "duration_ms": {"type": "integer", "minimum": 0, "maximum": 60000, "default": 2000},
                    "steps": {"type": "integer", "minimum": 1, "maximum": 100, "default": 5},
                }), &[]),
            }),
            json!({"name": "picture", "description": "Answers with a small picture.", "inputSchema": object(json!({}), &[])}),
            json!({"name": "fail", "description": "Always answers with an error.", "inputSchema": object(json!({}), &[])}),
        ]);
    }
    tools.push(count);
    Value::Array(tools)
}

/// The tool of the profile `drifting`: later it wants one argument more, which breaks its callers.
fn price(drifted: bool) -> Value {
    let mut properties = json!({"article": {"type": "string"}});
    let mut required = vec!["article"];
    if drifted {
        properties["currency"] = json!({"type": "string", "enum": ["EUR", "USD"]});
        required.push("currency");
    }
    json!({"name": "price", "description": "The price of an article.", "inputSchema": object(properties, &required)})
}

/// The resources.
pub fn resources(profile: Profile) -> Value {
    if !offers_all(profile) {
        return json!([]);
    }
    json!([
        {"uri": "demo://text/hello", "name": "hello", "title": "Hello", "description": "A short text.", "mimeType": "text/plain"},
        {"uri": "demo://binary/dot", "name": "dot", "description": "A very small picture.", "mimeType": "image/png"},
    ])
}

/// The resource templates.
pub fn resource_templates(profile: Profile) -> Value {
    if !offers_all(profile) {
        return json!([]);
    }
    json!([{"uriTemplate": "demo://articles/{id}", "name": "article", "description": "One article of the shop.", "mimeType": "text/plain"}])
}

/// The prompts.
pub fn prompts(profile: Profile) -> Value {
    if !offers_all(profile) {
        return json!([]);
    }
    json!([
        {"name": "greet", "description": "A greeting.", "arguments": [{"name": "name", "description": "Who is greeted.", "required": true}]},
        {"name": "haiku", "description": "Asks for a haiku.", "arguments": []},
    ])
}

/// True for the profiles with every kind of item.
pub fn offers_all(profile: Profile) -> bool {
    matches!(profile, Profile::Everything | Profile::Faulty)
}
