//! An attempt begins, and what stands once it worked.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::actor::{Actor, News, Standing};
use super::{LatencyPoint, watch};
use crate::dial::{Dial, Opened};
use crate::facets::Input;
use crate::model::AdminState;

impl Actor {
    pub(super) async fn opened(&mut self, opened: Opened) {
        let Opened { link, client, process, lists, connect_ms, latency_ms } = opened;
        let generation = link.generation;
        let transport = link.greeting.transport.unwrap_or_else(|| self.server.config.transport());
        self.verdict.succeeded(link.greeting.era, transport);
        let link = Arc::new(link);
        let watchers = watch::watch(
            &link,
            &client,
            [process.as_ref(), self.started.as_ref()],
            &self.server.stderr,
            &self.tell,
        );
        let surface = self.keep_snapshot(&link, lists).await;
        if self.state.facets.admin.state != AdminState::Enabled {
            // Drift policy forbids what was just read: nothing of this connection is used.
            self.shared.children.spawn(async move { link.close().await });
            return;
        }
        let now = Instant::now();
        self.standing = Some(Standing {
            link: Arc::clone(&link),
            _process: process,
            _watchers: watchers,
            listening: false,
            listed_at: now,
            probe_at: None,
            changed_at: None,
            relist_at: now + self.jittered(self.server.config.settings.snapshot_interval_ms),
            probing: false,
            listing: false,
            work: JoinSet::new(),
        });
        self.server.set_link(Some(Arc::clone(&link)));
        self.server.keep_latency(LatencyPoint { at_ms: self.now_ms(), latency_ms: Some(connect_ms) });
        self.apply(Input::Ready { generation, connect_ms, latency_ms, surface });
        self.plan_probe();
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Ok(Arc::clone(&link)));
        }
    }

    pub(super) fn connect(&mut self, generation: u64) {
        self.retry_at = None;
        let dial = Dial {
            config: Arc::clone(&self.server.config),
            generation,
            clock: Arc::clone(&self.shared.clock),
            desk: Arc::clone(&self.shared.desk),
            randomness: Arc::clone(&self.shared.randomness),
            wire_log: Arc::clone(&self.server.wire_log),
            met: self.verdict.met(),
            http: self.shared.http.clone(),
            secrets: Arc::clone(&self.shared.secrets),
            authorization: self.server.authorization.clone(),
            known: self.server.known.clone(),
            children: self.shared.children.clone(),
            stderr: self.stderr.clone(),
            stderr_ring: self.server.stderr.clone(),
            started: self.started.take(),
        };
        let tell = self.tell.clone();
        self.attempt = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let (outcome, started) = dial
                .run(|progress| {
                    let _ = tell.try_send(News::Progress { generation, progress });
                })
                .await;
            let outcome = outcome.map(Box::new);
            let _ = tell.send(News::Attempted { generation, outcome, started }).await;
        })));
    }
}
