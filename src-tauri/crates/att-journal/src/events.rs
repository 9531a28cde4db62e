//! Asking for events and attempts: the filters of design 1.6.

use crate::error::JournalError;
use crate::fleet_rows::{readable_bodies, word};
use crate::journal::{Fault, Journal};
use att_core::id::{CorrelationId, EventId, RequestId};
use att_mcp::model::{AttemptRecord, Event, InvocationPhase};
use sqlx::{QueryBuilder, Sqlite};

/// How many rows come back when nothing is said.
const DEFAULT_LIMIT: u32 = 200;

/// Which events are wanted. What is not set does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this server.
    pub server: Option<String>,
    /// Of this kind, such as `HealthChanged`.
    pub kind: Option<String>,
    /// About this method, such as `tools/call`.
    pub method: Option<String>,
    /// Of this invocation.
    pub request: Option<RequestId>,
    /// Of this trace.
    pub correlation: Option<CorrelationId>,
    /// Of this phase.
    pub phase: Option<InvocationPhase>,
    /// At or after this time.
    pub since_ms: Option<i64>,
    /// Older than this event: the next page.
    pub before: Option<EventId>,
    /// At most so many. Default 200.
    pub limit: Option<u32>,
}

/// Which attempts are wanted. What is not set does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptFilter {
    /// Of this server.
    pub server: Option<String>,
    /// Of this invocation.
    pub request: Option<RequestId>,
    /// Of this trace.
    pub correlation: Option<CorrelationId>,
    /// At most so many. Default 200.
    pub limit: Option<u32>,
}

impl Journal {
    /// The events that fit, newest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, JournalError> {
        self.flush_before_reading().await;
        let phase = self.settle(filter.phase.as_ref().map(word).transpose())?;
        let mut query = QueryBuilder::new("SELECT body FROM event WHERE 1 = 1");
        narrow(
            &mut query,
            [
                ("request_id", filter.request.as_ref().map(RequestId::as_str)),
                ("correlation_id", filter.correlation.as_ref().map(CorrelationId::as_str)),
                ("server", filter.server.as_deref()),
                ("phase", phase.as_deref()),
                ("method", filter.method.as_deref()),
                ("kind", filter.kind.as_deref()),
            ],
        );
        if let Some(since_ms) = filter.since_ms {
            query.push(" AND at_ms >= ").push_bind(since_ms);
        }
        if let Some(before) = &filter.before {
            query.push(" AND (at_ms, seq) < (SELECT at_ms, seq FROM event WHERE id = ");
            query.push_bind(before.as_str().to_owned()).push(")");
        }
        query.push(" ORDER BY at_ms DESC, seq DESC LIMIT ").push_bind(filter.limit.unwrap_or(DEFAULT_LIMIT));
        let rows = query.build().fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| readable_bodies(&rows)))
    }

    /// The attempts that fit, newest invocation first, the attempts of one invocation in their order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn attempts(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRecord>, JournalError> {
        self.flush_before_reading().await;
        let mut query = QueryBuilder::new("SELECT body FROM attempt WHERE 1 = 1");
        narrow(
            &mut query,
            [
                ("request_id", filter.request.as_ref().map(RequestId::as_str)),
                ("correlation_id", filter.correlation.as_ref().map(CorrelationId::as_str)),
                ("server", filter.server.as_deref()),
            ],
        );
        let newest =
            if filter.request.is_some() { " ORDER BY place LIMIT " } else { " ORDER BY seq DESC LIMIT " };
        query.push(newest).push_bind(filter.limit.unwrap_or(DEFAULT_LIMIT));
        let rows = query.build().fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| readable_bodies(&rows)))
    }

    /// Makes sure that a read sees what this process has queued; a failure to write is no failure to read.
    pub(crate) async fn flush_before_reading(&self) {
        if !self.is_read_only()
            && let Err(error) = self.flush().await
        {
            tracing::debug!(%error, "reading without the newest telemetry");
        }
    }
}

/// Adds `column = value` for what is set, the most telling column first. Only the first may choose the index
/// (a `+` keeps the others out of it): without statistics SQLite would take any of them.
fn narrow<'f>(
    query: &mut QueryBuilder<Sqlite>,
    wanted: impl IntoIterator<Item = (&'static str, Option<&'f str>)>,
) {
    let set = wanted.into_iter().filter_map(|(column, value)| Some((column, value?)));
    for (index, (column, value)) in set.enumerate() {
        query.push(if index == 0 { " AND " } else { " AND +" }).push(column).push(" = ");
        query.push_bind(value.to_owned());
    }
}
