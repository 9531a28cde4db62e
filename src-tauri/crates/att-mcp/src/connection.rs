//! One actor per server: it owns the server's state, its link and its process. Everyone else sends it messages.

mod actor;
mod keeping;
mod opening;
mod probing;
mod session;
mod watch;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use att_core::Clock;
use att_core::id::{CorrelationId, EventId, Randomness};
use att_core::secret::SecretStore;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch as tokio_watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::Schemas;
use crate::auth::Authorization;
use crate::calls::Calls;
use crate::child::StderrRing;
use crate::config::ServerConfig;
use crate::dial::HttpClients;
use crate::drift::Quarantine;
use crate::facets::{self, Input};
use crate::link::Link;
use crate::model::{BreakerState, Event, EventKind, Fault, ListKind, ServerState, Snapshot};
use crate::question::desk::Desk;
use crate::recorder::Recorder;
use crate::store::FleetStore;
use crate::target::KnownSecrets;
use crate::wire::disk::DiskLog;
use crate::wire::log::WireLog;

/// Points of latency kept per server.
const HISTORY: usize = 60;
/// Messages waiting for one actor, at most.
const MAILBOX: usize = 128;

/// How one probe or connect went: a point of the sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyPoint {
    /// When, Unix ms.
    pub at_ms: i64,
    /// How long it took; null when it failed.
    pub latency_ms: Option<i64>,
}

/// What all actors of a fleet share.
pub(crate) struct Shared {
    pub store: Arc<dyn FleetStore>,
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
    pub http: HttpClients,
    pub secrets: Arc<dyn SecretStore>,
    /// Where processes wait for each other.
    pub lock_dir: Option<PathBuf>,
    pub recorder: Recorder,
    /// The calls under way.
    pub calls: Arc<Calls>,
    /// Where servers' questions wait.
    pub desk: Arc<Desk>,
    /// Where wire logs go on disk, for the servers that want it.
    pub wire_disk: Option<DiskLog>,
    /// Compiled schemas of tools.
    pub schemas: Schemas,
    /// Limits probes over the whole fleet.
    pub probes: Arc<Semaphore>,
    /// Every process of the fleet.
    pub children: TaskTracker,
    /// Every actor of the fleet.
    pub actors: TaskTracker,
    /// Counts changes, so that a face knows when to look again.
    pub version: tokio_watch::Sender<u64>,
}

impl Shared {
    pub fn record(
        &self,
        server: &str,
        generation: u64,
        correlation: &CorrelationId,
        request_id: Option<att_core::id::RequestId>,
        kind: EventKind,
    ) {
        let at_ms = self.clock.now_ms();
        self.recorder.event(Event {
            id: EventId::mint(at_ms, &*self.randomness),
            server: server.to_owned(),
            generation,
            at_ms,
            correlation_id: correlation.clone(),
            request_id,
            kind,
        });
    }

    pub fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}

/// What others may ask of an actor.
pub(crate) enum Ask {
    /// Take this input, on behalf of whoever has this trace.
    Input { input: Input, correlation: CorrelationId },
    /// A usable link, connecting first if need be.
    Link { reply: oneshot::Sender<Result<Arc<Link>, Fault>>, correlation: CorrelationId },
    /// Drop the session and make one now.
    Renew { reply: oneshot::Sender<Result<Arc<Link>, Fault>>, correlation: CorrelationId },
    /// A call over the link of `generation` ended: with `fault` on the way, else with an answer.
    Called {
        generation: u64,
        fault: Option<Fault>,
        correlation: CorrelationId,
        reply: oneshot::Sender<BreakerState>,
    },
    /// A call found no link in its time.
    Unconnected { text: String, reply: oneshot::Sender<BreakerState> },
    /// Read the lists again.
    Refresh(oneshot::Sender<Result<(), Fault>>),
    /// The operator accepted a baseline or took it back; `consented` tells whether the command may run.
    BaselineChanged { consented: bool },
    /// Close everything and end.
    End(oneshot::Sender<()>),
}

/// One server as the fleet sees it.
pub(crate) struct Server {
    pub config: Arc<ServerConfig>,
    pub stderr: StderrRing,
    /// Values of its secrets, to be hidden in whatever it says.
    pub known: KnownSecrets,
    /// None where it has no URL.
    pub authorization: Option<Arc<Authorization>>,
    /// The page that waits for a person.
    pub page: Mutex<Option<CancellationToken>>,
    /// Every message of every connection.
    pub wire_log: Arc<WireLog>,
    mailbox: mpsc::Sender<Ask>,
    state: RwLock<ServerState>,
    link: RwLock<Option<Arc<Link>>>,
    history: Mutex<VecDeque<LatencyPoint>>,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    quarantine: RwLock<Arc<Quarantine>>,
}

impl Server {
    /// Starts the actor of `config`. It does nothing until [`Input::Start`] comes.
    pub fn start(config: ServerConfig, shared: &Arc<Shared>) -> Arc<Self> {
        let (mailbox, asks) = mpsc::channel(MAILBOX);
        let state = facets::initial(&config, shared.clock.now_ms());
        let config = Arc::new(config);
        let disk = shared.wire_disk.clone().filter(|_| config.settings.wire_log);
        let known = KnownSecrets::default();
        let wire_log = Arc::new(WireLog::new(&config.name, known.clone(), Arc::clone(&shared.clock), disk));
        let authorization = Authorization::of(
            &config,
            Arc::clone(&shared.secrets),
            known.clone(),
            Arc::clone(&shared.clock),
            shared.lock_dir.clone(),
        );
        let server = Arc::new(Self {
            config,
            authorization,
            page: Mutex::default(),
            wire_log,
            stderr: StderrRing::default(),
            known,
            mailbox,
            state: RwLock::new(state),
            link: RwLock::new(None),
            history: Mutex::default(),
            snapshot: RwLock::new(None),
            quarantine: RwLock::default(),
        });
        let actor = actor::Actor::new(Arc::clone(&server), Arc::clone(shared), asks);
        shared.actors.spawn(actor.run());
        server
    }

    pub fn state(&self) -> ServerState {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the state without copying it.
    pub fn with_state<T>(&self, look: impl FnOnce(&ServerState) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn generation(&self) -> u64 {
        self.with_state(|state| state.generation)
    }

    pub fn breaker(&self) -> BreakerState {
        self.with_state(|state| state.facets.breaker.state)
    }

    /// The link, if the server is ready and its session is not stale.
    pub fn link(&self) -> Option<Arc<Link>> {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner).clone();
        link.filter(|link| link.is_fresh(self.config.settings.session_window_ms))
    }

    pub fn history(&self) -> Vec<LatencyPoint> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Sends `ask`; false when the actor is gone.
    pub async fn ask(&self, ask: Ask) -> bool {
        self.mailbox.send(ask).await.is_ok()
    }

    /// The newest snapshot, if one was ever taken.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why drift policy forbids an item; none when it may be called.
    pub fn quarantined(&self, list: ListKind, key: &str) -> Option<String> {
        let quarantine = Arc::clone(&self.quarantine.read().unwrap_or_else(PoisonError::into_inner));
        quarantine.reason(list, key).map(str::to_owned)
    }

    fn set_quarantine(&self, quarantine: Quarantine) {
        *self.quarantine.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(quarantine);
    }

    fn set_snapshot(&self, snapshot: Arc<Snapshot>) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    fn keep_latency(&self, point: LatencyPoint) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.len() >= HISTORY {
            history.pop_front();
        }
        history.push_back(point);
    }

    fn set_state(&self, state: ServerState) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn set_link(&self, link: Option<Arc<Link>>) {
        *self.link.write().unwrap_or_else(PoisonError::into_inner) = link;
    }
}
