//! `att consent`: which commands may run. A person sees the exact command before saying yes.

use crate::args::ConsentCommand;
use crate::import::quoted;
use crate::{ask, print, with_room};
use att_api::dto::{CommandDto, ConsentStateDto};
use att_api::{Code, ControlRoom, Drive, Home, Report};
use serde_json::json;
use std::process::ExitCode;

/// One of the consent commands.
pub async fn run(home: Home, command: ConsentCommand, as_json: bool) -> Result<ExitCode, Report> {
    with_room(home, Drive::Nothing, async |room| match command {
        ConsentCommand::List => list(&room, as_json).await,
        ConsentCommand::Show { server } => {
            let state = room.consent_show(server).await?;
            match as_json {
                true => print::json(&state),
                false => show(&state),
            }
            Ok(ExitCode::SUCCESS)
        }
        ConsentCommand::Approve { server } => approve(&room, server, as_json).await,
        ConsentCommand::Withdraw { server } => {
            room.server_withdraw_consent(server.clone()).await?;
            match as_json {
                true => print::json(&json!({"server": server, "done": "withdrawn"})),
                false => {
                    print::line(&print::plain(&format!("{server}: its command is not approved any more")))
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    })
    .await
}

async fn list(room: &ControlRoom, as_json: bool) -> Result<ExitCode, Report> {
    let states = room.consents_list().await?;
    if as_json {
        print::json(&states);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = states.iter().map(|state| {
        let word = match (state.approved, &state.before) {
            (true, _) => "approved",
            (false, Some(_)) => "changed, waits for you",
            (false, None) => "waits for you",
        };
        let when = state.approved_at_ms.map_or_else(|| "-".to_owned(), print::time);
        vec![state.server.clone(), word.to_owned(), when, line(&state.command)]
    });
    print::table(&["server", "consent", "since", "command"], rows.collect(), "No server runs a command.");
    Ok(ExitCode::SUCCESS)
}

async fn approve(room: &ControlRoom, server: String, as_json: bool) -> Result<ExitCode, Report> {
    ask::need_terminal("approving a command")?;
    let state = room.consent_show(server.clone()).await?;
    show(&state);
    if state.approved {
        return Ok(ExitCode::SUCCESS);
    }
    if ask::line("Run this command from now on? Type yes: ")? != "yes" {
        return Err(Report::new(Code::Denied, format!("the command of `{server}` was not approved")));
    }
    room.server_approve_command(server.clone(), state.digest).await?;
    match as_json {
        true => print::json(&json!({"server": server, "done": "approved"})),
        false => print::line(&print::plain(&format!("{server}: approved"))),
    }
    Ok(ExitCode::SUCCESS)
}

/// On stderr, so that the answer of `--json` stays alone on stdout.
fn show(state: &ConsentStateDto) {
    let word = if state.approved { "approved" } else { "not approved" };
    print::remark(&format!("{}: {word}", state.server));
    if let Some(before) = &state.before {
        print::remark("approved before:");
        describe(before);
        print::remark("now:");
    }
    describe(&state.command);
    if let (Some(at_ms), Some(by)) = (state.approved_at_ms, &state.approved_by) {
        print::remark(&format!("  approved {} by {by}", print::time(at_ms)));
    }
}

fn describe(command: &CommandDto) {
    print::remark(&format!("  command: {}", line(command)));
    if !command.env_names.is_empty() {
        print::remark(&format!("  environment: {}", command.env_names.join(", ")));
    }
    if let Some(cwd) = &command.cwd {
        print::remark(&format!("  folder: {cwd}"));
    }
}

fn line(command: &CommandDto) -> String {
    command.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}
