//! The server itself, on rmcp.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, Implementation, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerConfig, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::control::{Control, Moment};
use crate::{Era, Profile, surface};

/// How often the server looks whether its tools changed.
const LOOK: Duration = Duration::from_millis(200);

/// One server; clones share everything.
#[derive(Clone)]
pub(crate) struct Demo(Arc<Inner>);

struct Inner {
    control: Arc<Control>,
    profile: Profile,
    counter: Option<PathBuf>,
    count: Mutex<u64>,
    drifted: watch::Receiver<bool>,
}

impl Demo {
    pub fn new(control: Arc<Control>, profile: Profile, counter: Option<PathBuf>) -> Self {
        let (tell, drifted) = watch::channel(control.has_drifted());
        let watched = Arc::clone(&control);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let now = watched.has_drifted();
                tell.send_if_modified(|was| std::mem::replace(was, now) != now);
                if tell.is_closed() {
                    return;
                }
            }
        });
        Self(Arc::new(Inner { control, profile, counter, count: Mutex::new(0), drifted }))
    }

    /// Counts one call; in the file, where there is one, so that it outlives us.
    fn count(&self) -> u64 {
        let mut count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.0.counter {
            *count = std::fs::read_to_string(path).ok().and_then(|t| t.trim().parse().ok()).unwrap_or(0);
        }
        *count += 1;
        if let Some(path) = &self.0.counter
            && let Err(error) = replace(path, &count.to_string())
        {
            eprintln!("att-demo-server: {} cannot be written: {error}", path.display());
        }
        *count
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let text = |text: &str| json!({"content": [{"type": "text", "text": text}]});
        let offered = surface::tools(self.0.profile, self.0.control.has_drifted());
        if !offered.iter().any(|tool| tool["name"] == json!(request.name)) {
            return Err(ErrorData::invalid_params(format!("there is no tool {}", request.name), None));
        }
        Ok(match &*request.name {
            "echo" => match arguments["text"].as_str() {
                Some(given) => text(given),
                None => return Err(ErrorData::invalid_params("\"text\" is missing", None)),
            },
            "add" => {
                let sum = arguments["a"].as_f64().unwrap_or(0.0) + arguments["b"].as_f64().unwrap_or(0.0);
                json!({"content": [{"type": "text", "text": sum.to_string()}], "structuredContent": {"sum": sum}})
            }
            "count" => {
                let count = self.count();
                if self.0.control.faults().die_on_call == Some(true) {
                    std::process::exit(9);
                }
                text(&count.to_string())
            }
            "search" => text("nothing was found"),
            "long_running" => {
                self.work(&arguments, context).await;
                text("the work is done")
            }
            "picture" => {
                json!({"content": [{"type": "image", "data": surface::PIXEL, "mimeType": "image/png"}]})
            }
            "fail" => {
                let message = arguments["message"].as_str().unwrap_or("it failed, as asked");
                json!({"content": [{"type": "text", "text": message}], "isError": true})
            }
            "weather" => {
                let answer = json!({"city": arguments["city"], "celsius": 21.5});
                json!({"content": [{"type": "text", "text": answer.to_string()}], "structuredContent": answer})
            }
            _ => return Err(ErrorData::invalid_params("there is no such tool", None)),
        })
    }

    async fn work(&self, arguments: &Value, context: &RequestContext<RoleServer>) {
        let duration = arguments["duration_ms"].as_u64().unwrap_or(2_000);
        let steps = u32::try_from(arguments["steps"].as_u64().unwrap_or(4).clamp(1, 100)).unwrap_or(4);
        let pause = Duration::from_millis(duration) / steps;
        for step in 1..=steps {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = context.ct.cancelled() => return,
            }
            if let Some(token) = context.meta.get_progress_token() {
                let progress =
                    ProgressNotificationParam::new(token, f64::from(step)).with_total(f64::from(steps));
                let _ = context.peer.notify_progress(progress).await;
            }
        }
    }

    fn everything(&self) -> bool {
        self.0.profile == Profile::Everything
    }
}

/// Writes `path` in one step, so that nobody reads half of it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_added_extension(std::process::id().to_string());
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

/// A typed result out of plain JSON.
fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl ServerHandler for Demo {
    fn get_info(&self) -> ServerConfig {
        let list = json!({"listChanged": true});
        let capabilities = match (self.everything(), self.0.control.faults().fail_prompts) {
            (true, _) => json!({"tools": list, "resources": list, "prompts": list, "logging": {}}),
            (false, Some(true)) => json!({"tools": list, "prompts": list}),
            (false, _) => json!({"tools": list}),
        };
        let mut info = ServerConfig::default();
        info.capabilities = serde_json::from_value(capabilities).unwrap_or_default();
        info.server_info = Implementation::new(
            format!("att-demo-{:?}", self.0.profile).to_lowercase(),
            env!("CARGO_PKG_VERSION"),
        );
        info.instructions = Some("A demo server of ATT. Its tools do nothing but answer.".to_owned());
        info
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        let all = [
            ProtocolVersion::V_2026_07_28,
            ProtocolVersion::V_2025_11_25,
            ProtocolVersion::V_2025_06_18,
            ProtocolVersion::V_2025_03_26,
        ];
        match self.0.control.era {
            Era::Both => all.to_vec().into(),
            Era::Legacy => all[1..].to_vec().into(),
            Era::Modern => all[..1].to_vec().into(),
        }
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        typed(json!({"tools": surface::tools(self.0.profile, self.0.control.has_drifted())}))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.0.profile == Profile::Asking
            && let Some(answer) = crate::asking::call(&request, &context).await
        {
            return answer;
        }
        let result = self.call(request, &context).await?;
        let faults = self.0.control.faults();
        if faults.die_at == Some(Moment::Work) {
            std::process::exit(9);
        }
        if faults.freeze_at == Some(Moment::Work) {
            std::future::pending::<()>().await;
        }
        typed::<CallToolResult>(result).map(CallToolResponse::from)
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        typed(json!({"resources": if self.everything() { surface::resources() } else { Vec::new() }}))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        typed(json!({"resourceTemplates": if self.everything() { surface::templates() } else { Vec::new() }}))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match surface::read(&request.uri).filter(|_| self.everything()) {
            Some(content) => {
                typed::<ReadResourceResult>(json!({"contents": [content]})).map(ReadResourceResponse::from)
            }
            None => Err(ErrorData::resource_not_found(format!("there is no {}", request.uri), None)),
        }
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        typed(json!({"prompts": if self.everything() { surface::prompts() } else { Vec::new() }}))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let text = match &*request.name {
            "greet" if self.everything() => match arguments["name"].as_str() {
                Some(name) => {
                    format!("Greet {name} in a {} tone.", arguments["tone"].as_str().unwrap_or("friendly"))
                }
                None => return Err(ErrorData::invalid_params("\"name\" is missing", None)),
            },
            "review" if self.everything() => {
                format!("Review this change:\n{}", arguments["diff"].as_str().unwrap_or_default())
            }
            other => return Err(ErrorData::invalid_params(format!("there is no prompt {other}"), None)),
        };
        let messages = json!([{"role": "user", "content": {"type": "text", "text": text}}]);
        typed::<GetPromptResult>(json!({"messages": messages})).map(GetPromptResponse::from)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut drifted = self.0.drifted.clone();
        drifted.mark_unchanged();
        loop {
            tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                changed = drifted.changed() => {
                    if changed.is_err() || subscription.sink().notify_tool_list_changed().await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let mut drifted = self.0.drifted.clone();
        drifted.mark_unchanged();
        tokio::spawn(async move {
            while drifted.changed().await.is_ok() {
                if context.peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        });
    }
}
