//! What a short connection keeps: nothing but its attempts, which go to the journal.

use async_trait::async_trait;
use att_journal::Journal;
use att_mcp::model::{AttemptRecord, Baseline, Event, QuestionClosure, ServerState, Snapshot};
use att_mcp::{FleetStore, MemoryFleetStore, Question, StoreError};

/// Consents from memory, attempts to the journal, everything else forgotten: live facets are not touched.
#[derive(Debug)]
pub(super) struct ShortStore {
    pub(super) consents: MemoryFleetStore,
    pub(super) attempts: Option<Journal>,
}

#[async_trait]
impl FleetStore for ShortStore {
    async fn save_state(&self, _state: ServerState) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget_state(&self, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn states(&self) -> Result<Vec<ServerState>, StoreError> {
        Ok(Vec::new())
    }

    async fn append_events(&self, _events: Vec<Event>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn append_attempts(&self, attempts: Vec<AttemptRecord>) -> Result<(), StoreError> {
        match &self.attempts {
            Some(journal) if !journal.is_read_only() => journal.append_attempts(attempts).await,
            _ => Ok(()),
        }
    }

    /// A question over a short connection is answered on its terminal; no inbox could answer it.
    async fn keep_questions(
        &self,
        _asked: Vec<Question>,
        _settled: Vec<QuestionClosure>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.consents.put_snapshot(snapshot).await
    }

    async fn touch_snapshot(&self, server: &str, id: &str, last_seen_at_ms: i64) -> Result<(), StoreError> {
        self.consents.touch_snapshot(server, id, last_seen_at_ms).await
    }

    async fn latest_snapshot(&self, server: &str) -> Result<Option<Snapshot>, StoreError> {
        self.consents.latest_snapshot(server).await
    }

    async fn snapshot(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        match (self.consents.snapshot(id).await?, &self.attempts) {
            (None, Some(journal)) => journal.snapshot(id).await,
            (found, _) => Ok(found),
        }
    }

    async fn snapshots(&self, server: &str, limit: u32) -> Result<Vec<Snapshot>, StoreError> {
        self.consents.snapshots(server, limit).await
    }

    /// What the operator accepted binds a short connection too.
    async fn baseline(&self, server: &str) -> Result<Option<Baseline>, StoreError> {
        match &self.attempts {
            Some(journal) => journal.baseline(server).await,
            None => Ok(None),
        }
    }

    async fn release_surface(&self, _server: &str, _surface: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn consent(&self, server: &str, command_digest: &str) -> Result<bool, StoreError> {
        self.consents.consent(server, command_digest).await
    }
}
