//! What the server offers, as JSON.

use serde_json::{Value, json};

use crate::Profile;

/// A 1 x 1 pixel PNG.
pub(crate) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The tools of a profile; a drifting one changes its `search`.
pub(crate) fn tools(profile: Profile, drifted: bool) -> Vec<Value> {
    let mut tools = vec![
        json!({"name": "echo", "title": "Echo", "description": "Answers with the text it was given.",
            "inputSchema": {"type": "object", "properties": {"text": {"type": "string", "description": "Any text"}}, "required": ["text"]},
            "annotations": {"readOnlyHint": true}}),
        json!({"name": "add", "title": "Add two numbers", "description": "Adds a and b.",
            "inputSchema": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"]},
            "outputSchema": {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]},
            "annotations": {"readOnlyHint": true, "idempotentHint": true}}),
        json!({"name": "count", "title": "Count calls", "description": "Counts how often it was called, in a file.",
            "inputSchema": {"type": "object", "properties": {}},
            "annotations": {"readOnlyHint": false, "destructiveHint": false}}),
    ];
    if profile == Profile::Everything {
        tools.extend([
            json!({"name": "long_running", "title": "Long-running work", "description": "Works for a while and tells its progress.",
                "inputSchema": {"type": "object", "properties": {"duration_ms": {"type": "integer", "minimum": 0, "maximum": 600_000}, "steps": {"type": "integer", "minimum": 1, "maximum": 100}}}}),
            json!({"name": "picture", "title": "A picture", "description": "Answers with an image.",
                "inputSchema": {"type": "object", "properties": {}}, "annotations": {"readOnlyHint": true}}),
            json!({"name": "fail", "title": "Fail", "description": "Always answers with an error.",
                "inputSchema": {"type": "object", "properties": {"message": {"type": "string"}}}}),
            json!({"name": "weather", "title": "Structured weather", "description": "Answers with structured content.",
                "inputSchema": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Oslo", "Cairo", "Lima"]}}, "required": ["city"]},
                "outputSchema": {"type": "object", "properties": {"city": {"type": "string"}, "celsius": {"type": "number"}}, "required": ["city", "celsius"]},
                "annotations": {"readOnlyHint": true}}),
        ]);
    }
    if profile == Profile::Asking {
        tools.extend(crate::asking::tools());
    }
    if profile == Profile::Drifting {
        let mut search = json!({"name": "search", "title": "Search", "description": "Searches the archive.",
            "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
            "annotations": {"readOnlyHint": true}});
        if drifted {
            search["description"] = json!("Searches the archive of one tenant.");
            search["inputSchema"]["properties"]["tenant"] = json!({"type": "string"});
            search["inputSchema"]["required"] = json!(["query", "tenant"]);
        }
        tools.push(search);
    }
    tools
}

/// The resources of `everything`.
pub(crate) fn resources() -> Vec<Value> {
    vec![
        json!({"uri": "demo://notes/welcome", "name": "welcome", "title": "Welcome note", "description": "A short text.", "mimeType": "text/plain"}),
        json!({"uri": "demo://pictures/pixel", "name": "pixel", "title": "One pixel", "description": "A very small picture.", "mimeType": "image/png"}),
    ]
}

/// The resource templates of `everything`.
pub(crate) fn templates() -> Vec<Value> {
    vec![
        json!({"uriTemplate": "demo://notes/{name}", "name": "note", "title": "A note by name", "description": "Any note.", "mimeType": "text/plain"}),
    ]
}

/// The content of a resource, if there is one.
pub(crate) fn read(uri: &str) -> Option<Value> {
    match uri {
        "demo://pictures/pixel" => Some(json!({"uri": uri, "mimeType": "image/png", "blob": PIXEL})),
        _ => {
            let name = uri.strip_prefix("demo://notes/").filter(|name| !name.is_empty())?;
            Some(
                json!({"uri": uri, "mimeType": "text/plain", "text": format!("This is the note \"{name}\".")}),
            )
        }
    }
}

/// The prompts of `everything`.
pub(crate) fn prompts() -> Vec<Value> {
    vec![
        json!({"name": "greet", "title": "Greet someone", "description": "A greeting.",
            "arguments": [{"name": "name", "description": "Whom to greet", "required": true}, {"name": "tone", "description": "formal or friendly", "required": false}]}),
        json!({"name": "review", "title": "Review a change", "description": "Asks for a review.",
            "arguments": [{"name": "diff", "description": "The change", "required": true}]}),
    ]
}
