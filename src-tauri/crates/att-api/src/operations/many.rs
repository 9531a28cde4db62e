//! What is asked of many servers at once, and sessions.

use super::fleet::store_report;
use crate::convert::fleet::server_row;
use crate::dto::{CheckDto, SessionDto};
use crate::requests::{Ask, answer_to, fulfil, no_such_server};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::ManyAnswer;
use att_mcp::model::Session;
use att_mcp::{Fleet, FleetStore as _};
use serde_json::Value;

/// Most names in one question.
const MOST_NAMES: usize = 1_000;

impl ControlRoom {
    /// Connects these servers (all enabled ones, when there is no name) now, without waiting for their next attempts,
    /// and waits for them, at most two minutes. `partial` where some failed.
    ///
    /// # Errors
    /// When a name is not configured or nothing watches the fleet.
    pub async fn fleet_connect_all(&self, servers: Vec<String>) -> Result<CheckDto, Report> {
        self.may_act()?;
        read(answer_to(self, Ask::ConnectAll { servers: bounded(servers)? }).await?)
    }

    /// Reads the lists of these servers (of all enabled ones, when there is no name) again, and waits for them, at most
    /// two minutes. `partial` where some failed.
    ///
    /// # Errors
    /// As [`ControlRoom::fleet_connect_all`].
    pub async fn fleet_refresh_all(&self, servers: Vec<String>) -> Result<CheckDto, Report> {
        self.may_act()?;
        read(answer_to(self, Ask::RefreshAll { servers: bounded(servers)? }).await?)
    }

    /// The session of every server, by name.
    ///
    /// # Errors
    /// When nobody watches here and the journal cannot be read.
    pub async fn sessions(&self) -> Result<Vec<SessionDto>, Report> {
        if let Some(fleet) = self.driver().await.as_ref().and_then(|driver| driver.fleet()) {
            return Ok(fleet.sessions().iter().map(session).collect());
        }
        let windows: std::collections::BTreeMap<String, i64> = self
            .configuration()
            .servers
            .iter()
            .map(|config| (config.name.clone(), config.settings.session_window_ms))
            .collect();
        let default = att_mcp::config::Settings::default().session_window_ms;
        let states = self.journal()?.states().await.map_err(store_report)?;
        let now_ms = self.now_ms();
        let each = states.iter().map(|state| {
            let window = windows.get(&state.server).copied().unwrap_or(default);
            session(&Session::of(state, window, now_ms))
        });
        Ok(each.collect())
    }

    /// Drops a server's session once its calls ended; its next use makes a new one. No other server is touched.
    ///
    /// # Errors
    /// When there is no such server or nothing watches the fleet.
    pub async fn session_invalidate(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::InvalidateSession { server }).await
    }

    /// Drops a server's session and makes one now. No other server is touched.
    ///
    /// # Errors
    /// When that fails, there is no such server, or nothing watches the fleet.
    pub async fn session_refresh(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::RefreshSession { server }).await
    }
}

/// What came of it, as rows: those that did it and those that did not.
pub(crate) fn answer(room: &ControlRoom, fleet: &Fleet, many: &ManyAnswer) -> Result<Value, Report> {
    let mut check = CheckDto {
        status: many.status().to_owned(),
        results: Vec::new(),
        failures: Vec::new(),
        problems: Vec::new(),
    };
    for (server, outcome) in &many.servers {
        let state = fleet.server(server).ok_or_else(|| no_such_server(server))?;
        let mut row = match outcome {
            Ok(()) => room.live_row(fleet, &state),
            Err(_) => server_row(&state, Vec::new(), false),
        };
        match outcome {
            Ok(()) => check.results.push(row),
            Err(fault) => {
                row.error = Some(fault.message.clone());
                row.error_code = Some(fault.code.clone());
                check.failures.push(row);
            }
        }
    }
    serde_json::to_value(check).map_err(|error| Report::new(Code::Internal, error.to_string()))
}

fn read(answer: Value) -> Result<CheckDto, Report> {
    serde_json::from_value(answer).map_err(|error| {
        Report::new(Code::Internal, "the answer of the process that watches the fleet is not understood")
            .cause(error.to_string())
            .cure("run the same version of ATT everywhere")
    })
}

fn bounded(servers: Vec<String>) -> Result<Vec<String>, Report> {
    if servers.len() > MOST_NAMES {
        return Err(Report::new(Code::InvalidInput, format!("more than {MOST_NAMES} servers are named"))
            .cure("name none: all are meant then"));
    }
    Ok(servers)
}

fn session(session: &Session) -> SessionDto {
    SessionDto {
        server: session.server.clone(),
        generation: u32::try_from(session.generation).unwrap_or(u32::MAX),
        active: session.active,
        initialized: session.initialized,
        last_activity_at_ms: session.last_activity_at_ms,
        freshness: session.freshness.as_str().to_owned(),
    }
}
