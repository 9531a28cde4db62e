//! `att check`, `servers`, `call`, `read`, `events`.

use crate::args::{CallArguments, EventsArguments, ReadArguments};
use crate::{ask, print, question};
use att_api::dto::{
    CallAnswerDto, CallRequestDto, CheckDto, ConfigProblemDto, EventFilterDto, QuestionDto, ServerRowDto,
};
use att_api::{Company, ControlRoom, Home, Report};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const NO_SERVERS: &str =
    "No servers. Write an mcp.json into ATT_HOME, or give one with `att check --config FILE`.";

/// What is wrong in a configuration file, on stderr.
pub fn print_problems(problems: &[ConfigProblemDto]) {
    for problem in problems {
        let kind = if problem.warning { "warning" } else { "error" };
        print::remark(&format!(
            "{kind}: {}:{}:{}: {} ({})",
            problem.file, problem.line, problem.column, problem.message, problem.cure
        ));
    }
}

fn status_mark(status: &str) -> &'static str {
    match status {
        "healthy" => "●",
        "degraded" | "throttled" => "◐",
        "unreachable" => "✕",
        "connecting" => "…",
        _ => "○",
    }
}

fn row(server: &ServerRowDto) -> Vec<String> {
    vec![
        server.server.clone(),
        format!("{} {}", status_mark(&server.status), server.status),
        server.transport.clone(),
        server.era.clone().unwrap_or_else(|| "-".into()),
        print::count(server.tools),
        print::count(server.resources),
        print::count(server.prompts),
        print::ms(server.latency_ms.or(server.connect_ms)),
        server.summary.clone(),
    ]
}

const HEADERS: [&str; 9] =
    ["server", "status", "transport", "era", "tools", "resources", "prompts", "latency", "summary"];

/// Connects to all once.
pub fn print_check(check: &CheckDto, json: bool) {
    if json {
        print::json(check);
    } else {
        let all = check.results.iter().chain(&check.failures);
        print::table(&HEADERS, all.map(row).collect(), NO_SERVERS);
    }
}

/// `att check`.
pub async fn check(home: Home, config: Option<PathBuf>, json: bool) -> Result<ExitCode, Report> {
    let check: CheckDto = att_api::check(&home, config).await?;
    let broken = check.problems.iter().any(|problem| !problem.warning);
    print_check(&check, json);
    print_problems(&check.problems);
    let all_healthy =
        check.failures.is_empty() && check.results.iter().all(|server| server.status == "healthy");
    Ok(match (broken, all_healthy) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(1),
    })
}

/// The last known state.
pub async fn servers(room: &ControlRoom, json: bool) -> Result<ExitCode, Report> {
    let fleet = room.fleet_list().await?;
    if json {
        print::json(&fleet);
    } else {
        print::table(&HEADERS, fleet.servers.iter().map(row).collect(), NO_SERVERS);
        print_problems(&room.system_status().await?.config_problems);
        match fleet.engine.pid.filter(|_| fleet.engine.running) {
            Some(pid) => {
                print::remark(&format!("as of {}, watched by process {pid}", print::time(fleet.as_of_ms)))
            }
            None => print::remark(&format!(
                "as of {}; nothing watches the fleet now",
                print::time(fleet.as_of_ms)
            )),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line a server whose status changed since the last look.
pub async fn print_changes(
    room: &ControlRoom,
    seen: &mut BTreeMap<String, String>,
    json: bool,
) -> Result<(), Report> {
    for server in room.fleet_list().await?.servers {
        if seen.insert(server.server.clone(), server.summary.clone()).as_ref() == Some(&server.summary) {
            continue;
        }
        if json {
            print::line(&serde_json::to_string(&server).unwrap_or_default());
        } else {
            let mark = status_mark(&server.status);
            let text = format!(
                "{} {mark} {} {}: {}",
                print::time(server.since_ms),
                server.server,
                server.status,
                server.summary
            );
            print::line(&print::plain(&text));
        }
    }
    Ok(())
}

/// What the operator can do about a failed call.
fn cure(code: &str) -> &'static str {
    match code {
        "no_server_available" => {
            "see `att servers` for what is up and what it offers, or name one with --server"
        }
        "invalid_request" => "see `att snapshot show SERVER --json` for the input schema, and correct --args",
        "timed_out" => {
            "give it longer with --timeout-ms, and find out whether it was done before you call again"
        }
        "item_quarantined" => {
            "see `att snapshot diff SERVER baseline` for what changed, and accept it with `att snapshot accept`"
        }
        "not_reissued" => "find out whether it was done before you call again",
        "application_error" => {
            "the error above is the server's own answer: correct the call, or ask its operator"
        }
        "cancelled" => "call again if it is still wanted",
        _ => "see the attempts below, and `att events --server NAME` for what happened before",
    }
}

fn print_answer(answer: &CallAnswerDto, json: bool) -> ExitCode {
    match &answer.failure {
        Some(failure) if json => print::json(failure),
        Some(failure) => {
            print::remark(&format!("error[{}]: {}", failure.code, failure.message));
            print::remark(&format!("  cure: {}", cure(&failure.code)));
            let rows = failure.attempts.iter().map(|attempt| {
                vec![
                    attempt.server.clone(),
                    attempt.stage.clone(),
                    attempt.outcome.clone(),
                    print::ms(attempt.total_ms),
                    attempt.error.clone().or_else(|| attempt.excluded_reason.clone()).unwrap_or_default(),
                ]
            });
            print::table(
                &["server", "stage", "outcome", "time", "error"],
                rows.collect(),
                "Nothing was tried.",
            );
        }
        None if json => print::json(answer),
        None => print::line(&print::plain(answer.result.as_deref().unwrap_or("null"))),
    }
    for problem in answer.output_problems.iter().filter(|_| !json) {
        print::remark(&print::plain(&format!(
            "warning: the answer does not fit the tool's output schema: {problem}"
        )));
    }
    match answer.failure.as_ref().map(|failure| failure.code.as_str()) {
        None => ExitCode::SUCCESS,
        Some("invalid_request") => ExitCode::from(2),
        Some(_) => ExitCode::from(1),
    }
}

/// The person who called: sees progress, is asked at a terminal, and stops the call with Ctrl-C.
fn company() -> Company {
    let ask = |question: QuestionDto| {
        let answer =
            ask::need_terminal("a server's question").and_then(|()| question::on_terminal(&question));
        if let Err(report) = &answer {
            let (server, why) = (&question.server, &report.message);
            print::remark(&print::plain(&format!("{server} asks: {} (declined: {why})", question.message)));
        }
        answer.ok()
    };
    let told = |progress: f64, total: Option<f64>, message: Option<&str>| {
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        print::remark(&print::plain(&format!("progress: {progress}{of} {}", message.unwrap_or_default())));
    };
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Company { ask: Some(Arc::new(ask)), told: Some(Box::new(told)), stop: Some(Box::pin(stop)) }
}

/// `att call`.
pub async fn call(home: Home, call: CallArguments, json: bool) -> Result<ExitCode, Report> {
    let request = CallRequestDto {
        server: call.whom.server,
        group: call.whom.group,
        prefer: call.whom.prefer,
        method: "tools/call".into(),
        name: call.tool,
        arguments: call.args,
        timeout_ms: call.timeout_ms,
        request_id: String::new(),
    };
    Ok(print_answer(&att_api::call_once(&home, call.config.config, request, company()).await?, json))
}

/// `att read`.
pub async fn read(home: Home, read: ReadArguments, json: bool) -> Result<ExitCode, Report> {
    let request = CallRequestDto {
        server: read.whom.server,
        group: read.whom.group,
        prefer: read.whom.prefer,
        method: "resources/read".into(),
        name: read.uri,
        arguments: None,
        timeout_ms: read.timeout_ms,
        request_id: String::new(),
    };
    Ok(print_answer(&att_api::call_once(&home, read.config.config, request, company()).await?, json))
}

/// `att events`.
pub async fn events(room: &ControlRoom, filter: EventsArguments, json: bool) -> Result<ExitCode, Report> {
    let events = room
        .events_list(EventFilterDto {
            server: filter.server,
            kind: filter.kind,
            correlation_id: filter.correlation,
            method: filter.method,
            request_id: filter.request,
            phase: filter.phase,
            since_ms: filter.since_ms,
            limit: Some(filter.limit),
        })
        .await?;
    if json {
        print::json(&events);
    } else {
        let rows = events.iter().map(|event| {
            vec![print::time(event.at_ms), event.server.clone(), event.kind.clone(), event.text.clone()]
        });
        print::table(&["time", "server", "event", "what"], rows.collect(), "No events.");
    }
    Ok(ExitCode::SUCCESS)
}
