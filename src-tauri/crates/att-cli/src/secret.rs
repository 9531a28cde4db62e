//! `att secret`: names are shown, values only go in.

use crate::args::SecretCommand;
use crate::{print, with_room};
use att_api::{Code, Drive, Home, Report};
use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

/// Longest value read from a pipe, in bytes.
const LONGEST_BYTES: u64 = 64 * 1024;

/// Runs `att secret ...`.
pub async fn run(home: Home, command: SecretCommand, json: bool) -> Result<ExitCode, Report> {
    // Asked before the room opens: a person may take long.
    let command = match command {
        SecretCommand::Set { name } => {
            let value = read_value(&name)?;
            Work::Set(name, value)
        }
        SecretCommand::List => Work::List,
        SecretCommand::Delete { name } => Work::Delete(name),
    };
    with_room(home, Drive::Nothing, async |room| {
        match command {
            Work::Set(name, value) => {
                let kept = room.secret_set(name, value).await?;
                match json {
                    true => print::json(&kept),
                    false => print::line(&format!("`{}` is kept in {}.", kept.name, kept.place)),
                }
            }
            Work::List => {
                let kept = room.secrets_list().await?;
                if json {
                    print::json(&kept);
                } else {
                    let rows = kept.names.into_iter().map(|name| vec![name]).collect();
                    print::table(&["NAME"], rows, &format!("No secret is kept in {}.", kept.place));
                }
            }
            Work::Delete(name) => {
                room.secret_delete(name.clone()).await?;
                match json {
                    true => print::json(&serde_json::json!({"deleted": name})),
                    false => print::line(&format!("`{name}` is removed.")),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

enum Work {
    Set(String, String),
    List,
    Delete(String),
}

/// The value, from the terminal without echo or from a pipe without its last line end.
fn read_value(name: &str) -> Result<String, Report> {
    let broken = |error: std::io::Error| {
        Report::new(Code::InvalidInput, "the value could not be read").cause(error.to_string())
    };
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Value of `{name}` (not shown): ")).map_err(broken);
    }
    let mut value = String::new();
    std::io::stdin().take(LONGEST_BYTES + 1).read_to_string(&mut value).map_err(broken)?;
    if value.len() as u64 > LONGEST_BYTES {
        return Err(print::bad_input("the secret is longer than 64 KiB"));
    }
    let end = value.trim_end_matches(['\n', '\r']).len();
    value.truncate(end);
    Ok(value)
}
