//! What stands in `mcp.json`: servers added, removed, renamed, set, switched on and off.
//!
//! Each is an edit of the file that leaves the rest of it as it is; whoever watches the fleet reads it again at once.

use crate::editing::edit_file;
use crate::requests::{Ask, fulfil, no_such_server, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::config::{ConfigEdit, EditError, edit};
use serde_json::Value;

/// Keys of an entry itself; every other key is one of ours, under `att`.
const OWN_KEYS: [&str; 9] =
    ["command", "args", "env", "cwd", "url", "headers", "type", "transport", "disabled"];
/// Keys whose value is a text whatever it looks like.
const TEXT_KEYS: [&str; 7] = ["command", "cwd", "url", "type", "transport", "env", "headers"];

impl ControlRoom {
    /// Adds a server. `entry` is its JSON object as in the file; a command still waits for consent.
    ///
    /// # Errors
    /// [`Code::Conflict`] when the name is taken; [`Code::InvalidInput`] with the words of the file's reader.
    pub async fn server_add(&self, server: String, entry: String) -> Result<(), Report> {
        let entry = parse_entry(&entry)?;
        self.edit_servers(&[ConfigEdit::Add { name: server, entry }]).await
    }

    /// Takes a server out of the file; what the journal holds about it stays.
    ///
    /// # Errors
    /// [`Code::NotFound`]; when the file cannot be edited.
    pub async fn server_remove(&self, server: String) -> Result<(), Report> {
        self.edit_servers(&[ConfigEdit::Remove { name: server }]).await
    }

    /// Gives a server another name. Consent is by name and command: a command is asked for again.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Conflict`] when the name is taken.
    pub async fn server_rename(&self, server: String, to: String) -> Result<(), Report> {
        self.edit_servers(&[ConfigEdit::Rename { name: server, to }]).await
    }

    /// Sets one value of a server, or takes it out. `key` is a key of its entry (`url`, `env.NAME`, `headers.NAME`)
    /// or one of ours (`group`, `probe_interval_ms`, also with `att.` before it); `value` is JSON or a plain text.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the words of the file's reader.
    pub async fn server_set(&self, server: String, key: String, value: Option<String>) -> Result<(), Report> {
        let path = path_of(&key)?;
        if path.last().is_some_and(|last| last == "disabled") {
            let disabled = value.as_deref().unwrap_or("false").parse::<bool>().map_err(|_| {
                Report::new(Code::InvalidInput, "\"disabled\" must be true or false")
                    .cure("write true or false")
            })?;
            return self.server_set_enabled(server, !disabled).await;
        }
        let change = match value {
            Some(value) => ConfigEdit::Set { name: server, value: value_of(&path, value), path },
            None => ConfigEdit::Unset { name: server, path },
        };
        self.edit_servers(&[change]).await
    }

    /// Switches a server on or off. It is written into `mcp.json`, so that it holds after a restart too.
    ///
    /// # Errors
    /// [`Code::NotFound`]; when the file cannot be edited.
    pub async fn server_set_enabled(&self, server: String, enabled: bool) -> Result<(), Report> {
        let at = |path: &[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let ours = at(&["att", "disabled"]);
        let edits = match enabled {
            // Other programs write it beside `command`; both are read.
            true => vec![
                ConfigEdit::Unset { name: server.clone(), path: ours },
                ConfigEdit::Unset { name: server.clone(), path: at(&["disabled"]) },
            ],
            false => vec![ConfigEdit::Set { name: server.clone(), path: ours, value: Value::Bool(true) }],
        };
        self.edit_servers(&edits).await?;
        // Lifts a quarantine too, of which the file knows nothing.
        tell(self, Ask::SetEnabled { server, enabled }).await;
        Ok(())
    }

    /// Writes `edits`, all or none, and has them take effect where the fleet is watched.
    pub(crate) async fn edit_servers(&self, edits: &[ConfigEdit]) -> Result<(), Report> {
        self.may_act()?;
        let path = self.0.home.mcp_json();
        edit_file(&self.0.home, &path, |text| {
            let mut text = text.to_owned();
            for change in edits {
                text = edit(&text, change).map_err(edit_report)?;
            }
            Ok((text, ()))
        })
        .await?;
        self.configuration_changed().await;
        Ok(())
    }

    /// Reads the file again, here and where the fleet is watched.
    pub(crate) async fn configuration_changed(&self) {
        self.read_configuration();
        self.0.notices.tell(&[crate::dto::Topic::System, crate::dto::Topic::Fleet]);
        match fulfil(self, Ask::Reload).await {
            // Nobody watches: whoever does next reads the file as it is then.
            Ok(()) | Err(Report { code: Code::Conflict | Code::JournalUnavailable, .. }) => {}
            Err(report) => tracing::warn!(%report, "the file is written, but was not read again at once"),
        }
    }
}

fn parse_entry(text: &str) -> Result<Value, Report> {
    serde_json::from_str(text).map_err(|error| {
        Report::new(Code::InvalidInput, "the entry is not valid JSON")
            .cause(error.to_string())
            .cure("write an object such as {\"command\": \"npx\", \"args\": [\"-y\", \"server\"]} or {\"url\": \"http://127.0.0.1:9901/mcp\"}")
    })
}

fn path_of(key: &str) -> Result<Vec<String>, Report> {
    let mut path: Vec<String> = match key.split_once('.') {
        // A variable's or a header's name may hold dots.
        Some((first @ ("env" | "headers"), name)) => vec![first.to_owned(), name.to_owned()],
        _ => key.split('.').map(str::to_owned).collect(),
    };
    if path.iter().any(String::is_empty) || path.len() > 4 || key.len() > 300 {
        return Err(Report::new(Code::InvalidInput, format!("`{}` is no key", att_core::redact(key)))
            .cure("write a key such as group, probe_interval_ms, url, env.NAME or headers.NAME"));
    }
    if path[0] != "att" && !OWN_KEYS.contains(&path[0].as_str()) {
        path.insert(0, "att".to_owned());
    }
    Ok(path)
}

fn value_of(path: &[String], text: String) -> Value {
    if TEXT_KEYS.contains(&path[0].as_str()) && !text.trim_start().starts_with('{') {
        return Value::String(text);
    }
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// An edit's refusal as an operator sees it.
pub(crate) fn edit_report(error: EditError) -> Report {
    let text = error.to_string();
    match error {
        EditError::Broken(problem) => {
            Report::new(Code::InvalidConfig, "mcp.json is broken, so it is not edited")
                .cause(text)
                .cure(problem.cure)
        }
        EditError::UnknownServer(name) => no_such_server(&name),
        EditError::NameTaken(_) => {
            Report::new(Code::Conflict, text).cure("choose another name, or remove that one first")
        }
        EditError::StandsTwice(_) => {
            Report::new(Code::InvalidConfig, text).cure("rename or remove one of the two in mcp.json")
        }
        EditError::NotAnObject(_) => {
            Report::new(Code::InvalidInput, text).cure("correct the key, or what stands there now")
        }
        EditError::Refused(problem) => Report::new(Code::InvalidInput, text).cure(problem.cure),
        EditError::Unfaithful => Report::new(Code::Internal, text)
            .cause("the file has a form that ATT cannot edit safely; nothing was written")
            .cure("edit mcp.json by hand"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;

    #[test]
    fn a_key_leads_into_the_entry_or_under_att() {
        let path = |key: &str| path_of(key).unwrap().join("/");
        assert_eq!(path("url"), "url");
        assert_eq!(path("group"), "att/group");
        assert_eq!(path("att.group"), "att/group");
        assert_eq!(path("env.A.B"), "env/A.B");
        assert!(path_of("env.").is_err() && path_of("").is_err());
    }

    #[tokio::test]
    async fn a_server_is_added_set_switched_renamed_and_removed_in_the_file_with_its_comments() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        std::fs::write(home.mcp_json(), "{\n  // mine\n  \"mcpServers\": {}\n}\n").unwrap();
        let room = ControlRoom::open(home.clone(), Face::Cli, Drive::Nothing).await;
        let text = || std::fs::read_to_string(home.mcp_json()).unwrap();
        let owned = str::to_owned;
        room.server_add(owned("a"), owned(r#"{"command": "x", "disabled": true}"#)).await.unwrap();
        room.server_set(owned("a"), owned("env.N"), Some(owned("5"))).await.unwrap();
        room.server_set(owned("a"), owned("fall"), Some(owned("5"))).await.unwrap();
        let server = || room.configuration().servers[0].clone();
        assert_eq!((server().env["N"].as_str(), server().settings.fall, server().disabled), ("5", 5, true));
        room.server_set_enabled(owned("a"), true).await.unwrap();
        assert!(!server().disabled, "{}", text());
        room.server_set(owned("a"), owned("disabled"), Some(owned("true"))).await.unwrap();
        assert!(server().disabled);
        room.server_set(owned("a"), owned("fall"), None).await.unwrap();
        assert_eq!(server().settings.fall, 3);
        room.server_rename(owned("a"), owned("b")).await.unwrap();
        assert_eq!(server().name, "b");
        let before = text();
        let error = room.server_set(owned("b"), owned("fall"), Some(owned("0"))).await.unwrap_err();
        assert!(error.message.contains("att.fall must be a whole number"), "{error:?}");
        assert_eq!(text(), before, "a refused edit writes nothing");
        room.server_remove(owned("b")).await.unwrap();
        assert!(room.configuration().servers.is_empty());
        assert!(text().contains("// mine"));
        assert_eq!(room.server_remove(owned("b")).await.unwrap_err().code, Code::NotFound);
        room.close().await;
    }
}
