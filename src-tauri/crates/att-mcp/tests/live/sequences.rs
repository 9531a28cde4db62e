//! Sequences: connect, initialize and invoke against degraded, recovering and half-initialized peers in every order.
//! States, attempts and events come out as the reference model says.

mod model;
mod peer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use att_core::SystemClock;
use att_core::id::{CorrelationId, RequestId, SeededRandomness};
use att_mcp::config::ServerConfig;
use att_mcp::model::{Attempt, ConnectionState, EventKind, InvocationPhase};
use att_mcp::{Fleet, FleetDeps, FleetStore, InvokeRequest, MemoryFleetStore, Operation, facets};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use self::model::{Called, Model, Seen, Whom};
use self::peer::{Mode, Peer, TOOLS};

/// How many servers there are.
const SERVERS: usize = 3;
/// Longest wait until a step has had all its effects.
const SETTLE: Duration = Duration::from_secs(10);

/// One step of a sequence.
#[derive(Debug, Clone)]
enum Step {
    /// The peer behaves otherwise from now on.
    Become(usize, Mode),
    /// The operator does not want to wait.
    RetryNow(usize),
    SetEnabled(usize, bool),
    /// A call of a tool that was marked as idempotent, or of one that was not.
    Call {
        whom: Whom,
        marked: bool,
    },
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        3 => Just(Mode::Good),
        2 => Just(Mode::Partial),
        3 => Just(Mode::Down),
        2 => Just(Mode::FailsCalls),
        1 => Just(Mode::RefusesCalls),
        1 => Just(Mode::HangsOnCalls),
        1 => Just(Mode::HangsOnInitialize),
    ]
}

fn any_whom() -> impl Strategy<Value = Whom> {
    prop_oneof![
        1 => (0..SERVERS).prop_map(Whom::Server),
        2 => Just(Whom::Group),
        2 => Just((0..SERVERS).collect::<Vec<_>>()).prop_shuffle().prop_map(Whom::Prefer),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..SERVERS, any_mode()).prop_map(|(server, mode)| Step::Become(server, mode)),
        2 => (0..SERVERS).prop_map(Step::RetryNow),
        1 => (0..SERVERS, any::<bool>()).prop_map(|(server, on)| Step::SetEnabled(server, on)),
        6 => (any_whom(), any::<bool>()).prop_map(|(whom, marked)| Step::Call { whom, marked }),
    ]
}

fn name(server: usize) -> String {
    format!("s{server}")
}

/// A call as it was made and as the model says that it had to end.
struct Made {
    request: RequestId,
    correlation: CorrelationId,
    called: Called,
}

struct Run {
    fleet: Fleet,
    store: Arc<MemoryFleetStore>,
    peers: Vec<Peer>,
    model: Model,
    made: Vec<Made>,
}

impl Run {
    async fn start(modes: Vec<Mode>, seed: u64) -> Self {
        let mut peers = Vec::new();
        for mode in &modes {
            peers.push(Peer::start(*mode).await);
        }
        let configs = peers.iter().enumerate().map(|(server, peer)| config(server, &peer.url)).collect();
        let store = Arc::new(MemoryFleetStore::consenting());
        let randomness = Arc::new(SeededRandomness::new(seed));
        let deps =
            FleetDeps::new(Arc::clone(&store) as Arc<dyn FleetStore>, Arc::new(SystemClock), randomness);
        let fleet = Fleet::start(deps, configs).await.unwrap();
        Self { fleet, store, peers, model: Model::new(modes), made: Vec::new() }
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Become(server, mode) => {
                self.peers[*server].set(*mode);
                self.model.modes[*server] = *mode;
            }
            Step::RetryNow(server) => {
                self.fleet.retry_now(&name(*server)).await.unwrap();
                self.model.retry_now(*server);
            }
            Step::SetEnabled(server, on) => {
                self.fleet.set_enabled(&name(*server), *on).await.unwrap();
                self.model.set_enabled(*server, *on);
            }
            Step::Call { whom, marked } => self.call(whom, *marked).await?,
        }
        self.settled().await
    }

    async fn call(&mut self, whom: &Whom, marked: bool) -> Result<(), TestCaseError> {
        let tool = TOOLS[usize::from(!marked)];
        let number = self.made.len();
        let request = RequestId::from(format!("r{number:02}").as_str());
        let correlation = CorrelationId::from(format!("{:032x}", number + 1));
        let mut wish = InvokeRequest {
            request_id: Some(request.clone()),
            correlation_id: Some(correlation.clone()),
            timeout_ms: Some(20_000),
            ..InvokeRequest::new(
                "test",
                Operation::CallTool { name: tool.into(), arguments: Default::default() },
            )
        };
        match whom {
            Whom::Server(server) => wish.server = Some(name(*server)),
            Whom::Group => wish.group = Some("g".to_owned()),
            Whom::Prefer(order) => wish.prefer = order.iter().map(|server| name(*server)).collect(),
        }
        let before: Vec<u32> = self.peers.iter().map(Peer::calls).collect();
        let outcome = self.fleet.invoke(wish).await;
        let called = self.model.call(whom, marked);
        let reached: Vec<u32> =
            self.peers.iter().zip(before).map(|(peer, before)| peer.calls() - before).collect();
        prop_assert!(marked || reached.iter().sum::<u32>() <= 1, "an unmarked tool was asked for twice");
        prop_assert_eq!(&reached, &called.reached);
        let (code, attempts) = match outcome {
            Ok(answer) => (None, answer.attempts),
            Err(failure) => (Some(failure.code), failure.attempts),
        };
        prop_assert_eq!(code, called.code);
        prop_assert_eq!(tried(&attempts), called.tried.clone());
        self.made.push(Made { request, correlation, called });
        Ok(())
    }

    /// Waits until every server is as the model says.
    async fn settled(&self) -> Result<(), TestCaseError> {
        let mut changed = self.fleet.subscribe();
        let begun = Instant::now();
        loop {
            changed.borrow_and_update();
            let seen: Vec<Seen> = (0..SERVERS).map(|server| self.seen(server)).collect();
            let expected: Vec<Seen> = self.model.servers.iter().map(model::Server::seen).collect();
            if seen == expected {
                return Ok(());
            }
            let left = SETTLE.saturating_sub(begun.elapsed());
            if tokio::time::timeout(left, changed.changed()).await.is_err() {
                prop_assert_eq!(seen, expected);
            }
        }
    }

    fn seen(&self, server: usize) -> Seen {
        let state = self.fleet.server(&name(server)).unwrap();
        Seen {
            admin: state.facets.admin.state,
            connection: state.facets.connection.state,
            health: state.facets.health.state,
            breaker: state.facets.breaker.state,
            measured: self.fleet.latency_history(&name(server)).len(),
        }
    }

    /// Everything that was written down is one story.
    async fn end(self) -> Result<(), TestCaseError> {
        self.fleet.shutdown().await;
        let (events, attempts) = (self.store.events(), self.store.attempts());
        for server in 0..SERVERS {
            let mut at = ConnectionState::Idle;
            for event in events.iter().filter(|event| event.server == name(server)) {
                if let EventKind::ConnectionChanged { from, to, .. } = &event.kind {
                    prop_assert_eq!(*from, at);
                    prop_assert!(facets::legal(*from, *to), "{:?} -> {:?}", from, to);
                    at = *to;
                }
            }
            prop_assert_eq!(at, ConnectionState::Stopped);
        }
        for made in &self.made {
            let of_it = |event: &&att_mcp::model::Event| event.request_id.as_ref() == Some(&made.request);
            let phases: Vec<(String, InvocationPhase)> = events
                .iter()
                .filter(of_it)
                .filter_map(|event| match &event.kind {
                    EventKind::InvocationPhase { phase, .. } => Some((event.server.clone(), *phase)),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(&phases, &made.called.phases);
            let written: Vec<Attempt> =
                attempts.iter().filter(|a| a.request_id == made.request).map(|a| a.attempt.clone()).collect();
            prop_assert_eq!(tried(&written), made.called.tried.clone());
            for server in &made.called.renewed {
                let joined = events.iter().any(|event| {
                    event.server == *server
                        && event.correlation_id == made.correlation
                        && matches!(
                            event.kind,
                            EventKind::ConnectionChanged { to: ConnectionState::Connecting, .. }
                        )
                });
                prop_assert!(
                    joined,
                    "the connection of {} that {} asked for has another trace",
                    server,
                    made.request
                );
            }
        }
        Ok(())
    }
}

/// Attempts as the model speaks of them; those that were left out come first and in no order.
fn tried(attempts: &[Attempt]) -> Vec<model::Tried> {
    let mut tried: Vec<model::Tried> = attempts
        .iter()
        .map(|attempt| match &attempt.excluded_reason {
            Some(reason) => model::Tried::LeftOut(attempt.server.clone(), reason.clone()),
            None => model::Tried::Asked(attempt.server.clone(), attempt.stage, attempt.outcome),
        })
        .collect();
    let left_out = tried.iter().take_while(|tried| matches!(tried, model::Tried::LeftOut(..))).count();
    tried[..left_out].sort_by_key(|tried| format!("{tried:?}"));
    tried
}

/// Nothing happens by itself: no probe, no retry, no snapshot comes due within the test.
fn config(server: usize, url: &str) -> ServerConfig {
    let mut config = ServerConfig::http(name(server), url);
    config.group = Some("g".to_owned());
    config.idempotent = vec![TOOLS[0].to_owned()];
    let settings = &mut config.settings;
    const DAY_MS: i64 = 86_400_000;
    (settings.probe_interval_ms, settings.snapshot_interval_ms) = (DAY_MS, DAY_MS);
    (settings.backoff_base_ms, settings.backoff_cap_ms) = (20 * DAY_MS, 20 * DAY_MS);
    (settings.connect_timeout_ms, settings.attempt_timeout_ms) = (700, 900);
    (settings.breaker_failures, settings.breaker_min_calls) = (model::ROW, model::ENOUGH);
    settings.breaker_window = model::WINDOW;
    settings.breaker_open_ms = DAY_MS;
    config
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 40,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/live/sequences.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn states_attempts_and_events_come_out_as_the_model_says(
        modes in prop::collection::vec(any_mode(), SERVERS),
        steps in prop::collection::vec(any_step(), 1..16),
        seed: u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::start(modes, seed).await;
            run.settled().await?;
            for step in &steps {
                run.take(step).await?;
            }
            run.end().await
        })?;
    }
}
