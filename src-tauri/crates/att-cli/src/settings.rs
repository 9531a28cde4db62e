//! `att settings`: what holds for the whole home.

use crate::args::SettingsCommand;
use crate::{print, with_room};
use att_api::{Drive, Home, Report};
use serde_json::json;
use std::process::ExitCode;

/// One of the settings commands.
pub async fn run(home: Home, command: SettingsCommand, as_json: bool) -> Result<ExitCode, Report> {
    with_room(home, Drive::Nothing, async |room| {
        let (key, value) = match command {
            SettingsCommand::List => {
                let settings = room.settings_list().await?;
                if as_json {
                    print::json(&settings);
                } else {
                    let rows = settings.into_iter().map(|setting| {
                        let from = if setting.set { "settings.toml" } else { "default" };
                        vec![setting.key, setting.value, setting.default, from.to_owned()]
                    });
                    print::table(&["setting", "value", "default", "from"], rows.collect(), "No settings.");
                }
                return Ok(ExitCode::SUCCESS);
            }
            SettingsCommand::Set { key, value } => (key, Some(value)),
            SettingsCommand::Unset { key } => (key, None),
        };
        let done = if value.is_some() { "set" } else { "unset" };
        room.settings_set(key.clone(), value).await?;
        match as_json {
            true => print::json(&json!({"key": key, "done": done})),
            false => print::line(&format!("{key}: {done}")),
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}
