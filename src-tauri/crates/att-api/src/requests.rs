//! What a face that does not drive asks of the one that does, over rows of the journal.

use crate::driver::Driver;
use crate::once::fleet_report;
use crate::operations::many;
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_journal::{NewRequest, RequestRow, RequestState};
use att_mcp::Fleet;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How long the asker waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same for what may take as long as the slowest server does.
const LONG_PATIENCE: Duration = Duration::from_secs(150);
/// How often it looks for it.
const LOOK: Duration = Duration::from_millis(100);

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Ask {
    /// Try to connect now.
    Retry { server: String },
    /// Switch a server on or off.
    SetEnabled { server: String, enabled: bool },
    /// Take a new snapshot.
    Refresh { server: String },
    /// The operator approved the command of a server; the consent is in the journal already.
    ConsentGiven { server: String },
    /// The operator took the consent back; it is gone from the journal already.
    ConsentWithdrawn { server: String },
    /// A kept secret was set or removed.
    SecretChanged { name: String },
    /// Throw a server's token away.
    ForgetAuthorization { server: String },
    /// A baseline was accepted or cleared; the journal holds it already.
    BaselineChanged { server: String },
    /// Connect these servers, or all, now.
    ConnectAll { servers: Vec<String> },
    /// Read the lists of these servers, or of all, again.
    RefreshAll { servers: Vec<String> },
    /// Drop a server's session; its next use makes a new one.
    InvalidateSession { server: String },
    /// Drop a server's session and make one now.
    RefreshSession { server: String },
    /// A person answered a server's question; what they said lies on the slip.
    AnswerQuestion { question: String, slip: String, by: att_core::Actor },
    /// Read `mcp.json` again.
    Reload,
}

impl Ask {
    fn kind(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::SetEnabled { .. } => "set_enabled",
            Self::Refresh { .. } => "refresh",
            Self::ConsentGiven { .. } => "consent_given",
            Self::ConsentWithdrawn { .. } => "consent_withdrawn",
            Self::SecretChanged { .. } => "secret_changed",
            Self::ForgetAuthorization { .. } => "forget_authorization",
            Self::BaselineChanged { .. } => "baseline_changed",
            Self::ConnectAll { .. } => "connect_all",
            Self::RefreshAll { .. } => "refresh_all",
            Self::InvalidateSession { .. } => "invalidate_session",
            Self::RefreshSession { .. } => "refresh_session",
            Self::AnswerQuestion { .. } => "answer_question",
            Self::Reload => "reload",
        }
    }

    /// True for what may take as long as the slowest server does.
    fn is_long(&self) -> bool {
        matches!(self, Self::ConnectAll { .. } | Self::RefreshAll { .. } | Self::RefreshSession { .. })
    }

    /// How long the asker waits.
    fn patience(&self) -> Duration {
        if self.is_long() { LONG_PATIENCE } else { PATIENCE }
    }
}

/// Does `ask` here when this process drives the fleet, else asks whoever does.
pub(crate) async fn fulfil(room: &ControlRoom, ask: Ask) -> Result<(), Report> {
    answer_to(room, ask).await.map(drop)
}

/// As [`fulfil`], for what has an answer.
pub(crate) async fn answer_to(room: &ControlRoom, ask: Ask) -> Result<Value, Report> {
    let here = room.driver().await.as_ref().and_then(|driver| driver.fleet().cloned());
    if let Some(fleet) = here {
        return carry_out(room, &fleet, &ask).await;
    }
    if !crate::engine_lock::is_held(&room.0.home) {
        return Err(Report::new(Code::Conflict, "nothing watches the fleet now")
            .cure("open the desktop or run `att watch`, then try again"));
    }
    ask_driver(room, &ask).await
}

/// Does `ask` where somebody watches the fleet; where nobody does, or that one is busy, there is nothing to tell.
pub(crate) async fn tell(room: &ControlRoom, ask: Ask) {
    if let Err(report) = fulfil(room, ask).await {
        tracing::debug!(%report, "nobody was told");
    }
}

async fn ask_driver(room: &ControlRoom, ask: &Ask) -> Result<Value, Report> {
    let journal = room.journal()?;
    let id = format!("{:032x}", room.0.randomness.bits());
    let body = serde_json::to_value(ask).map_err(|error| Report::new(Code::Internal, error.to_string()))?;
    let request = NewRequest {
        id: id.clone(),
        kind: ask.kind().into(),
        body,
        actor: room.person(),
        at_ms: room.now_ms(),
    };
    journal.ask(request).await?;
    let answered = tokio::time::timeout(ask.patience(), async {
        loop {
            tokio::time::sleep(LOOK).await;
            match journal.request(&id).await? {
                Some(row) if row.state == RequestState::Done => return Ok(row.answer.unwrap_or_default()),
                Some(row) if row.state == RequestState::Refused => {
                    let report = row.answer.and_then(|answer| serde_json::from_value::<Report>(answer).ok());
                    return Err(report.unwrap_or_else(|| Report::new(Code::Denied, "the driver refused")));
                }
                _ => {}
            }
        }
    });
    answered.await.unwrap_or_else(|_| {
        let text =
            format!("the process that watches the fleet did not answer in {} s", ask.patience().as_secs());
        Err(Report::new(Code::TimedOut, text)
            .cure("see whether it hangs; what was asked is still done when it looks"))
    })
}

/// Takes and answers every pending request.
pub(crate) async fn take_all(room: &ControlRoom, driver: &Driver, epoch: u64) {
    let Ok(journal) = room.journal() else { return };
    loop {
        let row = match journal.take_request(epoch, room.now_ms()).await {
            Ok(Some(row)) => row,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "requests cannot be taken");
                return;
            }
        };
        let fleet = driver.fleet().cloned();
        let ask = serde_json::from_value::<Ask>(row.body.clone());
        // One slow server must not keep the next request waiting.
        if ask.as_ref().is_ok_and(Ask::is_long) {
            let worker = room.clone();
            room.spawn(async move { take(&worker, fleet.as_ref(), &row, epoch).await });
        } else {
            take(room, fleet.as_ref(), &row, epoch).await;
        }
    }
}

async fn take(room: &ControlRoom, fleet: Option<&Fleet>, row: &RequestRow, epoch: u64) {
    let Ok(journal) = room.journal() else { return };
    let (state, answer) = match answer(room, fleet, row).await {
        Ok(answer) => (RequestState::Done, answer),
        Err(report) => (RequestState::Refused, serde_json::to_value(report).unwrap_or_default()),
    };
    if let Err(error) = journal.answer_request(&row.id, epoch, state, answer, room.now_ms()).await {
        tracing::warn!(%error, "a request was not answered");
    }
}

async fn answer(room: &ControlRoom, fleet: Option<&Fleet>, row: &RequestRow) -> Result<Value, Report> {
    let ask: Ask = serde_json::from_value(row.body.clone()).map_err(|error| {
        Report::new(Code::InvalidInput, "the request is not understood").cause(error.to_string())
    })?;
    let fleet = fleet.ok_or_else(|| {
        Report::new(Code::Conflict, "nothing watches the fleet now")
            .cure("open the desktop or run `att watch`")
    })?;
    carry_out(room, fleet, &ask).await
}

async fn carry_out(room: &ControlRoom, fleet: &Fleet, ask: &Ask) -> Result<Value, Report> {
    match ask {
        Ask::Retry { server } => {
            fleet.retry_now(server).await.map_err(fleet_report)?;
        }
        Ask::SetEnabled { server, enabled } => {
            fleet.set_enabled(server, *enabled).await.map_err(fleet_report)?;
        }
        Ask::Refresh { server } => {
            fleet.refresh(server).await.map_err(fleet_report)?;
        }
        Ask::ConsentGiven { server } => {
            fleet.consent_given(server).await.map_err(fleet_report)?;
        }
        Ask::ConsentWithdrawn { server } => {
            let servers = room.configuration().servers.clone();
            // Ended with its process, then taken in again as one that waits for consent.
            fleet.reload(servers.iter().filter(|known| &known.name != server).cloned().collect()).await;
            fleet.reload(servers).await;
        }
        Ask::ForgetAuthorization { server } => {
            fleet.forget_authorization(server).await.map_err(fleet_report)?;
        }
        Ask::SecretChanged { name } => {
            fleet.secret_changed(name).await;
        }
        Ask::BaselineChanged { server } => {
            fleet.baseline_changed(server).await.map_err(fleet_report)?;
        }
        Ask::ConnectAll { servers } => {
            return many::answer(room, fleet, &fleet.connect_all(servers).await.map_err(fleet_report)?);
        }
        Ask::RefreshAll { servers } => {
            return many::answer(room, fleet, &fleet.refresh_all(servers).await.map_err(fleet_report)?);
        }
        Ask::InvalidateSession { server } => {
            fleet.invalidate_session(server).await.map_err(fleet_report)?;
        }
        Ask::RefreshSession { server } => {
            fleet.refresh_session(server).await.map_err(fleet_report)?;
        }
        Ask::AnswerQuestion { question, slip, by } => {
            crate::operations::questions::deliver(room, fleet, question, slip, by)?;
        }
        Ask::Reload => {
            room.read_configuration();
            let servers = room.configuration().servers.clone();
            fleet.reload(servers).await;
            room.0.notices.tell(&[crate::dto::Topic::System, crate::dto::Topic::Fleet]);
        }
    }
    Ok(Value::Null)
}

/// The answer for a server that is not configured.
pub(crate) fn no_such_server(server: &str) -> Report {
    Report::new(Code::NotFound, format!("there is no server `{server}`"))
        .cure("see `att servers` for the names, or add it to mcp.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;
    use att_journal::{Journal, OpenOptions};

    #[tokio::test]
    async fn a_driver_forgets_what_was_answered_long_ago_and_keeps_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        let journal = Journal::open(home.root(), OpenOptions::default()).await.unwrap();
        let now_ms = att_core::Clock::now_ms(&att_core::SystemClock);
        for (id, at_ms) in [("old", 1), ("new", now_ms)] {
            let actor = att_core::Actor::person("ann", Face::Cli, 1);
            let body = serde_json::json!({"ask": "reload"});
            journal
                .ask(NewRequest { id: id.into(), kind: "reload".into(), body, actor, at_ms })
                .await
                .unwrap();
            let taken = journal.take_request(1, at_ms).await.unwrap().unwrap();
            let answer = serde_json::Value::Null;
            assert!(journal.answer_request(&taken.id, 1, RequestState::Done, answer, at_ms).await.unwrap());
        }
        let room = ControlRoom::open(home, Face::Cli, Drive::Cycles).await;
        let left = (journal.request("old").await.unwrap(), journal.request("new").await.unwrap());
        room.close().await;
        journal.close().await;
        assert!(left.0.is_none() && left.1.is_some(), "{left:?}");
    }
}
