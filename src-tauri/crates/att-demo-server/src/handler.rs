//! The server itself, on rmcp: both eras, honest. Misbehaviour is added at the edges.

use crate::arguments::Profile;
use crate::catalog;
use crate::faults::Control;
use crate::state::StateFile;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, GetPromptRequestParams, GetPromptResponse,
    GetPromptResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, ServerConfig, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether the surface drifted.
const DRIFT_LOOK: Duration = Duration::from_millis(200);

/// One server; cloned per HTTP session.
#[derive(Debug, Clone)]
pub struct DemoServer {
    profile: Profile,
    control: Arc<Control>,
    state: Arc<StateFile>,
}

impl DemoServer {
    /// A server of `profile`.
    pub fn new(profile: Profile, control: Arc<Control>, state: Arc<StateFile>) -> Self {
        Self { profile, control, state }
    }

    fn drifted(&self) -> bool {
        self.state.drifted(self.control.now().drift_after_ms)
    }

    /// Waits until the surface changes; for ever when it never will, or did already.
    async fn drift(&self) {
        if self.drifted() || self.control.now().drift_after_ms.is_none() {
            std::future::pending::<()>().await;
        }
        while !self.drifted() {
            tokio::time::sleep(DRIFT_LOOK).await;
        }
    }

    async fn run_tool(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let text = |key: &str| arguments.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| arguments.get(key).and_then(Value::as_f64);
        let wrong = |what: &str| ErrorData::invalid_params(what.to_owned(), None);
        Ok(match request.name.as_ref() {
            "echo" => said(&text("text").ok_or_else(|| wrong("`text` is missing"))?),
            "price" => {
                if self.drifted() && text("currency").is_none() {
                    return Err(wrong("`currency` is missing"));
                }
                said(&format!("{}: 12.50", text("article").ok_or_else(|| wrong("`article` is missing"))?))
            }
            "add" => {
                let (Some(a), Some(b)) = (number("a"), number("b")) else {
                    return Err(wrong("`a` and `b` are numbers"));
                };
                json!({"content": [{"type": "text", "text": (a + b).to_string()}], "structuredContent": {"sum": a + b}})
            }
            "long_running" => {
                let duration = number("duration_ms").unwrap_or(2_000.0).clamp(0.0, 60_000.0);
                let steps = number("steps").unwrap_or(5.0).clamp(1.0, 100.0).round();
                work(duration, steps, context).await;
                said(&format!("worked for {duration} ms in {steps} steps"))
            }
            "picture" => {
                json!({"content": [{"type": "image", "data": catalog::DOT_PNG, "mimeType": "image/png"}]})
            }
            "fail" => {
                json!({"content": [{"type": "text", "text": "this tool always fails"}], "isError": true})
            }
            "count_calls" => said(&self.state.count_call().to_string()),
            other => return Err(wrong(&format!("there is no tool `{other}`"))),
        })
    }
}

fn said(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

async fn work(duration_ms: f64, steps: f64, context: &RequestContext<RoleServer>) {
    let token = context.meta.get_progress_token();
    let mut step = 0.0;
    while step < steps {
        tokio::time::sleep(Duration::from_secs_f64(duration_ms / steps / 1_000.0)).await;
        step += 1.0;
        if let Some(token) = token.clone() {
            let progress = ProgressNotificationParam::new(token, step).with_total(steps);
            let _ = context.peer.notify_progress(progress).await;
        }
    }
}

/// From JSON to the protocol's type: the catalog is JSON that fits, or it is a fault of ours that the caller sees.
fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl ServerHandler for DemoServer {
    fn get_info(&self) -> ServerConfig {
        let all = catalog::offers_all(self.profile);
        let mut capabilities = json!({"tools": {"listChanged": true}});
        if all {
            capabilities["resources"] = json!({});
            capabilities["prompts"] = json!({});
        }
        let mut info = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "serverInfo": {"name": format!("att-demo-{:?}", self.profile).to_lowercase(), "version": env!("CARGO_PKG_VERSION")},
        });
        if all {
            info["instructions"] = json!("A demo server with every kind of item. Nothing it does matters.");
        }
        serde_json::from_value(info).unwrap_or_default()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        typed(json!({"tools": catalog::tools(self.profile, self.drifted())}))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let result: CallToolResult = typed(self.run_tool(request, &context).await?)?;
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        if !catalog::offers_all(self.profile) {
            return Err(ErrorData::method_not_found::<rmcp::model::ListResourcesRequestMethod>());
        }
        typed(json!({"resources": catalog::resources(self.profile)}))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        if !catalog::offers_all(self.profile) {
            return Err(ErrorData::method_not_found::<rmcp::model::ListResourceTemplatesRequestMethod>());
        }
        typed(json!({"resourceTemplates": catalog::resource_templates(self.profile)}))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let content = match uri {
            "demo://text/hello" => {
                json!({"uri": uri, "mimeType": "text/plain", "text": "Hello from the demo."})
            }
            "demo://binary/dot" => json!({"uri": uri, "mimeType": "image/png", "blob": catalog::DOT_PNG}),
            _ => match uri.strip_prefix("demo://articles/") {
                Some(id) => json!({"uri": uri, "mimeType": "text/plain", "text": format!("Article {id}")}),
                None => {
                    return Err(ErrorData::resource_not_found(format!("there is no resource {uri}"), None));
                }
            },
        };
        let result: ReadResourceResult = typed(json!({"contents": [content]}))?;
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        if !catalog::offers_all(self.profile) {
            return Err(ErrorData::method_not_found::<rmcp::model::ListPromptsRequestMethod>());
        }
        typed(json!({"prompts": catalog::prompts(self.profile)}))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let text = match request.name.as_str() {
            "greet" => {
                let name = arguments.get("name").and_then(Value::as_str);
                let name = name.ok_or_else(|| ErrorData::invalid_params("`name` is missing", None))?;
                format!("Greet {name} warmly.")
            }
            "haiku" => "Write a haiku about uptime.".to_owned(),
            other => return Err(ErrorData::invalid_params(format!("there is no prompt `{other}`"), None)),
        };
        let result: GetPromptResult =
            typed(json!({"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}))?;
        Ok(result.into())
    }

    /// Legacy era: a notification when the surface drifts.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let server = self.clone();
        tokio::spawn(async move {
            server.drift().await;
            let _ = context.peer.notify_tool_list_changed().await;
        });
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    /// Modern era: the same over the open subscription.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        tokio::select! {
            () = context.cancelled() => {}
            () = self.drift() => {
                let _ = context.sink().notify_tool_list_changed().await;
                context.cancelled().await;
            }
        }
        Ok(())
    }
}
