//! The actor's loop: inputs in, transitions by [`crate::facets`], effects out.

use std::sync::Arc;
use std::time::Duration;

use att_core::id::CorrelationId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::{Ask, LatencyPoint, Server, Shared, watch};
use crate::child::Process;
use crate::config::Probe;
use crate::dial::{Dial, Opened, Progress, duration, to_fault};
use crate::diff::diff;
use crate::era::Verdict;
use crate::facets::{self, Effect, Input, Surface};
use crate::link::{Link, RequestError};
use crate::lists;
use crate::model::{
    AdminState, ConnectionState, Era, ErrorCategory, EventKind, Fault, HealthState, ReasonCode, ServerState,
    Severity, Snapshot,
};
use crate::snapshot::{self, ReadLists};
use crate::wire::WireFault;

/// How often a modern server that offers no subscription is read again.
const UNTOLD_RELIST: Duration = Duration::from_secs(30);
/// Messages from the actor's own tasks, at most.
const NEWS: usize = 256;

/// What the actor's own tasks report.
pub(super) enum News {
    Progress { generation: u64, progress: Progress },
    Attempted { generation: u64, outcome: Result<Box<Opened>, WireFault>, started: Option<Process> },
    Broken { generation: u64, fault: WireFault },
    Probed { generation: u64, outcome: Result<i64, WireFault> },
    Lists { generation: u64, lists: ReadLists },
    ListsChanged { generation: u64 },
    Listening { generation: u64, on: bool },
}

/// Everything that lives and dies with one link.
struct Standing {
    link: Arc<Link>,
    _process: Option<Process>,
    _watchers: JoinSet<()>,
    listening: bool,
    listed_at: Instant,
    probe_at: Option<Instant>,
    relist_at: Instant,
    probing: bool,
    listing: bool,
    /// Probes and list readings under way.
    work: JoinSet<()>,
}

pub(super) struct Actor {
    server: Arc<Server>,
    shared: Arc<Shared>,
    state: ServerState,
    asks: mpsc::Receiver<Ask>,
    news: mpsc::Receiver<News>,
    tell: mpsc::Sender<News>,
    stderr_lines: mpsc::Receiver<String>,
    stderr: mpsc::Sender<String>,
    correlation: CorrelationId,
    verdict: Verdict,
    attempt: Option<AbortOnDropHandle<()>>,
    standing: Option<Standing>,
    /// The process behind a URL; it outlives a broken link.
    started: Option<Process>,
    retry_at: Option<Instant>,
    waiting: Vec<oneshot::Sender<Result<Arc<Link>, Fault>>>,
    refreshing: Vec<oneshot::Sender<Result<(), Fault>>>,
    latest: Option<Arc<Snapshot>>,
    latest_loaded: bool,
}

impl Actor {
    pub fn new(server: Arc<Server>, shared: Arc<Shared>, asks: mpsc::Receiver<Ask>) -> Self {
        let (tell, news) = mpsc::channel(NEWS);
        let (stderr, stderr_lines) = mpsc::channel(NEWS);
        let correlation = CorrelationId::mint(&*shared.randomness);
        let state = server.state();
        Self {
            server,
            shared,
            state,
            asks,
            news,
            tell,
            stderr_lines,
            stderr,
            correlation,
            verdict: Verdict::remembered(None),
            attempt: None,
            standing: None,
            started: None,
            retry_at: None,
            waiting: Vec::new(),
            refreshing: Vec::new(),
            latest: None,
            latest_loaded: false,
        }
    }

    pub async fn run(mut self) {
        self.load_latest().await;
        self.publish();
        loop {
            let timer = self.next_timer();
            let timed = async {
                match timer {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = self.news.recv() => self.take_news(news).await,
                ask = self.asks.recv() => match ask {
                    Some(Ask::End(done)) => {
                        self.end().await;
                        let _ = done.send(());
                        return;
                    }
                    Some(ask) => self.take_ask(ask).await,
                    None => return self.end().await,
                },
                Some(line) = self.stderr_lines.recv() => self.take_line(&line),
                () = timed => self.on_timer(),
            }
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let standing = self.standing.as_ref();
        let probe = standing.filter(|s| !s.probing).and_then(|s| s.probe_at);
        let relist = standing.filter(|s| !s.listing).map(|s| s.relist_at);
        [self.retry_at, probe, relist].into_iter().flatten().min()
    }

    fn on_timer(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.apply(Input::RetryDue);
            // The wall clock may lag behind by a millisecond: then the time has not quite come.
            if self.state.facets.connection.state == ConnectionState::Backoff && self.retry_at.is_none() {
                self.retry_at = Some(now + Duration::from_millis(5));
            }
        }
        if let Some(standing) = &self.standing {
            let probe = !standing.probing && standing.probe_at.is_some_and(|at| at <= now);
            let relist = !standing.listing && standing.relist_at <= now;
            if probe {
                self.probe();
            }
            if relist {
                self.relist();
            }
        }
    }

    async fn take_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Input(input) => {
                self.correlation = CorrelationId::mint(&*self.shared.randomness);
                self.apply(input);
            }
            Ask::Link(reply) => match self.usable_link() {
                Some(link) => {
                    let _ = reply.send(Ok(link));
                }
                None if self.state.facets.admin.state != AdminState::Enabled => {
                    let fault = Fault::new(ErrorCategory::Cancelled, &self.state.summary, self.now_ms());
                    let _ = reply.send(Err(fault));
                }
                None => {
                    self.waiting.push(reply);
                    // A call is worth an attempt at once; one that runs already is waited for.
                    self.apply(Input::RetryNow);
                }
            },
            Ask::Refresh(reply) => {
                if self.standing.is_some() {
                    self.refreshing.push(reply);
                    self.relist();
                } else {
                    let fault = Fault::new(ErrorCategory::TransportError, &self.state.summary, self.now_ms());
                    let _ = reply.send(Err(fault));
                }
            }
            Ask::End(done) => {
                self.end().await;
                let _ = done.send(());
            }
        }
    }

    async fn take_news(&mut self, news: News) {
        match news {
            News::Progress { generation, progress } => self.apply(match progress {
                Progress::TransportOpen { pid } => Input::TransportOpen { generation, pid },
                Progress::Greeted(greeting) => Input::Greeted { generation, greeting },
            }),
            News::Attempted { generation, outcome, started } => {
                if generation != self.state.generation || !facets::is_live(self.state.facets.connection.state)
                {
                    return;
                }
                self.attempt = None;
                self.started = started;
                match outcome {
                    Ok(opened) => self.opened(*opened).await,
                    Err(fault) => {
                        self.verdict.failed();
                        self.lost(generation, &fault);
                    }
                }
            }
            News::Broken { generation, fault } => self.lost(generation, &fault),
            News::Probed { generation, outcome } => self.probed(generation, outcome),
            News::Lists { generation, lists } => self.listed(generation, lists).await,
            News::ListsChanged { generation } => {
                let debounce = duration(self.server.config.settings.list_debounce_ms);
                if let Some(standing) = self.standing_of(generation) {
                    standing.relist_at = Instant::now() + debounce;
                }
            }
            News::Listening { generation, on } => {
                if let Some(standing) = self.standing_of(generation) {
                    standing.listening = on;
                }
            }
        }
    }

    fn standing_of(&mut self, generation: u64) -> Option<&mut Standing> {
        self.standing.as_mut().filter(|s| s.link.generation == generation)
    }

    fn take_line(&mut self, line: &str) {
        let line = self.server.stderr.push(line);
        self.shared.record(
            &self.state.server,
            self.state.generation,
            &self.correlation,
            None,
            EventKind::ServerStderr { line },
        );
    }

    async fn opened(&mut self, opened: Opened) {
        let Opened { link, client, process, lists, connect_ms, latency_ms } = opened;
        let generation = link.generation;
        self.verdict.succeeded(link.greeting.era);
        let link = Arc::new(link);
        let watchers = watch::watch(
            &link,
            &client,
            [process.as_ref(), self.started.as_ref()],
            &self.server.stderr,
            &self.tell,
        );
        let surface = self.keep_snapshot(&link, lists).await;
        let now = Instant::now();
        self.standing = Some(Standing {
            link: Arc::clone(&link),
            _process: process,
            _watchers: watchers,
            listening: false,
            listed_at: now,
            probe_at: None,
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

    fn lost(&mut self, generation: u64, fault: &WireFault) {
        if generation != self.state.generation {
            return;
        }
        self.apply(Input::Lost { generation, fault: to_fault(fault, self.now_ms()) });
    }

    fn probe(&mut self) {
        let timeout = duration(self.server.config.settings.probe_timeout_ms);
        let (tell, limit) = (self.tell.clone(), Arc::clone(&self.shared.probes));
        let Some(standing) = &mut self.standing else { return };
        standing.probing = true;
        let link = Arc::clone(&standing.link);
        standing.work.spawn(async move {
            let Ok(_permit) = limit.acquire_owned().await else { return };
            let outcome = match link.probe(timeout).await {
                // An error is an answer: the server lives.
                Ok(answer) => Ok(answer.total_ms),
                Err(RequestError::Refused { first_byte_ms, .. }) => Ok(first_byte_ms.unwrap_or(0)),
                Err(RequestError::NotSent(fault) | RequestError::NoReply(fault)) => Err(fault),
            };
            let _ = tell.send(News::Probed { generation: link.generation, outcome }).await;
        });
    }

    fn probed(&mut self, generation: u64, outcome: Result<i64, WireFault>) {
        let now_ms = self.now_ms();
        let Some(standing) = self.standing_of(generation) else { return };
        standing.probing = false;
        while standing.work.try_join_next().is_some() {}
        let untold = standing.link.greeting.era == Era::Modern
            && !standing.listening
            && standing.listed_at.elapsed() >= UNTOLD_RELIST;
        if untold && outcome.is_ok() {
            standing.relist_at = Instant::now();
        }
        let latency_ms = outcome.as_ref().ok().copied();
        self.server.keep_latency(LatencyPoint { at_ms: now_ms, latency_ms });
        self.apply(match outcome {
            Ok(latency_ms) => Input::ProbeAnswered { generation, latency_ms },
            Err(mut fault) => {
                if fault.category == ErrorCategory::NetworkTimeout {
                    fault.category = ErrorCategory::HealthCheck;
                    fault.message = format!("the probe got {}", fault.message);
                }
                Input::ProbeFailed { generation, fault: to_fault(&fault, now_ms) }
            }
        });
        self.plan_probe();
    }

    /// The next probe: after the interval with 20 % jitter, or when a throttling server allows it.
    fn plan_probe(&mut self) {
        let settings = &self.server.config.settings;
        let now_ms = self.now_ms();
        let throttled_until = match self.state.facets.connection.reason.code {
            ReasonCode::Throttled => self.state.facets.connection.next_action_at_ms,
            _ => None,
        };
        if settings.probe == Probe::None && throttled_until.is_none() {
            return;
        }
        let wait = match throttled_until {
            Some(at) => duration(at - now_ms),
            None => self.jittered(settings.probe_interval_ms),
        };
        let Some(standing) = &mut self.standing else { return };
        standing.probe_at = Some(Instant::now() + wait);
        let generation = standing.link.generation;
        let at_ms = now_ms + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        self.apply(Input::ProbePlanned { generation, at_ms });
    }

    fn relist(&mut self) {
        let timeout = duration(self.server.config.settings.list_timeout_ms);
        let tell = self.tell.clone();
        let interval = self.jittered(self.server.config.settings.snapshot_interval_ms);
        let Some(standing) = &mut self.standing else { return };
        // A change told while a reading is under way asks for one more.
        standing.relist_at = Instant::now() + interval;
        if standing.listing {
            return;
        }
        standing.listing = true;
        standing.listed_at = Instant::now();
        let link = Arc::clone(&standing.link);
        standing.work.spawn(async move {
            let capabilities = link.greeting.capabilities.clone();
            let lists = Box::pin(lists::read_all(&link, &capabilities, timeout)).await;
            let _ = tell.send(News::Lists { generation: link.generation, lists }).await;
        });
    }

    async fn listed(&mut self, generation: u64, lists: ReadLists) {
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
    async fn load_latest(&mut self) {
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
    async fn keep_snapshot(&mut self, link: &Link, lists: ReadLists) -> Surface {
        let name = self.state.server.clone();
        self.load_latest().await;
        let now_ms = self.now_ms();
        let taken =
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
        surface.snapshot_id = Some(taken.id.clone());
        if let Err(error) = self.shared.store.put_snapshot(taken.clone()).await {
            tracing::warn!(server = %name, %error, "a snapshot was not kept");
        }
        let event = EventKind::SnapshotTaken { snapshot_id: taken.id.clone(), parent: taken.parent.clone() };
        self.record(link.generation, event);
        if let Some(before) = &self.latest {
            let found = diff(before, &taken);
            let changes = u32::try_from(found.changes.len() + found.remarks.len()).unwrap_or(u32::MAX);
            let summary: Vec<_> = found.changes.iter().map(|c| c.text.clone()).chain(found.remarks).collect();
            let drift = EventKind::DriftFound {
                snapshot_id: taken.id.clone(),
                from: before.id.clone(),
                severity: found.severity.unwrap_or(Severity::Info),
                changes,
                summary: summary.into_iter().take(5).collect::<Vec<_>>().join("; "),
            };
            self.record(link.generation, drift);
        }
        self.keep_latest(taken);
        surface
    }

    /// One transition and its effects.
    fn apply(&mut self, input: Input) {
        let before = self.state.facets.health.state;
        let settings = &self.server.config.settings;
        let effects = facets::apply(
            &mut self.state,
            settings,
            input,
            self.shared.clock.now_ms(),
            &*self.shared.randomness,
        );
        for effect in effects {
            match effect {
                Effect::Emit(kind) => self.record(self.state.generation, kind),
                Effect::Connect { generation } => self.connect(generation),
                Effect::Close => self.close(),
                Effect::RetryAt(at_ms) => {
                    self.retry_at = Some(Instant::now() + duration(at_ms - self.now_ms()));
                }
                Effect::ProbeNow => {
                    if let Some(standing) = &mut self.standing {
                        standing.probe_at = Some(Instant::now());
                    }
                }
            }
        }
        let health = self.state.facets.health.state;
        let stopped = self.state.facets.connection.state == ConnectionState::Stopped;
        if stopped || (health == HealthState::Unreachable && before != health) {
            // A server that we started and that no longer answers is started anew with the next attempt.
            self.started = None;
        }
        if !facets::is_live(self.state.facets.connection.state) {
            self.refuse_waiting();
        }
        self.publish();
    }

    fn connect(&mut self, generation: u64) {
        self.retry_at = None;
        let dial = Dial {
            config: Arc::clone(&self.server.config),
            generation,
            verdict: self.verdict.era(),
            http: self.shared.http.clone(),
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

    fn close(&mut self) {
        self.attempt = None;
        self.server.set_link(None);
        if let Some(standing) = self.standing.take() {
            let link = Arc::clone(&standing.link);
            // A session is closed with its server where that is quick; the process goes with `standing`.
            self.shared.children.spawn(async move { link.close().await });
        }
    }

    fn refuse_waiting(&mut self) {
        let now_ms = self.now_ms();
        let fault = || {
            self.state.error.clone().unwrap_or_else(|| {
                Fault::new(ErrorCategory::TransportError, &self.state.facets.connection.reason.text, now_ms)
            })
        };
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Err(fault()));
        }
        for reply in self.refreshing.drain(..) {
            let _ = reply.send(Err(fault()));
        }
    }

    async fn end(&mut self) {
        self.apply(Input::Shutdown);
        self.close();
        self.started = None;
    }

    fn usable_link(&self) -> Option<Arc<Link>> {
        let link = &self.standing.as_ref()?.link;
        (!link.is_closed()).then(|| Arc::clone(link))
    }

    fn record(&self, generation: u64, kind: EventKind) {
        self.shared.record(&self.state.server, generation, &self.correlation, None, kind);
    }

    fn publish(&self) {
        self.server.set_state(self.state.clone());
        self.shared.recorder.state(self.state.clone());
        self.shared.changed();
    }

    fn now_ms(&self) -> i64 {
        self.shared.clock.now_ms()
    }

    /// `interval_ms` with 20 % of jitter either way.
    fn jittered(&self, interval_ms: i64) -> Duration {
        let permille = 800 + i64::try_from(self.shared.randomness.bits() % 401).unwrap_or(200);
        duration(interval_ms.saturating_mul(permille) / 1_000)
    }
}
