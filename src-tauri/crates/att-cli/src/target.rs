//! `att target ack`.

use crate::args::TargetCommand;
use crate::{ask, print, with_room};
use att_api::{Code, ControlRoom, Drive, Home, Report};
use std::process::ExitCode;

/// One of the target commands.
pub async fn run(home: Home, command: TargetCommand, json: bool) -> Result<ExitCode, Report> {
    let TargetCommand::Ack { target } = command;
    ask::need_terminal("an acknowledgement")?;
    with_room(home, Drive::Nothing, async |room| acknowledge(&room, &target, json).await).await
}

/// Shows what blocks the target, asks for a note, and closes it.
async fn acknowledge(room: &ControlRoom, target: &str, json: bool) -> Result<ExitCode, Report> {
    let waiting = room.decisions_list().await?.interruptions;
    let blocking: Vec<_> = waiting
        .into_iter()
        .filter(|one| {
            one.target.as_deref() == Some(target) && one.actions.iter().any(|action| action == "acknowledge")
        })
        .collect();
    if blocking.is_empty() {
        return Err(Report::new(Code::NotFound, format!("nothing on `{target}` waits to be acknowledged"))
            .cure("see `att decision list` for what waits, and `att release list` for the targets"));
    }
    for one in &blocking {
        print::remark(&format!("{}: {}", one.title, one.detail));
    }
    let note = ask::line("What have you seen? A few words: ")?;
    for one in &blocking {
        room.interruption_acknowledge(one.id.clone(), note.clone()).await?;
    }
    if json {
        print::json(&blocking);
    } else {
        print::line(&format!("Acknowledged. New cycles may start on {target}."));
    }
    Ok(ExitCode::SUCCESS)
}
