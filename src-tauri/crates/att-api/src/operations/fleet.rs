//! The fleet as a list, and what is done to one of its servers.

use crate::convert::fleet::server_row;
use crate::dto::{FleetDto, ServerRowDto, Topic};
use crate::requests::{Ask, fulfil, no_such_server, tell};
use crate::room::ControlRoom;
use att_core::{Actor, Code, Report};
use att_journal::Consent;
use att_mcp::FleetStore as _;
use att_mcp::config::ServerConfig;
use att_mcp::model::ServerState;

impl ControlRoom {
    /// Every server: live where this process watches the fleet, else as last written to the journal.
    ///
    /// # Errors
    /// When nobody watches here and the journal cannot be read.
    pub async fn fleet_list(&self) -> Result<FleetDto, Report> {
        let engine = self.engine_owner().await;
        let driver = self.driver().await;
        if let Some(fleet) = driver.as_ref().and_then(|driver| driver.fleet()) {
            let servers = fleet.servers().iter().map(|state| self.live_row(fleet, state)).collect();
            return Ok(FleetDto { engine, as_of_ms: self.now_ms(), servers: sorted(servers) });
        }
        drop(driver);
        let states = self.journal()?.states().await.map_err(store_report)?;
        let as_of_ms = states.iter().map(|state| state.as_of_ms).max().unwrap_or_else(|| self.now_ms());
        let servers = states.iter().map(|state| server_row(state, Vec::new(), false)).collect();
        Ok(FleetDto { engine, as_of_ms, servers: sorted(servers) })
    }

    pub(crate) fn live_row(&self, fleet: &att_mcp::Fleet, state: &ServerState) -> ServerRowDto {
        let drifted = fleet.snapshot(&state.server).is_some_and(|snapshot| snapshot.parent.is_some());
        let history =
            fleet.latency_history(&state.server).iter().filter_map(|point| point.latency_ms).collect();
        server_row(state, history, drifted)
    }

    /// Does not wait for the next attempt.
    ///
    /// # Errors
    /// When there is no such server or nothing watches the fleet.
    pub async fn server_retry(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::Retry { server }).await
    }

    /// Takes a new snapshot.
    ///
    /// # Errors
    /// As [`ControlRoom::server_retry`].
    pub async fn server_refresh(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::Refresh { server }).await
    }

    /// Reads `mcp.json` again; servers that did not change are left alone.
    ///
    /// # Errors
    /// As [`ControlRoom::server_retry`].
    pub async fn fleet_reload(&self) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::Reload).await
    }

    /// A person approves the exact command line that was on screen.
    ///
    /// # Errors
    /// [`Code::Conflict`] when the command is another one by now.
    pub async fn server_approve_command(&self, server: String, digest: String) -> Result<(), Report> {
        self.may_act()?;
        let (command_digest, shown) = {
            let configuration = self.configuration();
            let config = configuration.servers.iter().find(|config| config.name == server);
            let config = config.ok_or_else(|| no_such_server(&server))?;
            (config.command_digest(), shown(config))
        };
        if command_digest.as_deref() != Some(digest.as_str()) {
            return Err(Report::new(
                Code::Conflict,
                format!("the command of `{server}` is not the one that was shown"),
            )
            .cure("look at the command again, then approve it"));
        }
        let consent = Consent { server: server.clone(), digest, at_ms: self.now_ms(), actor: self.person() };
        self.journal()?.give_consent(consent, shown).await?;
        self.0.notices.tell(&[Topic::Fleet]);
        // Where nobody watches the fleet, whoever does next finds it in the journal.
        tell(self, Ask::ConsentGiven { server }).await;
        Ok(())
    }

    /// Gives consent to every command of `servers` on behalf of `actor`.
    pub(crate) async fn consent_to_all(&self, servers: &[ServerConfig], actor: Actor) -> Result<(), Report> {
        let commands = servers
            .iter()
            .filter_map(|config| Some((config.name.clone(), config.command_digest()?, shown(config))));
        let journal = self.journal()?;
        for (server, digest, shown) in commands {
            if !journal.consent(&server, &digest).await.map_err(store_report)? {
                let consent = Consent { server, digest, at_ms: self.now_ms(), actor: actor.clone() };
                journal.give_consent(consent, shown).await?;
            }
        }
        Ok(())
    }
}

/// What a person saw before saying yes: the command line and the names of its variables, never their values.
fn shown(config: &ServerConfig) -> serde_json::Value {
    let names: Vec<&String> = config.env.keys().collect();
    serde_json::json!({"argv": config.command_line(), "env_names": names, "cwd": config.cwd})
}

fn sorted(mut servers: Vec<ServerRowDto>) -> Vec<ServerRowDto> {
    servers.sort_by(|a, b| a.server.cmp(&b.server));
    servers
}

/// A store's error as an operator sees it.
pub(crate) fn store_report(error: att_mcp::StoreError) -> Report {
    let code = match error {
        att_mcp::StoreError::Unavailable(_) => Code::JournalUnavailable,
        att_mcp::StoreError::Damaged(_) => Code::JournalDamaged,
    };
    Report::new(code, error.to_string()).cure("see `att journal verify`")
}
