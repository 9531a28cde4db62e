//! Tools that ask back: in the legacy era by a request of the server's own, in the modern one by an answer that wants
//! input. And one whose answer is not what it promises.

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, ErrorData, ServerRequest,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

/// What the modern era sends along to get back.
const STATE: &str = "demo-state";

/// The tools of the profile `asking`.
pub(crate) fn tools() -> Vec<Value> {
    let nothing = json!({"type": "object", "properties": {}});
    vec![
        json!({"name": "ask_form", "title": "Ask a form", "description": "Asks for a name and an age.", "inputSchema": nothing}),
        json!({"name": "ask_page", "title": "Ask to visit a page", "description": "Asks to visit a page.", "inputSchema": nothing}),
        json!({"name": "ask_text", "title": "Ask for a text", "description": "Asks for a text as a model would write it.", "inputSchema": nothing}),
        json!({"name": "ask_roots", "title": "Ask for folders", "description": "Asks for the roots.", "inputSchema": nothing}),
        json!({"name": "ask_forever", "title": "Ask without end", "description": "Is never content with an answer.", "inputSchema": nothing}),
        json!({"name": "broken_promise", "title": "Broken promise", "description": "Answers with another structure than it declares.",
            "inputSchema": nothing,
            "outputSchema": {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}}),
    ]
}

/// Answers a call of one of these tools; none when it is none of them.
pub(crate) async fn call(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Option<Result<CallToolResponse, ErrorData>> {
    if request.name == "broken_promise" {
        return Some(complete(json!({"content": [], "structuredContent": {"sum": "many"}})));
    }
    let question = question(&request.name)?;
    let modern = context.meta.0.0.contains_key("io.modelcontextprotocol/protocolVersion");
    Some(if modern { ask_modern(request, &question) } else { ask_legacy(&question, context).await })
}

fn question(tool: &str) -> Option<Value> {
    let form = json!({"type": "object", "required": ["age"], "properties": {
        "name": {"type": "string", "default": "Ann"},
        "age": {"type": "integer", "minimum": 1},
    }});
    Some(match tool {
        "ask_form" | "ask_forever" => json!({"method": "elicitation/create",
            "params": {"mode": "form", "message": "Who are you?", "requestedSchema": form}}),
        "ask_page" => json!({"method": "elicitation/create",
            "params": {"mode": "url", "message": "Please log in.", "url": "https://login.example/start", "elicitationId": "e1"}}),
        "ask_text" => json!({"method": "sampling/createMessage", "params": {"maxTokens": 100,
            "messages": [{"role": "user", "content": {"type": "text", "text": "Say something."}}]}}),
        "ask_roots" => json!({"method": "roots/list"}),
        _ => return None,
    })
}

async fn ask_legacy(
    question: &Value,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let method = question["method"].as_str().unwrap_or_default();
    let request = CustomRequest::new(method, question.get("params").cloned());
    match context.peer.send_request(ServerRequest::CustomRequest(request)).await {
        Ok(answer) => told(&serde_json::to_value(answer).unwrap_or_default()),
        Err(error) => {
            complete(json!({"content": [{"type": "text", "text": error.to_string()}], "isError": true}))
        }
    }
}

fn ask_modern(request: &CallToolRequestParams, question: &Value) -> Result<CallToolResponse, ErrorData> {
    let given = request.input_responses.as_ref().and_then(|given| given.get("q"));
    match given.filter(|_| request.name != "ask_forever") {
        Some(answer) if request.request_state.as_deref() == Some(STATE) => told(answer),
        Some(_) => Err(ErrorData::invalid_params("the state did not come back", None)),
        None => {
            let wanted = json!({"resultType": "input_required", "inputRequests": {"q": question}, "requestState": STATE});
            serde_json::from_value(wanted)
                .map(CallToolResponse::InputRequired)
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))
        }
    }
}

fn told(answer: &Value) -> Result<CallToolResponse, ErrorData> {
    complete(json!({"content": [{"type": "text", "text": answer.to_string()}]}))
}

fn complete(result: Value) -> Result<CallToolResponse, ErrorData> {
    serde_json::from_value::<CallToolResult>(result)
        .map(CallToolResponse::from)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}
