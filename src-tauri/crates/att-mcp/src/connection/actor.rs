//! The actor's loop: inputs in, transitions by [`crate::facets`], effects out.

use std::sync::Arc;
use std::time::Duration;

use att_core::id::CorrelationId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::{Ask, Server, Shared};
use crate::child::Process;
use crate::config::Probe;
use crate::dial::{Opened, Progress, duration, to_fault};
use crate::drift;
use crate::era::Verdict;
use crate::facets::{self, Effect, Input};
use crate::link::Link;
use crate::model::{
    AdminState, Baseline, BreakerState, ConnectionState, ErrorCategory, EventKind, Fault, HealthState,
    ReasonCode, ServerState, Snapshot, Status,
};
use crate::snapshot::ReadLists;
use crate::wire::WireFault;

/// Lines of stderr that become events; more than that stay in the ring only.
const STDERR_EVENTS_PER_SECOND: u32 = 100;
/// A server that tells of changes without a pause puts its lists' reading off so many quiet times, and no longer.
const MOST_QUIET_TIMES: u32 = 10;
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
pub(super) struct Standing {
    pub(super) link: Arc<Link>,
    pub(super) _process: Option<Process>,
    pub(super) _watchers: JoinSet<()>,
    pub(super) listening: bool,
    pub(super) listed_at: Instant,
    pub(super) probe_at: Option<Instant>,
    pub(super) relist_at: Instant,
    /// When the first change was told that no reading has followed yet.
    pub(super) changed_at: Option<Instant>,
    pub(super) probing: bool,
    pub(super) listing: bool,
    /// Probes and list readings under way.
    pub(super) work: JoinSet<()>,
}

pub(super) struct Actor {
    pub(super) server: Arc<Server>,
    pub(super) shared: Arc<Shared>,
    pub(super) state: ServerState,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) news: mpsc::Receiver<News>,
    pub(super) tell: mpsc::Sender<News>,
    pub(super) stderr_lines: mpsc::Receiver<String>,
    pub(super) stderr: mpsc::Sender<String>,
    /// The second of stderr that is being counted, and the lines in it.
    told_since: Instant,
    told: u32,
    pub(super) correlation: CorrelationId,
    pub(super) verdict: Verdict,
    pub(super) attempt: Option<AbortOnDropHandle<()>>,
    pub(super) standing: Option<Standing>,
    /// The process behind a URL; it outlives a broken link.
    pub(super) started: Option<Process>,
    pub(super) retry_at: Option<Instant>,
    /// When the open breaker's time is over.
    pub(super) breaker_at: Option<Instant>,
    pub(super) waiting: Vec<oneshot::Sender<Result<Arc<Link>, Fault>>>,
    pub(super) refreshing: Vec<oneshot::Sender<Result<(), Fault>>>,
    pub(super) latest: Option<Arc<Snapshot>>,
    pub(super) latest_loaded: bool,
    /// What the operator accepted, with the snapshot itself.
    pub(super) baseline: Option<(Baseline, Arc<Snapshot>)>,
    /// What came out when the surface was last held against it.
    pub(super) judged: drift::Verdict,
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
            told_since: Instant::now(),
            told: 0,
            correlation,
            verdict: Verdict::remembered(None),
            attempt: None,
            standing: None,
            started: None,
            retry_at: None,
            breaker_at: None,
            waiting: Vec::new(),
            refreshing: Vec::new(),
            latest: None,
            latest_loaded: false,
            baseline: None,
            judged: drift::Verdict::default(),
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
        [self.retry_at, self.breaker_at, probe, relist].into_iter().flatten().min()
    }

    fn on_timer(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.apply(Input::RetryDue);
        }
        if self.breaker_at.is_some_and(|at| at <= now) {
            self.breaker_at = None;
            self.apply(Input::BreakerDue);
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
            Ask::BaselineChanged { consented } => self.baseline_changed(consented).await,
            Ask::Input { input, correlation } => {
                self.correlation = correlation;
                self.take_input(input).await;
            }
            Ask::Renew { reply, correlation } => {
                self.renew(correlation, reply, ReasonCode::OperatorRequest).await;
            }
            Ask::Called { generation, fault, correlation, reply } => {
                self.called(generation, fault, correlation);
                let _ = reply.send(self.state.facets.breaker.state);
            }
            Ask::Unconnected { text, reply } => {
                self.apply(Input::CallCounted { failure: Some(text) });
                let _ = reply.send(self.state.facets.breaker.state);
            }
            Ask::Link { reply, correlation } => match self.usable_link() {
                Some(link) => {
                    let _ = reply.send(Ok(link));
                }
                None if self.state.facets.admin.state != AdminState::Enabled => {
                    let fault = Fault::new(ErrorCategory::Cancelled, &self.state.summary, self.now_ms());
                    let _ = reply.send(Err(fault));
                }
                None if self.throttled() => {
                    let _ = reply.send(Err(self.why_not()));
                }
                None if self.standing.is_some() => {
                    self.renew(correlation, reply, ReasonCode::SessionStale).await;
                }
                None => {
                    self.waiting.retain(|waiting| !waiting.is_closed());
                    self.waiting.push(reply);
                    // A call is worth an attempt at once; one that runs already is waited for.
                    if !facets::is_live(self.state.facets.connection.state) {
                        self.correlation = correlation;
                        self.apply(Input::Wanted);
                    }
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

    /// What a call tells of its server. Transitions that it caused carry its trace.
    fn called(&mut self, generation: u64, fault: Option<Fault>, correlation: CorrelationId) {
        match fault {
            None => {
                let own = std::mem::replace(&mut self.correlation, correlation);
                self.apply(Input::CallCounted { failure: None });
                self.apply(Input::CallAnswered { generation });
                self.correlation = own;
            }
            Some(fault) => {
                self.correlation = correlation;
                if fault.category.counts_against_breaker() {
                    self.apply(Input::CallCounted { failure: Some(fault.message.clone()) });
                }
                self.apply(Input::CallFailed { generation, fault });
            }
        }
    }

    /// True while the server asked to be left alone.
    fn throttled(&self) -> bool {
        let connection = &self.state.facets.connection;
        connection.state == ConnectionState::Backoff
            && connection.reason.code == ReasonCode::Throttled
            && connection.next_action_at_ms.is_some_and(|at| at > self.now_ms())
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
                        self.verdict.failed(fault.category);
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
                    let now = Instant::now();
                    let first = *standing.changed_at.get_or_insert(now);
                    standing.relist_at = (now + debounce).min(first + debounce * MOST_QUIET_TIMES);
                }
            }
            News::Listening { generation, on } => {
                if let Some(standing) = self.standing_of(generation) {
                    standing.listening = on;
                }
            }
        }
    }

    pub(super) fn standing_of(&mut self, generation: u64) -> Option<&mut Standing> {
        self.standing.as_mut().filter(|s| s.link.generation == generation)
    }

    fn take_line(&mut self, line: &str) {
        let line = self.server.stderr.push(&self.server.known.hide(line));
        // The ring holds what a flood says; the journal is spared it.
        if self.told_since.elapsed() >= Duration::from_secs(1) {
            (self.told_since, self.told) = (Instant::now(), 0);
        }
        self.told += 1;
        if self.told > STDERR_EVENTS_PER_SECOND {
            return;
        }
        self.shared.record(
            &self.state.server,
            self.state.generation,
            &self.correlation,
            None,
            EventKind::ServerStderr { line },
        );
    }

    fn lost(&mut self, generation: u64, fault: &WireFault) {
        if generation != self.state.generation {
            return;
        }
        self.apply(Input::Lost { generation, fault: to_fault(fault, self.now_ms()) });
    }

    /// One transition and its effects.
    pub(super) fn apply(&mut self, input: Input) {
        let before = self.state.facets.health.state;
        let routine = matches!(input, Input::CallAnswered { .. } | Input::CallCounted { failure: None });
        let seen = signature(&self.state);
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
                Effect::BreakerAt(at_ms) => {
                    self.breaker_at = Some(Instant::now() + duration(at_ms - self.now_ms()));
                }
                Effect::Trial if self.server.config.settings.probe == Probe::None => self.relist(),
                Effect::ProbeNow | Effect::Trial => {
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
        // An answered call that changes nothing is not worth a new row; the next probe brings the rest up to date.
        if !routine || seen != signature(&self.state) {
            self.publish();
        }
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
        if self.waiting.is_empty() && self.refreshing.is_empty() {
            return;
        }
        let fault = self.why_not();
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Err(fault.clone()));
        }
        for reply in self.refreshing.drain(..) {
            let _ = reply.send(Err(fault.clone()));
        }
    }

    /// Why there is no connection.
    fn why_not(&self) -> Fault {
        self.state.error.clone().unwrap_or_else(|| {
            let text = &self.state.facets.connection.reason.text;
            Fault::new(ErrorCategory::TransportError, text, self.now_ms())
        })
    }

    async fn end(&mut self) {
        self.drain().await;
        self.apply(Input::Shutdown);
        self.close();
        self.started = None;
    }

    fn usable_link(&self) -> Option<Arc<Link>> {
        let link = &self.standing.as_ref()?.link;
        let window_ms = self.server.config.settings.session_window_ms;
        link.is_fresh(window_ms).then(|| Arc::clone(link))
    }

    pub(super) fn record(&self, generation: u64, kind: EventKind) {
        self.shared.record(&self.state.server, generation, &self.correlation, None, kind);
    }

    fn publish(&self) {
        self.server.set_state(self.state.clone());
        self.shared.recorder.state(self.state.clone());
        self.shared.changed();
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.shared.clock.now_ms()
    }

    /// `interval_ms` with 20 % of jitter either way.
    pub(super) fn jittered(&self, interval_ms: i64) -> Duration {
        let permille = 800 + i64::try_from(self.shared.randomness.bits() % 401).unwrap_or(200);
        duration(interval_ms.saturating_mul(permille) / 1_000)
    }
}

/// What of a state a face would see change after an answered call.
fn signature(state: &ServerState) -> (Status, HealthState, ReasonCode, ReasonCode, BreakerState, bool) {
    let facets = &state.facets;
    let (health, connection) = (&facets.health, &facets.connection);
    (
        state.status,
        health.state,
        health.reason.code,
        connection.reason.code,
        facets.breaker.state,
        state.error.is_some(),
    )
}
