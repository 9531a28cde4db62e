//! The client that the MCP conformance suite runs: one server, through the same [`Fleet`] as everything else.
//!
//! It only plays the operator: which tools to call, what to answer, and the person in the browser who agrees. The
//! server's URL is the last argument; the scenario, the protocol version and the scenario's data come in the variables
//! `MCP_CONFORMANCE_SCENARIO`, `MCP_CONFORMANCE_PROTOCOL_VERSION` and `MCP_CONFORMANCE_CONTEXT`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_core::secret::{MemorySecrets, SecretStore as _, SecretValue};
use att_mcp::model::{AdminState, ConnectionState, ErrorCategory, ServerState, Snapshot, SuggestedAction};
use att_mcp::{
    Answerer, AuthConfig, Fleet, FleetDeps, Grant, IdentityProvider, InvokeFailure, InvokeRequest,
    MemoryFleetStore, Operation, Question, QuestionAnswer, QuestionKind, ServerConfig,
};
use serde_json::{Map, Value, json};

/// The one server's name.
const SERVER: &str = "server";
/// The suite's own metadata document, which nobody fetches.
const CLIENT_METADATA: &str = "https://conformance-test.local/client-metadata.json";
/// Longest wait for the server to become usable.
const PATIENCE: Duration = Duration::from_secs(20);

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The person at the desk: agrees to everything, with the defaults.
struct Agreeing;

#[async_trait::async_trait]
impl Answerer for Agreeing {
    async fn answer(&self, question: &Question) -> Option<QuestionAnswer> {
        let content = match question.kind {
            QuestionKind::Sampling => json!("an answer"),
            QuestionKind::ElicitationForm | QuestionKind::ElicitationUrl => {
                Value::Object(question.schema.as_ref().map(least).unwrap_or_default())
            }
        };
        Some(QuestionAnswer::Accept { content })
    }
}

async fn run() -> Result<(), Failure> {
    let url = std::env::args().next_back().ok_or("the server's URL is missing")?;
    let scenario = std::env::var("MCP_CONFORMANCE_SCENARIO").unwrap_or_default();
    let context: Value = match std::env::var("MCP_CONFORMANCE_CONTEXT") {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Value::Null,
    };
    let secrets = Arc::new(MemorySecrets::default());
    let config = config(&url, &context, &secrets).await?;
    let store = Arc::new(MemoryFleetStore::new());
    let deps = FleetDeps {
        secrets,
        answerer: Some(Arc::new(Agreeing)),
        ..FleetDeps::new(store, Arc::new(SystemClock), Arc::new(OsRandomness))
    };
    let fleet = Fleet::start(deps, vec![config]).await?;
    let outcome = Box::pin(play(&fleet, &scenario, &context)).await;
    fleet.shutdown().await;
    outcome
}

/// The server as an operator would write it down for this scenario.
async fn config(url: &str, context: &Value, secrets: &MemorySecrets) -> Result<ServerConfig, Failure> {
    let mut config = ServerConfig::http(SERVER, url);
    let text = |key: &str| context[key].as_str().map(str::to_owned);
    let mut auth =
        AuthConfig { client_id: text("client_id"), issuer: text("issuer"), ..AuthConfig::default() };
    for (name, value) in [("secret", text("client_secret")), ("key", text("private_key_pem"))] {
        if let Some(value) = value {
            secrets.put(name, &SecretValue::new(value)).await?;
        }
    }
    auth.client_secret = text("client_secret").map(|_| "${keyring:secret}".to_owned());
    auth.private_key = text("private_key_pem").map(|_| "${keyring:key}".to_owned());
    auth.algorithm = text("signing_algorithm");
    auth.client_metadata_url = auth.client_id.is_none().then(|| CLIENT_METADATA.to_owned());
    let scenario = std::env::var("MCP_CONFORMANCE_SCENARIO").unwrap_or_default();
    if scenario.starts_with("auth/client-credentials") {
        auth.grant = Grant::ClientCredentials;
    }
    if let Some(id_token) = text("idp_id_token") {
        secrets.put("id-token", &SecretValue::new(id_token)).await?;
        auth.grant = Grant::EnterpriseManaged;
        // An operator knows their authorization server; the suite's is where the server's metadata says.
        auth.issuer = Some(issuer_of(url).await?);
        auth.idp = Some(IdentityProvider {
            issuer: text("idp_issuer").unwrap_or_default(),
            token_endpoint: text("idp_token_endpoint").unwrap_or_default(),
            client_id: text("idp_client_id").unwrap_or_default(),
            client_secret: None,
            id_token: "${keyring:id-token}".to_owned(),
        });
    }
    config.auth = Some(auth);
    Ok(config)
}

/// The first authorization server that the server at `url` names.
async fn issuer_of(url: &str) -> Result<String, Failure> {
    let mut metadata = reqwest::Url::parse(url)?;
    metadata.set_path(&format!("/.well-known/oauth-protected-resource{}", metadata.path()));
    let browser = reqwest::Client::builder().no_proxy().build()?;
    let told: Value = browser.get(metadata).timeout(Duration::from_secs(10)).send().await?.json().await?;
    Ok(told["authorization_servers"][0].as_str().unwrap_or_default().to_owned())
}

async fn play(fleet: &Fleet, scenario: &str, context: &Value) -> Result<(), Failure> {
    connected(fleet).await?;
    let mut calls = planned(fleet, scenario, context);
    if scenario == "auth/authorization-server-migration" {
        calls.extend(calls.clone());
    }
    for operation in calls {
        call(fleet, operation).await?;
    }
    Ok(())
}

/// What this scenario asks of its server.
fn planned(fleet: &Fleet, scenario: &str, context: &Value) -> Vec<Operation> {
    let Some(snapshot) = fleet.snapshot(SERVER) else { return Vec::new() };
    let tool = |name: &str, arguments: Value| Operation::CallTool {
        name: name.to_owned(),
        arguments: arguments.as_object().cloned().unwrap_or_default(),
    };
    if let Some(calls) = context["toolCalls"].as_array() {
        return calls
            .iter()
            .map(|call| {
                // The tools' own schemas allow no null: an operator leaves such a field empty.
                let mut arguments = call["arguments"].as_object().cloned().unwrap_or_default();
                arguments.retain(|_, value| !value.is_null());
                tool(call["name"].as_str().unwrap_or_default(), Value::Object(arguments))
            })
            .collect();
    }
    let items =
        |items: &[att_mcp::model::SnapshotItem]| items.iter().map(|i| i.raw.clone()).collect::<Vec<_>>();
    let tools = items(&snapshot.lists.tools.items);
    match scenario {
        "initialize" | "json-schema-ref-no-deref" => Vec::new(),
        "tools_call" => vec![tool("add_numbers", json!({"a": 5, "b": 3}))],
        "json-schema-2020-12-preservation" => {
            let schema = tools
                .iter()
                .find(|tool| tool["name"] == "json_schema_2020_12_tool")
                .map(|tool| tool["inputSchema"].clone());
            let echo = tools.iter().find(|tool| tool["inputSchema"]["properties"].get("schema").is_some());
            let name = echo.and_then(|tool| tool["name"].as_str()).unwrap_or_default();
            vec![tool(name, json!({"schema": schema}))]
        }
        _ => everything(&snapshot, &tools),
    }
}

/// Every tool with the least arguments, the first resource and the first prompt.
fn everything(snapshot: &Snapshot, tools: &[Value]) -> Vec<Operation> {
    let name = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let mut calls: Vec<Operation> = tools
        .iter()
        .map(|tool| Operation::CallTool { name: name(tool, "name"), arguments: least(&tool["inputSchema"]) })
        .collect();
    calls.extend(
        snapshot
            .lists
            .resources
            .items
            .first()
            .map(|item| Operation::ReadResource { uri: name(&item.raw, "uri") }),
    );
    calls.extend(
        snapshot
            .lists
            .prompts
            .items
            .first()
            .map(|item| Operation::GetPrompt { name: name(&item.raw, "name"), arguments: Map::new() }),
    );
    calls
}

/// A value for each required property.
fn least(schema: &Value) -> Map<String, Value> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let value = |name: &str| match schema["properties"][name]["type"].as_str() {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("object") => json!({}),
        Some("array") => json!([]),
        _ => json!("value"),
    };
    required.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), value(name))).collect()
}

/// One call. Where the server wants a further authorization in the middle of it, the person agrees and asks again.
async fn call(fleet: &Fleet, operation: Operation) -> Result<(), Failure> {
    loop {
        let request = InvokeRequest {
            request_id: None,
            correlation_id: None,
            client: "conformance".to_owned(),
            server: Some(SERVER.to_owned()),
            group: None,
            prefer: Vec::new(),
            operation: operation.clone(),
            timeout_ms: Some(15_000),
        };
        match fleet.invoke(request).await {
            Ok(_) => return Ok(()),
            Err(failure) if wants_authorization(&failure) => {
                eprintln!("{}", shown(&failure));
                noticed(fleet).await?;
                connected(fleet).await?;
            }
            // An item that the library refuses to call is not called; the suite judges that.
            Err(failure) => {
                eprintln!("{}", shown(&failure));
                return Ok(());
            }
        }
    }
}

fn shown(failure: &InvokeFailure) -> String {
    format!("{:?}: {}", failure.code, failure.message)
}

fn wants_authorization(failure: &InvokeFailure) -> bool {
    failure.attempts.last().is_some_and(|attempt| attempt.error_category == Some(ErrorCategory::AuthRequired))
}

/// Waits until the server's state tells what the call was told.
async fn noticed(fleet: &Fleet) -> Result<(), Failure> {
    let mut changed = fleet.subscribe();
    let told = async {
        while fleet.server(SERVER).is_some_and(|s| s.facets.connection.state == ConnectionState::Ready) {
            changed.changed().await?;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, told).await?
}

/// Waits until the server is usable, agreeing in the browser whenever ATT suggests it.
async fn connected(fleet: &Fleet) -> Result<(), Failure> {
    let mut changed = fleet.subscribe();
    let usable = async {
        loop {
            changed.borrow_and_update();
            let Some(state) = fleet.server(SERVER) else { return Err("the server is gone".into()) };
            match step(&state) {
                Step::Done => return Ok(()),
                Step::Agree => agree(&fleet.authorize(SERVER).await?.url).await?,
                Step::GiveUp(why) => return Err(why.into()),
                Step::Wait => {
                    changed.changed().await?;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, usable).await.unwrap_or_else(|_| Err("the server is not usable".into()))
}

enum Step {
    Done,
    Agree,
    Wait,
    GiveUp(String),
}

fn step(state: &ServerState) -> Step {
    match state.facets.connection.state {
        ConnectionState::Ready => Step::Done,
        _ if state.facets.admin.state != AdminState::Enabled => Step::GiveUp(state.summary.clone()),
        ConnectionState::AuthRequired if state.suggested_action == SuggestedAction::Authorize => Step::Agree,
        ConnectionState::AuthRequired | ConnectionState::Stopped => Step::GiveUp(state.summary.clone()),
        ConnectionState::Backoff if state.attempts >= 3 => Step::GiveUp(state.summary.clone()),
        _ => Step::Wait,
    }
}

/// The person's browser: opens the page, which agrees at once and sends it on to the loopback port.
async fn agree(page: &str) -> Result<(), Failure> {
    let browser = reqwest::Client::builder().no_proxy().build()?;
    browser.get(page).timeout(Duration::from_secs(10)).send().await?;
    Ok(())
}
