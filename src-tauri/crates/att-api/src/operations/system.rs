//! The home as a whole, events, and the journal.

use super::releases::stored;
use crate::convert;
use crate::dto::{EngineDto, EventDto, EventFilterDto, JournalVerifyDto, SafeModeDto, SystemDto};
use crate::engine_lock::{self, LEASE};
use crate::room::ControlRoom;
use att_bootstrap::store::{CycleStore as _, Lease};
use att_core::id::{CorrelationId, RequestId};
use att_core::{Code, Report};
use att_journal::{EventFilter, Problem};
use std::io::Write;
use std::path::Path;

/// The most events one answer holds.
const MAX_EVENTS: u32 = 1_000;

/// False for the row of a former holder, which stays until the next one, who has the lock already, writes its own.
fn is_held(lease: &Lease) -> bool {
    let given_back = lease.expires_at_ms <= lease.heartbeat_at_ms;
    let processes = Path::new("/proc");
    let gone = processes.join("self").exists() && !processes.join(lease.owner.pid.to_string()).exists();
    !given_back && !gone
}

impl ControlRoom {
    /// The frame of every view: home, engine, problems, safe mode.
    ///
    /// # Errors
    /// When the journal cannot be read any more.
    pub async fn system_status(&self) -> Result<SystemDto, Report> {
        let (safe_mode, open) = match self.journal() {
            Ok(journal) => (
                journal.safe_mode().await.map_err(stored)?,
                journal.open_interruptions().await.map_err(stored)?.len(),
            ),
            Err(_) => (None, 0),
        };
        Ok(SystemDto {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            home: self.0.home.root().display().to_string(),
            demo: self.0.home.is_demo(),
            engine: self.engine_owner().await,
            now_ms: self.now_ms(),
            config_problems: self.config_problems(),
            journal_problem: self.journal_problem(),
            safe_mode: safe_mode.filter(|mode| mode.active).map(|mode| SafeModeDto {
                reason: mode.reason.clone(),
                by: convert::actor_text(&mode.actor),
                since_ms: mode.at_ms,
            }),
            open_interruptions: convert::count(open as u64),
            acting_refused: self.0.home.acting_refused(),
        })
    }

    fn journal_problem(&self) -> Option<crate::dto::ErrorDto> {
        match self.journal() {
            Err(report) => Some(report.into()),
            Ok(journal) if journal.newer_schema().is_some() => Some(
                Report::new(
                    att_core::Code::JournalTooNew,
                    "this journal was written by a newer ATT: it is only read",
                )
                .cure("start the newer ATT, or set ATT_HOME to another folder")
                .into(),
            ),
            Ok(journal) if journal.is_read_only() => Some(
                Report::new(
                    att_core::Code::JournalUnavailable,
                    "the journal cannot be written: nothing is recorded",
                )
                .cure("make the journal and its folder writable for you and start ATT again")
                .into(),
            ),
            Ok(_) => None,
        }
    }

    pub(crate) async fn engine_owner(&self) -> EngineDto {
        let running = self.driver().await.is_some() || engine_lock::is_held(&self.0.home);
        let lease = match self.journal() {
            Ok(journal) if running => journal.lease(LEASE).await.ok().flatten().filter(is_held),
            _ => None,
        };
        EngineDto { running, pid: lease.as_ref().map(|l| l.owner.pid), face: lease.map(|l| l.owner.face) }
    }

    /// Events, newest first, at most 1,000.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn events_list(&self, filter: EventFilterDto) -> Result<Vec<EventDto>, Report> {
        let phase = filter.phase.map(|phase| {
            serde_json::from_value(serde_json::Value::String(phase.clone())).map_err(|_| {
                Report::new(Code::InvalidInput, format!("`{phase}` is no phase")).cure(
                    "one of initialize_start, initialize_success, initialize_failure, invoke_start, \
                     invoke_success, invoke_failure",
                )
            })
        });
        let filter = EventFilter {
            server: filter.server,
            kind: filter.kind,
            method: filter.method,
            request: filter.request_id.map(RequestId::from),
            phase: phase.transpose()?,
            correlation: filter.correlation_id.map(CorrelationId::from),
            since_ms: filter.since_ms,
            limit: Some(filter.limit.unwrap_or(200).min(MAX_EVENTS)),
            ..EventFilter::default()
        };
        Ok(self.journal()?.events(&filter).await?.iter().map(convert::fleet::event).collect())
    }

    /// Checks the audit chain from its first entry to the kept head.
    ///
    /// # Errors
    /// When the journal cannot be read at all. Damage is an answer, not an error.
    pub async fn journal_verify(&self) -> Result<JournalVerifyDto, Report> {
        let report = self.journal()?.verify().await?;
        let number = |value: i64| convert::count(u64::try_from(value).unwrap_or(0));
        Ok(JournalVerifyDto {
            ok: report.ok,
            entries: number(report.entries),
            head_sequence: number(report.head_sequence),
            head_hash: Some(report.head_hash.clone()).filter(|hash| !hash.is_empty()),
            first_bad_sequence: report.first_bad.as_ref().map(|bad| number(bad.sequence)),
            problem: report.first_bad.as_ref().map(|bad| {
                let cure = match bad.problem {
                    Problem::HeadMissing => {
                        "restore journal.head from a backup; without it nobody can tell whether entries were cut off"
                    }
                    _ => "keep the file as it is and compare it with a backup or an export",
                };
                format!("{}: {}; {cure}", convert::word(&bad.problem), bad.detail)
            }),
        })
    }

    /// Writes the audit chain as JSON lines. Answers how many.
    ///
    /// # Errors
    /// When the journal cannot be read or `out` not be written.
    pub async fn journal_export(&self, out: &mut (dyn Write + Send)) -> Result<u64, Report> {
        Ok(self.journal()?.export(out).await?)
    }
}
