//! What an actor keeps of a server's surface: snapshots, and the events that tell of them.

use std::sync::Arc;

use super::actor::Actor;
use crate::diff::diff;
use crate::drift;
use crate::era::Verdict;
use crate::facets::{Input, Surface};
use crate::link::Link;
use crate::model::{AdminState, EventKind, Severity, Snapshot};
use crate::snapshot::{self, ReadLists};
use crate::store::StoreError;

/// Lists beyond this are hashed on a thread of their own.
const HEAVY_BYTES: usize = 128 * 1024;

impl Actor {
    pub(super) async fn listed(&mut self, generation: u64, lists: ReadLists) {
        let Some(standing) = self.standing_of(generation) else { return };
        standing.listing = false;
        let link = Arc::clone(&standing.link);
        let surface = self.keep_snapshot(&link, lists).await;
        self.apply(Input::SurfaceRead { generation, surface });
        for reply in self.refreshing.drain(..) {
            let _ = reply.send(Ok(()));
        }
    }

    /// The snapshot of an earlier run is the parent of the next one, and what a face shows until then.
    pub(super) async fn load_latest(&mut self) {
        if self.latest_loaded {
            return;
        }
        match self.shared.store.latest_snapshot(&self.state.server).await {
            Ok(latest) => {
                self.latest_loaded = true;
                self.load_baseline().await;
                if let Some(latest) = latest {
                    self.verdict = Verdict::remembered(Some(latest.era));
                    self.state.snapshot_id = Some(latest.id.clone());
                    // A quarantine outlives ATT: it stands before anything is connected.
                    self.judge(&latest, true);
                    self.keep_latest(latest);
                }
            }
            Err(error) => {
                tracing::warn!(server = %self.state.server, %error, "the last snapshot could not be read");
            }
        }
    }

    /// The operator's baseline, with its snapshot. One that cannot be read now is taken as it was.
    async fn load_baseline(&mut self) {
        let name = &self.state.server;
        let store = &self.shared.store;
        let loaded = match store.baseline(name).await {
            Ok(None) => Ok(None),
            Ok(Some(baseline)) => match store.snapshot(&baseline.snapshot_id).await {
                Ok(Some(accepted)) => Ok(Some((baseline, Arc::new(accepted)))),
                Ok(None) => Err(StoreError::Damaged(format!("snapshot {} is missing", baseline.snapshot_id))),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match loaded {
            Ok(baseline) => self.baseline = baseline,
            Err(error) => tracing::warn!(server = %name, %error, "the baseline could not be read"),
        }
    }

    /// Holds `snapshot` against the baseline. What is forbidden is so before the snapshot can be seen.
    fn judge(&mut self, snapshot: &Snapshot, consented: bool) {
        let Some((baseline, accepted)) = &self.baseline else {
            if self.state.baseline_id.is_some() {
                self.judged = drift::Verdict::default();
                self.tell_judged(None, consented);
            }
            return;
        };
        let policy = self.server.config.drift;
        let verdict = drift::judge(baseline, accepted, snapshot, policy, &self.judged, self.now_ms());
        let id = accepted.id.clone();
        self.judged = verdict;
        self.tell_judged(Some(id), consented);
    }

    fn tell_judged(&mut self, baseline_id: Option<String>, consented: bool) {
        self.server.set_quarantine(self.judged.items.clone());
        let drift = self.judged.drift.clone().map(Box::new);
        self.apply(Input::Judged { baseline_id, drift, quarantine: self.judged.server, consented });
    }

    /// The operator accepted another baseline, or took it back.
    pub(super) async fn baseline_changed(&mut self, consented: bool) {
        self.load_latest().await;
        self.load_baseline().await;
        if let Some(latest) = self.latest.clone() {
            self.judge(&latest, consented);
        }
    }

    /// The operator switches a quarantined server on: this surface is let be from now on.
    pub(super) async fn release(&mut self) {
        if self.state.facets.admin.state != AdminState::Quarantined {
            return;
        }
        let (Some((baseline, _)), Some(latest)) = (&mut self.baseline, &self.latest) else { return };
        baseline.released_surface = Some(latest.surface.clone());
        self.judged.server = false;
        let name = &self.state.server;
        if let Err(error) = self.shared.store.release_surface(name, &latest.surface).await {
            tracing::warn!(server = %name, %error, "that a quarantine was lifted was not kept");
        }
    }

    fn keep_latest(&mut self, latest: Snapshot) {
        let latest = Arc::new(latest);
        self.server.set_snapshot(Arc::clone(&latest));
        self.latest = Some(latest);
    }

    /// The snapshot of what was read, its tools marked where it is a new one.
    async fn take_snapshot(&self, link: &Link, lists: ReadLists, now_ms: i64) -> Snapshot {
        let (name, generation) = (self.state.server.clone(), link.generation);
        let (greeting, latest) = (link.greeting.clone(), self.latest.clone());
        let shared = Arc::clone(&self.shared);
        let is_heavy = lists.bytes() > HEAVY_BYTES;
        let take = move || {
            let mut taken = snapshot::take(&name, generation, &greeting, lists, latest.as_deref(), now_ms);
            if latest.is_none_or(|latest| latest.surface != taken.surface) {
                snapshot::mark_unusable(&mut taken, &shared.schemas);
            }
            taken
        };
        if !is_heavy {
            return take();
        }
        // Hashing megabytes that a server sent must not hold up the others on this thread.
        match tokio::task::spawn_blocking(take).await {
            Ok(taken) => taken,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and this task with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Keeps what was read: a new snapshot where the surface changed, a later `last_seen` where it did not.
    pub(super) async fn keep_snapshot(&mut self, link: &Link, lists: ReadLists) -> Surface {
        let name = self.state.server.clone();
        self.load_latest().await;
        let now_ms = self.now_ms();
        let taken = self.take_snapshot(link, lists, now_ms).await;
        let failed =
            taken.lists.failures().iter().map(|(kind, why)| format!("{}: {why}", kind.as_str())).collect();
        let mut surface = Surface { counts: taken.lists.counts(), failed, snapshot_id: None };
        if let Some(latest) = self.latest.clone().filter(|latest| latest.surface == taken.surface) {
            surface.snapshot_id = Some(latest.id.clone());
            self.keep_latest(Snapshot { last_seen_at_ms: now_ms, ..(*latest).clone() });
            if let Err(error) = self.shared.store.touch_snapshot(&name, &latest.id, now_ms).await {
                tracing::warn!(server = %name, %error, "a snapshot's last sight was not kept");
            }
            return surface;
        }
        surface.snapshot_id = Some(taken.id.clone());
        if let Err(error) = self.shared.store.put_snapshot(taken.clone()).await {
            tracing::warn!(server = %name, %error, "a snapshot was not kept");
        }
        let event = EventKind::SnapshotTaken { snapshot_id: taken.id.clone(), parent: taken.parent.clone() };
        self.record(link.generation, event);
        self.judge(&taken, true);
        if let Some((_, accepted)) = &self.baseline {
            if let Some(drift) = &self.judged.drift {
                let drift = EventKind::DriftFound {
                    snapshot_id: taken.id.clone(),
                    from: accepted.id.clone(),
                    severity: drift.severity,
                    changes: drift.changes,
                    summary: drift.summary.clone(),
                    baseline: true,
                };
                self.record(link.generation, drift);
            }
        } else if let Some(before) = &self.latest {
            let found = diff(before, &taken);
            let drift = EventKind::DriftFound {
                snapshot_id: taken.id.clone(),
                from: before.id.clone(),
                severity: found.severity.unwrap_or(Severity::Info),
                changes: found.count(),
                summary: found.headline(5),
                baseline: false,
            };
            self.record(link.generation, drift);
        }
        self.keep_latest(taken);
        surface
    }
}
