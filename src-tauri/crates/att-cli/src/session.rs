//! `att retry`, `att refresh` and `att session ...`: what the process that watches the fleet is asked for.

use crate::args::SessionCommand;
use crate::{fleet, print};
use att_api::dto::CheckDto;
use att_api::{ControlRoom, Report};
use std::process::ExitCode;

/// Connects the named servers, or all.
pub async fn retry(room: &ControlRoom, servers: Vec<String>, json: bool) -> Result<ExitCode, Report> {
    Ok(many(&room.fleet_connect_all(servers).await?, json))
}

/// Reads the lists of the named servers, or of all.
pub async fn refresh(room: &ControlRoom, servers: Vec<String>, json: bool) -> Result<ExitCode, Report> {
    Ok(many(&room.fleet_refresh_all(servers).await?, json))
}

fn many(answer: &CheckDto, json: bool) -> ExitCode {
    fleet::print_check(answer, json);
    if answer.status == "ok" { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Runs one of the commands.
pub async fn run(room: &ControlRoom, command: SessionCommand, json: bool) -> Result<ExitCode, Report> {
    match command {
        SessionCommand::List => {
            let sessions = room.sessions().await?;
            if json {
                print::json(&sessions);
                return Ok(ExitCode::SUCCESS);
            }
            let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
            let rows = sessions.iter().map(|session| {
                vec![
                    session.server.clone(),
                    yes(session.active),
                    yes(session.initialized),
                    session.last_activity_at_ms.map(print::time).unwrap_or_default(),
                    session.freshness.clone(),
                ]
            });
            let head = ["server", "active", "initialized", "last activity", "freshness"];
            print::table(&head, rows.collect(), "No servers.");
        }
        SessionCommand::Invalidate { server } => {
            room.session_invalidate(server.clone()).await?;
            print::remark(&format!("The session of {server} is dropped; its next use makes a new one."));
        }
        SessionCommand::Refresh { server } => {
            room.session_refresh(server.clone()).await?;
            print::remark(&format!("{server} has a new session."));
        }
    }
    Ok(ExitCode::SUCCESS)
}
