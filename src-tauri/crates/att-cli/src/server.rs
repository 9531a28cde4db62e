//! `att server`.

use crate::args::{AddArguments, ServerCommand};
use crate::{print, with_room};
use att_api::{ControlRoom, Drive, Home, Report};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// One of the server commands.
pub async fn run(home: Home, command: ServerCommand, as_json: bool) -> Result<ExitCode, Report> {
    with_room(home, Drive::Nothing, async |room| {
        let (server, done) = edit(&room, command).await?;
        if as_json {
            print::json(&json!({"server": server, "done": done}));
        } else {
            print::line(&print::plain(&format!("{server}: {done}")));
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

async fn edit(room: &ControlRoom, command: ServerCommand) -> Result<(String, &'static str), Report> {
    match command {
        ServerCommand::Add(add) => {
            let (server, entry) = (add.server.clone(), entry(add)?);
            room.server_add(server.clone(), entry.to_string()).await?;
            Ok((server, "added"))
        }
        ServerCommand::Remove { server } => {
            room.server_remove(server.clone()).await?;
            Ok((server, "removed"))
        }
        ServerCommand::Rename { server, to } => {
            room.server_rename(server, to.clone()).await?;
            Ok((to, "renamed"))
        }
        ServerCommand::Set { server, key, value } => {
            room.server_set(server.clone(), key, Some(value)).await?;
            Ok((server, "set"))
        }
        ServerCommand::Unset { server, key } => {
            room.server_set(server.clone(), key, None).await?;
            Ok((server, "unset"))
        }
        ServerCommand::Enable { server } => {
            room.server_set_enabled(server.clone(), true).await?;
            Ok((server, "enabled"))
        }
        ServerCommand::Disable { server } => {
            room.server_set_enabled(server.clone(), false).await?;
            Ok((server, "disabled"))
        }
    }
}

/// The entry as it will stand in the file.
fn entry(add: AddArguments) -> Result<Value, Report> {
    let mut entry = Map::new();
    match (add.url, add.command.split_first()) {
        (Some(url), None) => {
            entry.insert("url".into(), url.into());
        }
        (None, Some((program, arguments))) => {
            entry.insert("command".into(), program.as_str().into());
            if !arguments.is_empty() {
                entry.insert("args".into(), arguments.to_vec().into());
            }
        }
        _ => {
            return Err(print::bad_input("a server needs an address or a command")
                .cure("write --url URL, or -- PROGRAM ARGUMENTS..."));
        }
    }
    for (key, pairs) in [("headers", add.header), ("env", add.env)] {
        if !pairs.is_empty() {
            entry.insert(key.into(), Value::Object(pairs_of(key, &pairs)?));
        }
    }
    if let Some(cwd) = add.cwd {
        entry.insert("cwd".into(), cwd.into());
    }
    Ok(Value::Object(entry))
}

fn pairs_of(key: &str, pairs: &[String]) -> Result<Map<String, Value>, Report> {
    pairs
        .iter()
        .map(|pair| {
            let (name, value) =
                pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    // The text may be a secret that was typed without its name.
                    print::bad_input(format!("a value of {key} has no name")).cure("write NAME=VALUE")
                })?;
            Ok((name.to_owned(), Value::from(value)))
        })
        .collect()
}
