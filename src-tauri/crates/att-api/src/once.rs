//! Short connections of one's own: `att check`, `att call`, `att read`. They never touch the live facets.

pub(crate) mod company;
mod doctor;
mod short_store;

use crate::config;
use crate::convert::fleet as convert;
use crate::dto::{CallAnswerDto, CallRequestDto, CheckDto, FailureDto, ServerRowDto};
use crate::home::Home;
use att_core::id::OsRandomness;
use att_core::{Code, Report, SystemClock};
use att_journal::{Journal, OpenOptions};
use att_mcp::model::{AdminState, ConnectionState, ServerState};
use att_mcp::{
    Fleet, FleetDeps, FleetError, FleetStore as _, InvokeFailure, InvokeRequest, MemoryFleetStore, Operation,
};
use company::{Company, Person, accompanied};
use short_store::ShortStore;

pub use doctor::doctor;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Longest argument text.
const MAX_ARGUMENTS_BYTES: usize = 8 * 1024 * 1024;
/// The longest wait for the slowest server to connect.
const SETTLE: Duration = Duration::from_secs(60);

/// What a short connection starts from: the sound servers, what is wrong with the rest, and which commands may run.
struct Short {
    configuration: config::Configuration,
    consents: BTreeSet<(String, String)>,
    /// A file typed on the command line is consent for this one run.
    all: bool,
}

impl Short {
    async fn read(home: &Home, config: Option<PathBuf>) -> Result<Self, Report> {
        let all = config.is_some();
        let path = config.unwrap_or_else(|| home.mcp_json());
        if all && !path.is_file() {
            return Err(Report::new(Code::InvalidInput, format!("there is no file {}", path.display()))
                .cure("give the path of an mcp.json"));
        }
        let configuration = config::read(home, &path)?;
        let mut consents = BTreeSet::new();
        if !all && let Ok(journal) = Journal::open(home.root(), OpenOptions::read_only()).await {
            for server in &configuration.servers {
                if let Some(digest) = server.command_digest()
                    && journal.consent(&server.name, &digest).await.unwrap_or(false)
                {
                    consents.insert((server.name.clone(), digest));
                }
            }
            journal.close().await;
        }
        Ok(Self { configuration, consents, all })
    }

    fn consented(&self, server: &str, digest: &str) -> bool {
        self.all || self.consents.contains(&(server.to_owned(), digest.to_owned()))
    }
}

/// Connects to every server once and tells what came out, sorted by name.
///
/// # Errors
/// When the configuration cannot be read at all.
pub async fn check(home: &Home, config: Option<PathBuf>) -> Result<CheckDto, Report> {
    let short = Short::read(home, config).await?;
    let checked = att_mcp::check_once(
        short.configuration.servers.clone(),
        |server, digest| short.consented(server, digest),
        Arc::new(SystemClock),
        Arc::new(OsRandomness),
        crate::secrets::Secrets::of(home),
    )
    .await
    .map_err(fleet_report)?;
    let mut rows: Vec<(bool, ServerRowDto)> = checked
        .iter()
        .map(|checked| (checked.reached_ready(), convert::server_row(&checked.state, Vec::new(), false)))
        .collect();
    rows.sort_by(|a, b| a.1.server.cmp(&b.1.server));
    let (ready, failed): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(ready, _)| *ready);
    let rows = |list: Vec<(bool, ServerRowDto)>| list.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    let (results, failures) = (rows(ready), rows(failed));
    let status = match (results.is_empty(), failures.is_empty()) {
        (_, true) => "ok",
        (false, false) => "partial",
        (true, false) => "failed",
    };
    Ok(CheckDto { status: status.to_owned(), results, failures, problems: short.configuration.problems })
}

/// One call over connections of its own; its attempts are on record like all others.
///
/// # Errors
/// When configuration or request are no such thing.
pub async fn call_once(
    home: &Home,
    config: Option<PathBuf>,
    request: CallRequestDto,
    company: Company,
) -> Result<CallAnswerDto, Report> {
    let mut short = Short::read(home, config).await?;
    if let Some(name) = &request.server
        && !short.configuration.servers.iter().any(|server| &server.name == name)
    {
        return Err(crate::requests::no_such_server(name));
    }
    if !names_nothing(&request) {
        short.configuration.servers.retain(|server| {
            request.server.as_ref() == Some(&server.name)
                || (request.group.is_some() && request.group == server.group)
                || request.prefer.contains(&server.name)
        });
    }
    let journal = Journal::open(home.root(), OpenOptions::default()).await.ok();
    let consents = MemoryFleetStore::new();
    for server in &short.configuration.servers {
        if let Some(digest) = server.command_digest().filter(|digest| short.consented(&server.name, digest)) {
            consents.give_consent(&server.name, &digest);
        }
    }
    let store = Arc::new(ShortStore { consents, attempts: journal.clone() });
    let deps = FleetDeps {
        secrets: crate::secrets::Secrets::of(home),
        lock_dir: Some(home.run()),
        answerer: Some(Arc::new(Person(company.ask))),
        ..FleetDeps::new(store, Arc::new(SystemClock), Arc::new(OsRandomness))
    };
    let fleet = Fleet::start(deps, short.configuration.servers).await.map_err(fleet_report)?;
    // Named servers are connected on the time of the call, each on its share; one that hangs holds up nobody else.
    match request.group {
        None if names_nothing(&request) => settle(&fleet).await,
        Some(_) => settle_until_one_is_ready(&fleet).await,
        None => {}
    }
    let call = invoke(&fleet, request, "cli");
    let answer = accompanied(&fleet, company.told, company.stop, call).await;
    fleet.shutdown().await;
    if let Some(journal) = journal {
        journal.close().await;
    }
    answer
}

fn names_nothing(request: &CallRequestDto) -> bool {
    request.server.is_none() && request.group.is_none() && request.prefer.is_empty()
}

/// Waits until every server was connected or failed once.
pub(crate) async fn settle(fleet: &Fleet) {
    wait_while(fleet, |servers| servers.iter().any(is_opening)).await;
}

/// Waits until a server is ready, or each of them failed once.
async fn settle_until_one_is_ready(fleet: &Fleet) {
    let is_ready = |state: &ServerState| state.facets.connection.state == ConnectionState::Ready;
    wait_while(fleet, |servers| servers.iter().any(is_opening) && !servers.iter().any(is_ready)).await;
}

fn is_opening(state: &ServerState) -> bool {
    state.generation <= 1
        && state.facets.admin.state == AdminState::Enabled
        && matches!(
            state.facets.connection.state,
            ConnectionState::Idle
                | ConnectionState::Connecting
                | ConnectionState::Negotiating
                | ConnectionState::Discovering
        )
}

async fn wait_while(fleet: &Fleet, unsettled: impl Fn(&[ServerState]) -> bool) {
    let mut changed = fleet.subscribe();
    let settled = async {
        while unsettled(&fleet.servers()) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(SETTLE, settled).await;
}

/// One call through `fleet`, on behalf of the face `client`.
///
/// # Errors
/// When the request is none: an unknown method, or arguments that are no JSON object.
pub(crate) async fn invoke(
    fleet: &Fleet,
    request: CallRequestDto,
    client: &str,
) -> Result<CallAnswerDto, Report> {
    let request = InvokeRequest {
        request_id: Some(request.request_id.clone()).filter(|id| !id.is_empty()).map(Into::into),
        correlation_id: None,
        client: client.to_owned(),
        server: request.server.clone(),
        group: request.group.clone(),
        prefer: request.prefer.clone(),
        operation: operation(&request)?,
        timeout_ms: request.timeout_ms.map(i64::from),
    };
    Ok(match fleet.invoke(request).await {
        Ok(answer) => CallAnswerDto {
            request_id: answer.request_id.to_string(),
            correlation_id: Some(answer.correlation_id.to_string()),
            result: Some(crate::convert::json_text(&answer.result)),
            failure: None,
            attempts: answer.attempts.iter().map(convert::attempt).collect(),
            output_problems: answer.output_problems,
        },
        Err(failure) => failed(&failure),
    })
}

fn failed(failure: &InvokeFailure) -> CallAnswerDto {
    let attempts: Vec<_> = failure.attempts.iter().map(convert::attempt).collect();
    CallAnswerDto {
        request_id: failure.request_id.to_string(),
        correlation_id: None,
        result: failure.answer.as_ref().map(crate::convert::json_text),
        failure: Some(FailureDto {
            code: crate::convert::word(&failure.code),
            status: u32::from(failure.status),
            message: failure.message.clone(),
            method: failure.method.clone(),
            request_id: failure.request_id.to_string(),
            attempts: attempts.clone(),
        }),
        attempts,
        output_problems: Vec::new(),
    }
}

fn operation(request: &CallRequestDto) -> Result<Operation, Report> {
    let arguments = match request.arguments.as_deref().filter(|text| !text.trim().is_empty()) {
        None => serde_json::Map::new(),
        Some(text) if text.len() > MAX_ARGUMENTS_BYTES => {
            return Err(Report::new(Code::InvalidInput, "the arguments are larger than 8 MiB"));
        }
        Some(text) => parse_arguments(text)?,
    };
    let name = request.name.clone();
    match request.method.as_str() {
        "tools/call" => Ok(Operation::CallTool { name, arguments }),
        "resources/read" => Ok(Operation::ReadResource { uri: name }),
        "prompts/get" => Ok(Operation::GetPrompt { name, arguments }),
        other => Err(Report::new(Code::InvalidInput, format!("`{other}` cannot be invoked"))
            .cure("use tools/call, resources/read or prompts/get")),
    }
}

fn parse_arguments(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, Report> {
    let wrong = |cause: String| {
        Report::new(Code::InvalidInput, "the arguments are not a JSON object")
            .cause(cause)
            .cure("write an object such as {\"text\": \"hello\"}")
    };
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(map)) => Ok(map),
        Ok(_) => Err(wrong("it is JSON, but no object".into())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// A fleet's error as an operator sees it.
pub(crate) fn fleet_report(error: FleetError) -> Report {
    match &error {
        FleetError::UnknownServer(name) => crate::requests::no_such_server(name),
        FleetError::NotConsented(_) => Report::new(Code::Denied, error.to_string())
            .cure("look at the command and approve it in the desktop"),
        FleetError::Server(fault) => Report::new(Code::ServerFailed, fault.message.clone())
            .cause(fault.category.cause())
            .cure(fault.category.cure()),
        FleetError::Authorization(why) => Report::new(Code::ServerFailed, "ATT could not be authorized")
            .cause(why.clone())
            .cure("look at the cause; `att doctor` walks the whole way to the server"),
        FleetError::UnknownQuestion => {
            Report::new(Code::NotFound, error.to_string()).cure("see `att question list` for those that wait")
        }
        FleetError::UnfitAnswer(_) => {
            Report::new(Code::InvalidInput, error.to_string()).cure("mend the fields that are named")
        }
        FleetError::HttpClient(_) | FleetError::Ending => Report::new(Code::Internal, error.to_string()),
    }
}
