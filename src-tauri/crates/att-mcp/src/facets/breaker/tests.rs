use att_core::id::SeededRandomness;
use proptest::prelude::*;

use super::*;
use crate::config::ServerConfig;
use crate::facets::{Input, Surface, apply, initial};
use crate::model::{ErrorCategory, Fault, ServerState};

struct Bench {
    state: ServerState,
    settings: Settings,
    now_ms: i64,
}

impl Bench {
    /// A server that is connected.
    fn ready() -> Self {
        let config = ServerConfig::http("s", "http://h/mcp");
        let mut bench = Self { state: initial(&config, 1_000), settings: Settings::default(), now_ms: 1_000 };
        bench.give(Input::Start { consented: true });
        bench.open_connection();
        bench
    }

    fn give(&mut self, input: Input) -> Vec<Effect> {
        apply(&mut self.state, &self.settings, input, self.now_ms, &SeededRandomness::new(1))
    }

    /// Ends the attempt under way well.
    fn open_connection(&mut self) -> Vec<Effect> {
        let generation = self.state.generation;
        self.give(Input::TransportOpen { generation, pid: None });
        let greeting = crate::facets::tests::greeting();
        self.give(Input::Greeted { generation, greeting: Box::new(greeting) });
        self.give(Input::Ready { generation, connect_ms: 1, latency_ms: 1, surface: Surface::default() })
    }

    fn called(&mut self, well: bool) -> Vec<Effect> {
        self.give(Input::CallCounted { failure: (!well).then(|| "cut".to_owned()) })
    }

    fn probe_answers(&mut self) {
        self.give(Input::ProbeAnswered { generation: self.state.generation, latency_ms: 1 });
    }

    fn probe_fails(&mut self) {
        let fault = Fault::new(ErrorCategory::HealthCheck, "silence", self.now_ms);
        self.give(Input::ProbeFailed { generation: self.state.generation, fault });
    }

    fn breaker(&self) -> BreakerState {
        self.state.facets.breaker.state
    }

    /// How long it stays open from now on.
    fn wait_ms(&self) -> i64 {
        self.state.facets.breaker.next_action_at_ms.unwrap() - self.now_ms
    }
}

#[test]
fn five_failures_in_a_row_open_it_for_thirty_seconds_and_one_answer_between_them_does_not() {
    let mut bench = Bench::ready();
    for _ in 0..4 {
        bench.called(false);
    }
    bench.called(true);
    for _ in 0..4 {
        bench.called(false);
    }
    assert_eq!(bench.breaker(), BreakerState::Closed);
    let effects = bench.called(false);
    assert_eq!((bench.breaker(), bench.wait_ms()), (BreakerState::Open, 30_000));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::BreakerAt(31_000))));
    assert_eq!(bench.state.next_action_at_ms, Some(31_000), "what happens next is told");
    assert!(bench.state.summary.contains("5 calls in a row failed on the way"), "{}", bench.state.summary);
}

#[test]
fn half_of_at_least_ten_calls_open_it() {
    let mut bench = Bench::ready();
    for _ in 0..4 {
        bench.called(true);
        bench.called(false);
    }
    bench.called(true);
    assert_eq!(bench.breaker(), BreakerState::Closed, "nine calls are too few");
    bench.called(false);
    assert_eq!(bench.breaker(), BreakerState::Open);
}

#[test]
fn an_answered_probe_between_calls_breaks_the_row_but_stays_out_of_the_share() {
    let mut bench = Bench::ready();
    for call in 1..=10 {
        assert_eq!(bench.breaker(), BreakerState::Closed, "call {call}");
        bench.called(false);
        bench.probe_answers();
    }
    assert_eq!(bench.breaker(), BreakerState::Open, "ten of ten");
}

#[test]
fn when_its_time_is_over_one_probe_is_let_through_and_its_answer_closes_it() {
    let mut bench = Bench::ready();
    (0..5).for_each(|_| drop(bench.called(false)));
    bench.probe_answers();
    assert_eq!(bench.breaker(), BreakerState::Open, "a probe before its time closes nothing");
    bench.now_ms += 30_000;
    let effects = bench.give(Input::BreakerDue);
    assert_eq!((bench.breaker(), effects), (BreakerState::HalfOpen, vec![Effect::Trial]));
    bench.called(true);
    assert_eq!(bench.breaker(), BreakerState::HalfOpen, "only the trial decides");
    bench.probe_answers();
    assert_eq!(bench.breaker(), BreakerState::Closed);
}

#[test]
fn a_failed_trial_opens_it_for_longer_each_time_up_to_the_cap_and_an_answered_call_forgets_that() {
    let mut bench = Bench::ready();
    bench.settings.fall = 1_000;
    (0..5).for_each(|_| drop(bench.called(false)));
    for times in 2..=12 {
        bench.now_ms += bench.wait_ms();
        bench.give(Input::BreakerDue);
        bench.probe_fails();
        assert_eq!((bench.breaker(), bench.wait_ms()), (BreakerState::Open, (30_000 * times).min(300_000)));
    }
    bench.now_ms += bench.wait_ms();
    bench.give(Input::BreakerDue);
    bench.probe_answers();
    (0..5).for_each(|_| drop(bench.called(false)));
    assert_eq!(bench.wait_ms(), 300_000, "a trial alone is no proof");
    bench.now_ms += 300_000;
    bench.give(Input::BreakerDue);
    bench.probe_answers();
    bench.called(true);
    (0..5).for_each(|_| drop(bench.called(false)));
    assert_eq!(bench.wait_ms(), 30_000);
}

#[test]
fn without_a_connection_the_trial_is_one_attempt_to_connect() {
    let mut bench = Bench::ready();
    (0..5).for_each(|_| drop(bench.called(false)));
    let gone = Fault::new(ErrorCategory::ProcessExit, "gone", bench.now_ms);
    bench.give(Input::Lost { generation: bench.state.generation, fault: gone });
    bench.now_ms += 30_000;
    let generation = bench.state.generation + 1;
    let effects = bench.give(Input::BreakerDue);
    assert!(effects.contains(&Effect::Connect { generation }), "{effects:?}");
    bench.open_connection();
    assert_eq!(bench.breaker(), BreakerState::Closed);
}

#[test]
fn the_operator_need_not_wait_for_the_trial() {
    let mut bench = Bench::ready();
    (0..5).for_each(|_| drop(bench.called(false)));
    let effects = bench.give(Input::RetryNow);
    assert_eq!((bench.breaker(), effects), (BreakerState::HalfOpen, vec![Effect::Trial]));
}

/// The rule in few words: what a closed breaker has seen, when it was opened how often.
#[derive(Default)]
struct Model {
    calls: Vec<bool>,
    row: u32,
    times: u32,
    state: ModelState,
}

#[derive(Default, PartialEq, Debug, Clone, Copy)]
enum ModelState {
    #[default]
    Closed,
    Open(i64),
    HalfOpen,
}

impl Model {
    fn open(&mut self, now_ms: i64) {
        self.times += 1;
        self.state = ModelState::Open(now_ms + (30_000 * i64::from(self.times)).min(300_000));
        (self.calls, self.row) = (Vec::new(), 0);
    }

    fn call(&mut self, well: bool, now_ms: i64) {
        if self.state != ModelState::Closed {
            return;
        }
        self.calls.push(well);
        if well {
            (self.row, self.times) = (0, 0);
            return;
        }
        self.row += 1;
        let last = &self.calls[self.calls.len().saturating_sub(20)..];
        let bad = last.iter().filter(|well| !**well).count();
        if self.row >= 5 || (last.len() >= 10 && bad * 2 >= last.len()) {
            self.open(now_ms);
        }
    }

    fn probe(&mut self, well: bool, now_ms: i64) {
        match (self.state, well) {
            (ModelState::HalfOpen, true) => self.state = ModelState::Closed,
            (ModelState::HalfOpen, false) => self.open(now_ms),
            (ModelState::Closed, true) => self.row = 0,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn it_follows_the_reference_model(steps in prop::collection::vec((0u8..8, 0i64..60_000), 1..200)) {
        let mut bench = Bench::ready();
        // Health stays out of it: the connection lasts.
        bench.settings.fall = u32::MAX;
        let mut model = Model::default();
        for (kind, wait_ms) in steps {
            bench.now_ms += wait_ms;
            match kind {
                0..=1 => {
                    bench.called(true);
                    model.call(true, bench.now_ms);
                }
                2..=4 => {
                    bench.called(false);
                    model.call(false, bench.now_ms);
                }
                5 => {
                    bench.probe_answers();
                    model.probe(true, bench.now_ms);
                }
                6 => {
                    bench.probe_fails();
                    model.probe(false, bench.now_ms);
                }
                _ => {
                    bench.give(Input::BreakerDue);
                    if matches!(model.state, ModelState::Open(_)) {
                        model.state = ModelState::HalfOpen;
                    }
                }
            }
            let breaker = &bench.state.facets.breaker;
            let seen = match (breaker.state, breaker.next_action_at_ms) {
                (BreakerState::Closed, None) => ModelState::Closed,
                (BreakerState::HalfOpen, None) => ModelState::HalfOpen,
                (BreakerState::Open, Some(until_ms)) => ModelState::Open(until_ms),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(seen, model.state);
        }
    }
}
