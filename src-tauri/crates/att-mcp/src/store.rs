//! What the fleet keeps, as a trait: the journal implements it with SQL, tests in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::model::{AttemptRecord, Baseline, Event, QuestionClosure, ServerState, Snapshot};
use crate::question::Question;

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The journal cannot be used now: locked, full, closed.
    #[error("the journal is not available: {0}")]
    Unavailable(String),
    /// What is stored cannot be read.
    #[error("the journal holds something that cannot be read: {0}")]
    Damaged(String),
}

/// Where the fleet keeps states, events, attempts, snapshots, and asks for consents.
///
/// Telemetry (`save_state`, `append_events`, `append_attempts`) may be queued; snapshots are durable when the
/// call returns. The fleet goes on when a call fails: it logs the failure and keeps the live state.
#[async_trait]
pub trait FleetStore: Send + Sync + 'static {
    /// Keeps `state` as the latest of its server.
    async fn save_state(&self, state: ServerState) -> Result<(), StoreError>;

    /// Forgets the live state of a server that is no longer configured. Its snapshots and events stay.
    async fn forget_state(&self, server: &str) -> Result<(), StoreError>;

    /// The latest state of every server, by name.
    async fn states(&self) -> Result<Vec<ServerState>, StoreError>;

    /// Appends events, in order.
    async fn append_events(&self, events: Vec<Event>) -> Result<(), StoreError>;

    /// Appends attempt records, in order.
    async fn append_attempts(&self, attempts: Vec<AttemptRecord>) -> Result<(), StoreError>;

    /// Keeps questions that were asked, and then how questions ended.
    async fn keep_questions(
        &self,
        asked: Vec<Question>,
        settled: Vec<QuestionClosure>,
    ) -> Result<(), StoreError>;

    /// Appends a snapshot. An id that exists already is left as it is.
    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Moves `last_seen_at_ms` of a snapshot forward.
    async fn touch_snapshot(&self, server: &str, id: &str, last_seen_at_ms: i64) -> Result<(), StoreError>;

    /// The newest snapshot of a server.
    async fn latest_snapshot(&self, server: &str) -> Result<Option<Snapshot>, StoreError>;

    /// One snapshot.
    async fn snapshot(&self, id: &str) -> Result<Option<Snapshot>, StoreError>;

    /// A server's snapshots, newest first, at most `limit`.
    async fn snapshots(&self, server: &str, limit: u32) -> Result<Vec<Snapshot>, StoreError>;

    /// The snapshot that the operator accepted as a server's surface.
    async fn baseline(&self, server: &str) -> Result<Option<Baseline>, StoreError>;

    /// Remembers that the operator switched a quarantined server on in spite of this surface.
    async fn release_surface(&self, server: &str, surface: &str) -> Result<(), StoreError>;

    /// True when the operator approved exactly this command digest for this server.
    async fn consent(&self, server: &str, command_digest: &str) -> Result<bool, StoreError>;
}

#[derive(Debug, Default)]
struct Kept {
    states: BTreeMap<String, ServerState>,
    events: Vec<Event>,
    attempts: Vec<AttemptRecord>,
    asked: Vec<Question>,
    settled: Vec<QuestionClosure>,
    snapshots: Vec<Snapshot>,
    baselines: BTreeMap<String, Baseline>,
    consents: BTreeSet<(String, String)>,
    consent_to_all: bool,
}

/// A store that lives and dies with its process: for `att check`, and for tests.
#[derive(Debug, Default)]
pub struct MemoryFleetStore(Mutex<Kept>);

impl MemoryFleetStore {
    /// An empty store without any consent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that consents to every command: a `--config F` typed on the command line is consent for that run.
    #[must_use]
    pub fn consenting() -> Self {
        let store = Self::default();
        store.kept().consent_to_all = true;
        store
    }

    /// Consents to one command of one server.
    pub fn give_consent(&self, server: &str, command_digest: &str) {
        self.kept().consents.insert((server.to_owned(), command_digest.to_owned()));
    }

    /// Accepts a baseline, in place of the one before.
    pub fn accept_baseline(&self, baseline: Baseline) {
        self.kept().baselines.insert(baseline.server.clone(), baseline);
    }

    /// All events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.kept().events.clone()
    }

    /// All attempts so far.
    #[must_use]
    pub fn attempts(&self) -> Vec<AttemptRecord> {
        self.kept().attempts.clone()
    }

    /// All questions so far, and how those that ended did.
    #[must_use]
    pub fn questions(&self) -> (Vec<Question>, Vec<QuestionClosure>) {
        let kept = self.kept();
        (kept.asked.clone(), kept.settled.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl FleetStore for MemoryFleetStore {
    async fn save_state(&self, state: ServerState) -> Result<(), StoreError> {
        self.kept().states.insert(state.server.clone(), state);
        Ok(())
    }

    async fn forget_state(&self, server: &str) -> Result<(), StoreError> {
        self.kept().states.remove(server);
        Ok(())
    }

    async fn states(&self) -> Result<Vec<ServerState>, StoreError> {
        Ok(self.kept().states.values().cloned().collect())
    }

    async fn append_events(&self, mut events: Vec<Event>) -> Result<(), StoreError> {
        self.kept().events.append(&mut events);
        Ok(())
    }

    async fn append_attempts(&self, mut attempts: Vec<AttemptRecord>) -> Result<(), StoreError> {
        self.kept().attempts.append(&mut attempts);
        Ok(())
    }

    async fn keep_questions(
        &self,
        mut asked: Vec<Question>,
        mut settled: Vec<QuestionClosure>,
    ) -> Result<(), StoreError> {
        let mut kept = self.kept();
        kept.asked.append(&mut asked);
        kept.settled.append(&mut settled);
        Ok(())
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let mut kept = self.kept();
        if !kept.snapshots.iter().any(|s| s.id == snapshot.id) {
            kept.snapshots.push(snapshot);
        }
        Ok(())
    }

    async fn touch_snapshot(&self, server: &str, id: &str, last_seen_at_ms: i64) -> Result<(), StoreError> {
        for snapshot in self.kept().snapshots.iter_mut().filter(|s| s.server == server && s.id == id) {
            snapshot.last_seen_at_ms = snapshot.last_seen_at_ms.max(last_seen_at_ms);
        }
        Ok(())
    }

    async fn latest_snapshot(&self, server: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.kept().snapshots.iter().rev().find(|s| s.server == server).cloned())
    }

    async fn snapshot(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.kept().snapshots.iter().find(|s| s.id == id).cloned())
    }

    async fn snapshots(&self, server: &str, limit: u32) -> Result<Vec<Snapshot>, StoreError> {
        let kept = self.kept();
        Ok(kept.snapshots.iter().rev().filter(|s| s.server == server).take(limit as usize).cloned().collect())
    }

    async fn baseline(&self, server: &str) -> Result<Option<Baseline>, StoreError> {
        Ok(self.kept().baselines.get(server).cloned())
    }

    async fn release_surface(&self, server: &str, surface: &str) -> Result<(), StoreError> {
        if let Some(baseline) = self.kept().baselines.get_mut(server) {
            baseline.released_surface = Some(surface.to_owned());
        }
        Ok(())
    }

    async fn consent(&self, server: &str, command_digest: &str) -> Result<bool, StoreError> {
        let kept = self.kept();
        Ok(kept.consent_to_all || kept.consents.contains(&(server.to_owned(), command_digest.to_owned())))
    }
}
