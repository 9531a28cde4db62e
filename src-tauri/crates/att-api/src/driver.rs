//! What the one process that holds the engine lock does: the fleet, the cycles, the requests of the others.

use crate::dto::Topic;
use crate::engine_lock::{EngineLock, LEASE, LEASE_TTL_MS};
use crate::room::{ControlRoom, Drive};
use att_bootstrap::engine::Engine;
use att_bootstrap::store::{CycleStore as _, LeaseFence, LeaseOwner};
use att_mcp::{Fleet, FleetDeps, FleetStore, MemoryFleetStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often the lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the engine waits at most before it looks for due timers again.
const ENGINE_LOOK: Duration = Duration::from_secs(1);

/// How long an answered request is kept for its asker; then it is forgotten, so that they do not pile up.
const REQUESTS_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// The driving part of a control room.
pub(crate) struct Driver {
    _lock: Option<EngineLock>,
    fence: Option<LeaseFence>,
    engine: Option<Engine>,
    fleet: Option<Fleet>,
    wake: Arc<Notify>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("fence", &self.fence).finish_non_exhaustive()
    }
}

impl Driver {
    /// Starts driving. `None` when the lease could not be had.
    pub(crate) async fn start(room: &ControlRoom, lock: Option<EngineLock>, drive: Drive) -> Option<Self> {
        let stop = CancellationToken::new();
        let wake = Arc::new(Notify::new());
        let (mut fence, mut engine) = (None, None);
        if let Ok(journal) = room.journal()
            && !journal.is_read_only()
        {
            let lease = take_lease(room, journal).await?;
            if let Err(error) = journal.return_requests(lease.epoch).await {
                tracing::warn!(%error, "requests of an earlier driver were not returned");
            }
            if let Err(error) = journal.forget_requests(room.now_ms() - REQUESTS_KEPT_MS).await {
                tracing::warn!(%error, "requests answered long ago were not forgotten");
            }
            let driving = room.new_engine(journal, Some(lease.clone()));
            room.spawn(heartbeat(room.clone(), lease.clone(), stop.clone()));
            room.spawn(tell_news(room.clone(), driving.clone()));
            room.spawn(drive_cycles(driving.clone(), Arc::clone(&wake), stop.clone()));
            (fence, engine) = (Some(lease), Some(driving));
        }
        let fleet = if drive == Drive::FleetAndCycles { start_fleet(room, &stop).await } else { None };
        Some(Self { _lock: lock, fence, engine, fleet, wake, stop })
    }

    /// The live fleet.
    pub(crate) fn fleet(&self) -> Option<&Fleet> {
        self.fleet.as_ref()
    }

    /// The engine that drives.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Somebody wrote to the journal: take requests, look for cycles.
    pub(crate) async fn look(&self, room: &ControlRoom) {
        self.wake.notify_one();
        if let Some(fence) = &self.fence {
            crate::requests::take_all(room, self, fence.epoch).await;
        }
    }

    /// Looks for work in the cycles at once.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the fleet with all its children, then gives the lease and the lock back.
    pub(crate) async fn stop(self, room: &ControlRoom) {
        self.stop.cancel();
        if let Some(fleet) = &self.fleet {
            fleet.shutdown().await;
        }
        if let (Some(fence), Ok(journal)) = (&self.fence, room.journal())
            && let Err(error) = journal.release_lease(fence, room.now_ms()).await
        {
            tracing::warn!(%error, "the lease was not given back");
        }
    }
}

async fn take_lease(room: &ControlRoom, journal: &att_journal::Journal) -> Option<LeaseFence> {
    let owner = LeaseOwner {
        pid: std::process::id(),
        face: crate::convert::word(&room.0.face),
        host: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
    };
    // The file lock is held, so whoever the row names is gone.
    match journal.acquire_lease(LEASE, &owner, room.now_ms(), LEASE_TTL_MS, true).await {
        Ok(Some(lease)) => Some(LeaseFence { name: lease.name, epoch: lease.epoch }),
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(%error, "the lease was not taken");
            None
        }
    }
}

async fn start_fleet(room: &ControlRoom, stop: &CancellationToken) -> Option<Fleet> {
    let store: Arc<dyn FleetStore> = match room.journal() {
        Ok(journal) if !journal.is_read_only() => Arc::new(journal.clone()),
        _ => Arc::new(MemoryFleetStore::new()),
    };
    let deps = FleetDeps {
        secrets: Arc::clone(&room.0.secrets),
        probes_at_once: room.configuration().global.probes_at_once,
        lock_dir: Some(room.0.home.run()),
        wire_log: Some(room.0.home.wire_logs()),
        ..FleetDeps::new(store, Arc::clone(&room.0.clock), Arc::clone(&room.0.randomness))
    };
    if let Ok(journal) = room.journal()
        && !journal.is_read_only()
        && let Err(error) =
            journal.close_left_questions(att_core::Actor::engine(std::process::id()), room.now_ms()).await
    {
        tracing::warn!(%error, "questions of an earlier run stay in the inbox");
    }
    let servers = room.configuration().servers.clone();
    let fleet = match Fleet::start(deps, servers).await {
        Ok(fleet) => fleet,
        Err(error) => {
            tracing::error!(%error, "the fleet cannot be watched");
            return None;
        }
    };
    let (mut news, mut asked) = (fleet.subscribe(), fleet.watch_questions());
    let (room, stop) = (room.clone(), stop.clone());
    room.clone().spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = asked.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    room.0.notices.tell(&[Topic::Decisions]);
                    continue;
                }
                changed = news.changed() => if changed.is_err() { return },
            }
            room.0.notices.tell(&[Topic::Fleet, Topic::Snapshots, Topic::Events]);
        }
    });
    Some(fleet)
}

async fn heartbeat(room: ControlRoom, fence: LeaseFence, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let Ok(journal) = room.journal() else { return };
        match journal.renew_lease(&fence, room.now_ms(), LEASE_TTL_MS).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("the lease of the engine was lost; nothing more is written by this process")
            }
            Err(error) => tracing::warn!(%error, "the lease was not renewed"),
        }
    }
}

/// Tells the faces what the engine changed.
async fn tell_news(room: ControlRoom, engine: Engine) {
    use tokio::sync::broadcast::error::RecvError;
    let mut news = engine.notices();
    let mut lines = engine.world().lines();
    loop {
        let changed: &[Topic] = tokio::select! {
            notice = news.recv() => match notice {
                Ok(_) | Err(RecvError::Lagged(_)) => &[Topic::Releases, Topic::Decisions, Topic::System],
                Err(RecvError::Closed) => return,
            },
            line = lines.recv() => match line {
                Ok(_) | Err(RecvError::Lagged(_)) => &[Topic::Output],
                Err(RecvError::Closed) => return,
            },
        };
        room.0.notices.tell(changed);
    }
}

/// Drives every live cycle, side by side, whenever there may be something to do. One that is being driven already
/// is left to its driver, so a long one keeps no other waiting.
async fn drive_cycles(engine: Engine, wake: Arc<Notify>, stop: CancellationToken) {
    let mut driven = tokio::task::JoinSet::new();
    loop {
        match engine.store().live_cycles().await {
            Ok(cycles) => {
                for cycle in cycles {
                    let (engine, stop) = (engine.clone(), stop.clone());
                    driven.spawn(async move { (engine.drive(&cycle.id, &stop).await, cycle.id) });
                }
            }
            Err(error) => tracing::error!(%error, "the live cycles cannot be read; it is tried again"),
        }
        let tick = tokio::time::sleep(ENGINE_LOOK);
        tokio::pin!(tick);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.notified() => break,
                () = &mut tick => break,
                Some(ended) = driven.join_next() => {
                    if let Ok((Err(error), cycle)) = ended {
                        tracing::error!(%error, %cycle, "driving a cycle failed; it is tried again");
                    }
                }
            }
        }
    }
}
