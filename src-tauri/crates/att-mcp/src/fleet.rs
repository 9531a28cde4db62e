//! The fleet: every configured server under one handle.

mod authorize;
mod many;
mod questions;
mod sessions;
mod wake;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use att_core::Clock;
use att_core::id::{CorrelationId, Randomness, RequestId};
use att_core::secret::{MemorySecrets, SecretStore};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::Schemas;
use crate::calls::{CallUnderWay, Calls};
use crate::config::ServerConfig;
use crate::connection::{Ask, LatencyPoint, Server, Shared};
use crate::dial::HttpClients;
use crate::facets::Input;
use crate::invoke::{self, InvokeAnswer, InvokeFailure, InvokeRequest};
use crate::model::{ConnectionState, Fault, ServerState, Snapshot, WireEntry};
use crate::question::Answerer;
use crate::question::desk::Desk;
use crate::recorder::Recorder;
use crate::store::FleetStore;
use crate::target::refers_to;
use crate::wire::disk::DiskLog;
pub use authorize::AuthorizationPage;
pub use many::ManyAnswer;

/// Probes at the same time over the whole fleet, unless a setting says otherwise.
const PROBES_AT_ONCE: usize = 64;
/// Longest time that ending the fleet takes.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a fleet is given from outside.
pub struct FleetDeps {
    /// Where states, events and snapshots are kept.
    pub store: Arc<dyn FleetStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and jitter.
    pub randomness: Arc<dyn Randomness>,
    /// Where `${keyring:NAME}` and tokens are kept; by default nowhere but in memory.
    pub secrets: Arc<dyn SecretStore>,
    /// Answers questions of servers where there is no operator; none asks the operator.
    pub answerer: Option<Arc<dyn Answerer>>,
    /// A folder of locks that all processes of one home share; without it only tasks wait for each other.
    pub lock_dir: Option<PathBuf>,
    /// How many probes are under way at once over the whole fleet.
    pub probes_at_once: usize,
    /// The folder for the wire logs of servers with `att.wire_log`; none keeps them in memory only.
    pub wire_log: Option<PathBuf>,
}

impl FleetDeps {
    /// The three that every fleet needs; what else there is has a default and can be set on the result.
    #[must_use]
    pub fn new(store: Arc<dyn FleetStore>, clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        let secrets = Arc::new(MemorySecrets::default());
        Self {
            store,
            clock,
            randomness,
            secrets,
            probes_at_once: PROBES_AT_ONCE,
            answerer: None,
            lock_dir: None,
            wire_log: None,
        }
    }
}

/// Why the fleet could not do it.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// Nothing of that name is configured.
    #[error("no server is called {0}")]
    UnknownServer(String),
    /// The server's command was not approved, or another one was.
    #[error("the command line of {0} is not approved")]
    NotConsented(String),
    /// The server failed.
    #[error("{0}")]
    Server(Fault),
    /// ATT could not be authorized with the server.
    #[error("{0}")]
    Authorization(String),
    /// No such question is open.
    #[error("that question is not open (any more)")]
    UnknownQuestion,
    /// The answer does not fit the question.
    #[error("the answer does not fit: {}", .0.join("; "))]
    UnfitAnswer(Vec<String>),
    /// The fleet is ending.
    #[error("ATT is ending")]
    Ending,
}

/// A handle to the fleet; cheap to clone. The servers go on until [`Fleet::shutdown`].
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    servers: RwLock<BTreeMap<String, Arc<Server>>>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    /// The tasks that watch the machine; they end with the fleet.
    watching: Mutex<JoinSet<()>>,
}

impl Fleet {
    /// Starts looking after `configs`: enabled servers whose command needs no consent, or has it, are connected.
    ///
    /// # Errors
    /// [`FleetError::HttpClient`].
    pub async fn start(deps: FleetDeps, configs: Vec<ServerConfig>) -> Result<Self, FleetError> {
        let recorder = Recorder::start(Arc::clone(&deps.store));
        let calls = Arc::new(Calls::new());
        let desk = Desk::new(
            Arc::clone(&deps.clock),
            Arc::clone(&deps.randomness),
            deps.answerer,
            recorder.clone(),
            Arc::clone(&calls),
        );
        let shared = Arc::new(Shared {
            recorder,
            desk: Arc::new(desk),
            schemas: Schemas::default(),
            store: deps.store,
            clock: deps.clock,
            randomness: deps.randomness,
            http: HttpClients::new()?,
            secrets: deps.secrets,
            lock_dir: deps.lock_dir,
            wire_disk: deps.wire_log.map(DiskLog::start),
            probes: Arc::new(Semaphore::new(deps.probes_at_once)),
            calls,
            children: TaskTracker::new(),
            actors: TaskTracker::new(),
            version: watch::Sender::new(0),
        });
        let fleet = Self(Arc::new(Inner {
            shared,
            servers: RwLock::default(),
            reloading: tokio::sync::Mutex::new(()),
            watching: Mutex::default(),
        }));
        fleet.reload(configs).await;
        let watching = wake::wake_up(Arc::downgrade(&fleet.0));
        fleet.watching().spawn(watching);
        Ok(fleet)
    }

    /// The state of every server, by name.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerState> {
        self.all().iter().map(|server| server.state()).collect()
    }

    /// The state of one server.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<ServerState> {
        self.find(name).map(|server| server.state())
    }

    /// The configuration of one server as it is used now.
    #[must_use]
    pub fn config(&self, name: &str) -> Option<ServerConfig> {
        self.find(name).map(|server| (*server.config).clone())
    }

    /// The newest snapshot of one server.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Option<Arc<Snapshot>> {
        self.find(name)?.snapshot()
    }

    /// The last lines of its stderr, redacted, oldest first.
    #[must_use]
    pub fn stderr(&self, name: &str) -> Vec<String> {
        self.find(name).map(|server| server.stderr.lines()).unwrap_or_default()
    }

    /// Its newest messages, or those after `after_seq`, oldest first; redacted, and at most `limit`. The memory holds the
    /// last 512 of them, and 1 MiB. None when no server has that name.
    #[must_use]
    pub fn wire(&self, name: &str, after_seq: Option<u64>, limit: usize) -> Option<Vec<WireEntry>> {
        self.find(name).map(|server| server.wire_log.read(after_seq, limit))
    }

    /// Its last 60 connects and probes, oldest first.
    #[must_use]
    pub fn latency_history(&self, name: &str) -> Vec<LatencyPoint> {
        self.find(name).map(|server| server.history()).unwrap_or_default()
    }

    /// A number that grows with every change of any server.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.shared.version.subscribe()
    }

    /// Invokes a tool, a resource or a prompt.
    ///
    /// # Errors
    /// The failure payload of design 1.5.
    pub async fn invoke(&self, mut request: InvokeRequest) -> Result<InvokeAnswer, InvokeFailure> {
        let shared = &self.0.shared;
        let id = request
            .request_id
            .get_or_insert_with(|| RequestId::mint(shared.clock.now_ms(), &*shared.randomness))
            .clone();
        let correlation =
            request.correlation_id.get_or_insert_with(|| CorrelationId::mint(&*shared.randomness)).clone();
        let cancel = CancellationToken::new();
        let view = CallUnderWay {
            request_id: id.clone(),
            correlation_id: correlation,
            client: request.client.clone(),
            server: None,
            method: request.operation.method().to_owned(),
            item: request.operation.item().to_owned(),
            since_ms: shared.clock.now_ms(),
            deadline_ms: None,
            progress: None,
            open_questions: 0,
        };
        if !shared.calls.enter(view, cancel.clone()) {
            return Err(InvokeFailure::refused(&request, id, "a call of this id is under way already"));
        }
        let _listed = ListedCall { fleet: self, id };
        Box::pin(invoke::invoke(shared, &self.chosen(&request), request, cancel)).await
    }

    /// Cancels an invocation; false when it is not under way.
    #[must_use]
    pub fn cancel(&self, request_id: &RequestId) -> bool {
        self.0.shared.calls.cancel(request_id)
    }

    /// The calls under way, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<CallUnderWay> {
        self.0.shared.calls.list()
    }

    /// A number that grows when a call begins, ends, or tells how far it is.
    #[must_use]
    pub fn watch_calls(&self) -> watch::Receiver<u64> {
        self.0.shared.calls.subscribe()
    }

    /// Connects or probes at once instead of waiting; an open breaker lets its trial through now. Answers the trace
    /// that joins what follows.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn retry_now(&self, name: &str) -> Result<CorrelationId, FleetError> {
        self.input(name, Input::RetryNow).await
    }

    /// Switches a server on or off for this run; what the file says is the caller's to change.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn set_enabled(&self, name: &str, enabled: bool) -> Result<CorrelationId, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let input = match enabled {
            true => Input::Enable { consented: self.consented(&server.config).await },
            false => Input::Disable,
        };
        self.input(name, input).await
    }

    /// The store holds a consent for this server's command now: connect it.
    ///
    /// # Errors
    /// [`FleetError::NotConsented`] when the store says otherwise; [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn consent_given(&self, name: &str) -> Result<(), FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        if !self.consented(&server.config).await {
            return Err(FleetError::NotConsented(name.to_owned()));
        }
        self.input(name, Input::ConsentGiven).await.map(drop)
    }

    /// A kept secret was set or removed: servers that wait for a person and refer to it are tried again. Answers
    /// their names.
    pub async fn secret_changed(&self, name: &str) -> Vec<String> {
        let mut tried = Vec::new();
        for server in self.all() {
            let waits = server.state().facets.connection.state == ConnectionState::AuthRequired;
            if waits
                && refers_to(&server.config, name)
                && self.input(&server.config.name, Input::RetryNow).await.is_ok()
            {
                tried.push(server.config.name.clone());
            }
        }
        tried
    }

    /// The store holds another baseline of this server now, or none any more: hold its surface against it.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn baseline_changed(&self, name: &str) -> Result<(), FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let consented = self.consented(&server.config).await;
        if server.ask(Ask::BaselineChanged { consented }).await { Ok(()) } else { Err(FleetError::Ending) }
    }

    /// Reads a server's lists again and waits for it.
    ///
    /// # Errors
    /// [`FleetError::Server`] when it is not connected; [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn refresh(&self, name: &str) -> Result<(), FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let (reply, done) = oneshot::channel();
        if !server.ask(Ask::Refresh(reply)).await {
            return Err(FleetError::Ending);
        }
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) => Err(FleetError::Server(fault)),
            Err(_) => Err(FleetError::Ending),
        }
    }

    /// Makes the fleet what `configs` says; servers that did not change are not touched.
    pub async fn reload(&self, configs: Vec<ServerConfig>) {
        let _one_at_a_time = self.0.reloading.lock().await;
        let mut wanted: BTreeMap<String, ServerConfig> =
            configs.into_iter().map(|config| (config.name.clone(), config)).collect();
        let gone: Vec<Arc<Server>> = {
            let mut servers = self.0.servers.write().unwrap_or_else(PoisonError::into_inner);
            let names: Vec<String> = servers
                .iter()
                .filter(|(name, server)| wanted.get(*name) != Some(&*server.config))
                .map(|(name, _)| name.clone())
                .collect();
            names.iter().filter_map(|name| servers.remove(name)).collect()
        };
        // Ended before its successor starts: two processes of one server would fight over its port.
        end_all(&gone).await;
        for server in &gone {
            if !wanted.contains_key(&server.config.name) {
                self.0.shared.recorder.forget(&server.config.name);
            }
        }
        wanted.retain(|name, _| self.find(name).is_none());
        for (name, config) in wanted {
            let consented = self.consented(&config).await;
            let server = Server::start(config, &self.0.shared);
            // Before anyone can find it: whether its command may run is the first thing that its actor learns.
            let correlation = CorrelationId::mint(&*self.0.shared.randomness);
            server.ask(Ask::Input { input: Input::Start { consented }, correlation }).await;
            self.0.servers.write().unwrap_or_else(PoisonError::into_inner).insert(name, server);
        }
        self.0.shared.changed();
    }

    /// Ends every server in parallel, within 5 s, and writes what is left to write. No child is left.
    pub async fn shutdown(&self) {
        self.0.shared.calls.cancel_all();
        self.watching().abort_all();
        let servers = {
            let mut servers = self.0.servers.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *servers)
        };
        let shared = &self.0.shared;
        let ended = async {
            end_all(&servers.into_values().collect::<Vec<_>>()).await;
            shared.actors.close();
            shared.actors.wait().await;
            shared.children.close();
            shared.children.wait().await;
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::warn!("some servers did not end in time; their guards end them");
        }
        shared.recorder.flush().await;
    }

    async fn consented(&self, config: &ServerConfig) -> bool {
        let Some(digest) = config.command_digest() else { return true };
        match self.0.shared.store.consent(&config.name, &digest).await {
            Ok(consented) => consented,
            Err(error) => {
                tracing::warn!(server = %config.name, %error, "the consent could not be read; asking again");
                false
            }
        }
    }

    async fn input(&self, name: &str, input: Input) -> Result<CorrelationId, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let correlation = CorrelationId::mint(&*self.0.shared.randomness);
        match server.ask(Ask::Input { input, correlation: correlation.clone() }).await {
            true => Ok(correlation),
            false => Err(FleetError::Ending),
        }
    }

    /// The servers that `request` may be about, by name. The router judges them.
    fn chosen(&self, request: &InvokeRequest) -> Vec<Arc<Server>> {
        if let Some(name) = &request.server {
            return self.find(name).into_iter().collect();
        }
        if request.group.is_none() && request.prefer.is_empty() {
            return self.all();
        }
        let servers = self.0.servers.read().unwrap_or_else(PoisonError::into_inner);
        let grouped = |server: &&Arc<Server>| request.group.is_some() && server.config.group == request.group;
        let is_named = |server: &&Arc<Server>| request.prefer.contains(&server.config.name);
        servers.values().filter(|server| grouped(server) || is_named(server)).cloned().collect()
    }

    fn watching(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.0.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Arc<Server>> {
        self.0.servers.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn all(&self) -> Vec<Arc<Server>> {
        self.0.servers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

async fn end_all(servers: &[Arc<Server>]) {
    let ends = servers.iter().map(|server| async {
        authorize::replace_page(server, None);
        let (done, ended) = oneshot::channel();
        if server.ask(Ask::End(done)).await {
            let _ = ended.await;
        }
    });
    futures::future::join_all(ends).await;
}

/// Takes a call off the list when it ends, however it ends.
struct ListedCall<'a> {
    fleet: &'a Fleet,
    id: RequestId,
}

impl Drop for ListedCall<'_> {
    fn drop(&mut self) {
        self.fleet.0.shared.calls.leave(&self.id);
    }
}
