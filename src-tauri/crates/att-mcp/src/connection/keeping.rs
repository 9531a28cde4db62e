//! What an actor keeps of a server's surface: snapshots, and the events that tell of them.

use std::sync::Arc;

use super::actor::Actor;
use crate::diff::diff;
use crate::era::Verdict;
use crate::facets::{Input, Surface};
use crate::link::Link;
use crate::model::{EventKind, Severity, Snapshot};
use crate::snapshot::{self, ReadLists};

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
                if let Some(latest) = latest {
                    self.verdict = Verdict::remembered(Some(latest.era));
                    self.state.snapshot_id = Some(latest.id.clone());
                    self.keep_latest(latest);
                }
            }
            Err(error) => {
                tracing::warn!(server = %self.state.server, %error, "the last snapshot could not be read");
            }
        }
    }

    fn keep_latest(&mut self, latest: Snapshot) {
        let latest = Arc::new(latest);
        self.server.set_snapshot(Arc::clone(&latest));
        self.latest = Some(latest);
    }

    /// Keeps what was read: a new snapshot where the surface changed, a later `last_seen` where it did not.
    pub(super) async fn keep_snapshot(&mut self, link: &Link, lists: ReadLists) -> Surface {
        let name = self.state.server.clone();
        self.load_latest().await;
        let now_ms = self.now_ms();
        let mut taken =
            snapshot::take(&name, link.generation, &link.greeting, lists, self.latest.as_deref(), now_ms);
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
        snapshot::mark_unusable(&mut taken, &self.shared.schemas);
        surface.snapshot_id = Some(taken.id.clone());
        if let Err(error) = self.shared.store.put_snapshot(taken.clone()).await {
            tracing::warn!(server = %name, %error, "a snapshot was not kept");
        }
        let event = EventKind::SnapshotTaken { snapshot_id: taken.id.clone(), parent: taken.parent.clone() };
        self.record(link.generation, event);
        if let Some(before) = &self.latest {
            let found = diff(before, &taken);
            let drift = EventKind::DriftFound {
                snapshot_id: taken.id.clone(),
                from: before.id.clone(),
                severity: found.severity.unwrap_or(Severity::Info),
                changes: found.count(),
                summary: found.headline(5),
            };
            self.record(link.generation, drift);
        }
        self.keep_latest(taken);
        surface
    }
}
