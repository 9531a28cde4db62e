//! Which commands the operator approved, what changed since, and taking it back.

use super::fleet::store_report;
use crate::dto::{CommandDto, ConsentStateDto, Topic};
use crate::requests::{Ask, no_such_server, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::FleetStore as _;
use att_mcp::config::ServerConfig;
use serde_json::Value;

/// How many entries of the audit chain are read at once.
const PAGE: u32 = 1_000;

impl ControlRoom {
    /// Every server that runs a command, with its consent, by name.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn consents_list(&self) -> Result<Vec<ConsentStateDto>, Report> {
        let servers = self.configuration().servers.clone();
        let mut states = Vec::new();
        for server in &servers {
            if let Some(digest) = server.command_digest() {
                states.push(self.consent_of(server, digest).await?);
            }
        }
        states.sort_by(|a, b| a.server.cmp(&b.server));
        Ok(states)
    }

    /// One server's command and consent.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is no such server or it runs no command.
    pub async fn consent_show(&self, server: String) -> Result<ConsentStateDto, Report> {
        let config = {
            let configuration = self.configuration();
            configuration.servers.iter().find(|config| config.name == server).cloned()
        };
        let config = config.ok_or_else(|| no_such_server(&server))?;
        let digest = config.command_digest().ok_or_else(|| {
            Report::new(Code::NotFound, format!("`{server}` runs no command, so there is nothing to approve"))
        })?;
        self.consent_of(&config, digest).await
    }

    /// Takes the consent of a server back: its command ends, and is asked for again.
    ///
    /// # Errors
    /// [`Code::NotFound`] when no consent was given.
    pub async fn server_withdraw_consent(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        let gone = self.journal()?.withdraw_consent(&server, self.person(), self.now_ms()).await?;
        if gone == 0 {
            return Err(Report::new(Code::NotFound, format!("no command of `{server}` is approved"))
                .cure("see `att consent list`"));
        }
        self.0.notices.tell(&[Topic::Fleet]);
        tell(self, Ask::ConsentWithdrawn { server }).await;
        Ok(())
    }

    async fn consent_of(&self, config: &ServerConfig, digest: String) -> Result<ConsentStateDto, Report> {
        let journal = self.journal()?;
        let approved = journal.consent(&config.name, &digest).await.map_err(store_report)?;
        let given = journal.consents().await?;
        let given = given.iter().find(|consent| consent.server == config.name && consent.digest == digest);
        let before = if approved { None } else { self.approved_before(&config.name, &digest).await? };
        Ok(ConsentStateDto {
            server: config.name.clone(),
            digest,
            command: CommandDto {
                argv: config.command_line(),
                env_names: config.env.keys().cloned().collect(),
                cwd: config.cwd.clone(),
            },
            approved,
            approved_at_ms: given.map(|consent| consent.at_ms),
            approved_by: given.map(|consent| consent.actor.name.clone()),
            before,
        })
    }

    /// The command of another digest that was approved last, from the audit chain.
    async fn approved_before(&self, server: &str, digest: &str) -> Result<Option<CommandDto>, Report> {
        let (mut after, mut found) = (0, None);
        loop {
            let entries = self.journal()?.audit_entries(Some(server), after, PAGE).await?;
            let Some(last) = entries.last() else { return Ok(found) };
            after = last.seq;
            for entry in entries.iter().filter(|entry| entry.kind == "ConsentGiven") {
                if entry.body["digest"] != digest {
                    found = Some(command(&entry.body["command"]));
                }
            }
        }
    }
}

fn command(kept: &Value) -> CommandDto {
    let texts = |key: &str| {
        let list = kept[key].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    CommandDto {
        argv: texts("argv"),
        env_names: texts("env_names"),
        cwd: kept["cwd"].as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;

    #[tokio::test]
    async fn a_changed_command_shows_what_was_approved_before_and_a_consent_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let room = ControlRoom::open(Home::at(dir.path()), Face::Cli, Drive::Nothing).await;
        let entry = |args: &str| format!(r#"{{"command": "x", "args": ["{args}"], "env": {{"A": "1"}}}}"#);
        room.server_add("a".into(), entry("one")).await.unwrap();
        let waiting = room.consent_show("a".into()).await.unwrap();
        assert!(!waiting.approved && waiting.before.is_none());
        room.server_approve_command("a".into(), waiting.digest).await.unwrap();
        let approved = room.consent_show("a".into()).await.unwrap();
        assert!(approved.approved && approved.approved_at_ms.is_some());
        room.server_set("a".into(), "args".into(), Some("[\"two\"]".into())).await.unwrap();
        let changed = room.consents_list().await.unwrap().remove(0);
        assert!(!changed.approved);
        assert_eq!(changed.command.argv, ["x", "two"]);
        assert_eq!(changed.before.unwrap().argv, ["x", "one"]);
        room.server_withdraw_consent("a".into()).await.unwrap();
        room.server_set("a".into(), "args".into(), Some("[\"one\"]".into())).await.unwrap();
        assert!(!room.consent_show("a".into()).await.unwrap().approved);
        assert_eq!(room.server_withdraw_consent("a".into()).await.unwrap_err().code, Code::NotFound);
        room.close().await;
    }
}
