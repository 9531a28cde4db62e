use att_core::id::SeededRandomness;
use proptest::prelude::*;

use super::*;
use crate::config::ServerConfig;
use crate::model::{Era, Status, SuggestedAction};

struct Bench {
    state: ServerState,
    settings: Settings,
    randomness: SeededRandomness,
    now_ms: i64,
}

impl Bench {
    fn new() -> Self {
        let state = initial(&ServerConfig::http("s", "http://h/mcp"), 1_000);
        Self { state, settings: Settings::default(), randomness: SeededRandomness::new(7), now_ms: 1_000 }
    }

    fn give(&mut self, input: Input) -> Vec<Effect> {
        self.now_ms += 10;
        apply(&mut self.state, &self.settings, input, self.now_ms, &self.randomness)
    }

    fn connect(&mut self, latency_ms: i64) {
        if self.state.generation == 0 {
            self.give(Input::Start { consented: true });
        } else {
            self.give(Input::RetryNow);
        }
        let generation = self.state.generation;
        self.give(Input::TransportOpen { generation, pid: Some(5) });
        self.give(Input::Greeted { generation, greeting: Box::new(greeting()) });
        let surface = Surface { snapshot_id: Some("a".into()), ..Surface::default() };
        self.give(Input::Ready { generation, connect_ms: 20, latency_ms, surface });
    }

    fn fail(&mut self, category: ErrorCategory) -> Vec<Effect> {
        let fault = Fault::new(category, "no", self.now_ms);
        self.give(Input::Lost { generation: self.state.generation, fault })
    }

    fn health(&self) -> (HealthState, ReasonCode) {
        (self.state.facets.health.state, self.state.facets.health.reason.code)
    }
}

pub(super) fn greeting() -> Greeting {
    Greeting {
        era: Era::Legacy,
        protocol_version: "2025-11-25".into(),
        transport: None,
        server_info: serde_json::json!({"name": "s"}),
        capabilities: serde_json::json!({}),
        instructions: None,
    }
}

#[test]
fn the_first_success_makes_healthy_and_a_failure_degraded() {
    let mut bench = Bench::new();
    assert_eq!(bench.state.status, Status::Connecting);
    bench.connect(3);
    assert_eq!((bench.state.status, bench.health().0), (Status::Healthy, HealthState::Healthy));
    assert_eq!(bench.state.summary, "Answers in 3 ms; no tools.");
    bench.fail(ErrorCategory::TransportError);
    assert_eq!(bench.state.status, Status::Degraded);
    assert_eq!(bench.state.facets.connection.state, ConnectionState::Backoff);
    assert!(bench.state.next_action_at_ms.is_some());
    assert_eq!(bench.state.suggested_action, SuggestedAction::RetryNow);
}

#[test]
fn down_for_three_attempts_is_degraded_unreachable_recovering_healthy() {
    let mut bench = Bench::new();
    bench.connect(3);
    let mut seen = vec![bench.health().0];
    bench.fail(ErrorCategory::ProcessExit);
    seen.push(bench.health().0);
    for _ in 0..2 {
        bench.give(Input::RetryNow);
        bench.fail(ErrorCategory::ProcessExit);
        seen.push(bench.health().0);
    }
    use HealthState as H;
    assert_eq!(seen, [H::Healthy, H::Degraded, H::Degraded, H::Unreachable]);
    bench.connect(3);
    assert_eq!(bench.health(), (H::Degraded, ReasonCode::Recovering));
    let generation = bench.state.generation;
    bench.give(Input::ProbeAnswered { generation, latency_ms: 2 });
    assert_eq!(bench.health(), (H::Healthy, ReasonCode::Answered));
}

#[test]
fn a_slow_answer_is_degraded_slow_until_a_quick_one() {
    let mut bench = Bench::new();
    bench.connect(6_000);
    assert_eq!(bench.health(), (HealthState::Degraded, ReasonCode::Slow));
    let generation = bench.state.generation;
    bench.give(Input::CallAnswered { generation });
    assert_eq!(bench.health().1, ReasonCode::Slow, "a call's own time says nothing about health");
    bench.give(Input::ProbeAnswered { generation, latency_ms: 100 });
    assert_eq!(bench.health(), (HealthState::Healthy, ReasonCode::Answered));
}

#[test]
fn a_failed_list_is_partial_and_a_later_good_one_heals_it() {
    let mut bench = Bench::new();
    bench.connect(1);
    let generation = bench.state.generation;
    let surface = Surface { failed: vec!["prompts: no".into()], ..Surface::default() };
    bench.give(Input::SurfaceRead { generation, surface });
    assert_eq!(bench.health(), (HealthState::Degraded, ReasonCode::PartialCapabilities));
    assert_eq!(bench.state.snapshot_id.as_deref(), Some("a"), "the last good snapshot is kept");
    bench.give(Input::SurfaceRead { generation, surface: Surface::default() });
    assert_eq!(bench.health().0, HealthState::Healthy);
}

#[test]
fn authorization_and_throttling_do_not_touch_health() {
    let mut bench = Bench::new();
    bench.connect(1);
    bench.fail(ErrorCategory::AuthRequired);
    assert_eq!((bench.state.status, bench.health().0), (Status::AuthRequired, HealthState::Healthy));
    assert_eq!(bench.state.next_action_at_ms, None);
    bench.connect(1);
    let generation = bench.state.generation;
    let fault = Fault::new(ErrorCategory::Throttled, "wait", 0).retry_at(99_000);
    bench.give(Input::ProbeFailed { generation, fault });
    assert_eq!((bench.state.status, bench.state.next_action_at_ms), (Status::Throttled, Some(99_000)));
    bench.give(Input::ProbeAnswered { generation, latency_ms: 1 });
    assert_eq!(bench.state.status, Status::Healthy);
}

#[test]
fn a_person_in_a_browser_is_waited_for_and_what_comes_of_it_tells_who_can_cure_it() {
    let mut bench = Bench::new();
    bench.give(Input::Start { consented: true });
    bench.fail(ErrorCategory::AuthRequired);
    assert_eq!(bench.state.suggested_action, SuggestedAction::Authorize);
    bench.give(Input::AuthorizeBegun { until_ms: 300_000 });
    let generation = bench.state.generation;
    bench.give(Input::RetryNow);
    let shown = (bench.state.status, bench.state.suggested_action, bench.state.next_action_at_ms);
    assert_eq!(shown, (Status::AuthRequired, SuggestedAction::None, Some(300_000)));
    assert_eq!(bench.state.generation, generation, "a call or a click does not hurry them");
    bench.give(Input::AuthorizeFailed { need: AuthNeed::Refused, text: "another issuer".into() });
    assert_eq!(bench.state.suggested_action, SuggestedAction::ViewLogs);
    bench.give(Input::AuthorizeBegun { until_ms: 600_000 });
    let effects = bench.give(Input::Authorized);
    assert!(effects.contains(&Effect::Connect { generation: generation + 1 }), "{effects:?}");
}

#[test]
fn whatever_arrives_for_an_older_generation_changes_nothing() {
    let mut bench = Bench::new();
    bench.connect(1);
    let old = bench.state.generation;
    bench.fail(ErrorCategory::ProcessExit);
    bench.give(Input::RetryNow);
    let before = bench.state.clone();
    let fault = Fault::new(ErrorCategory::Unknown, "late", 0);
    assert_eq!(bench.give(Input::Lost { generation: old, fault }), []);
    assert_eq!(bench.state, before);
}

#[test]
fn attempts_are_those_of_the_present_connection() {
    let mut bench = Bench::new();
    bench.connect(1);
    assert_eq!(bench.state.attempts, 1);
    bench.fail(ErrorCategory::TransportError);
    assert_eq!(bench.state.attempts, 0);
    bench.give(Input::RetryNow);
    bench.fail(ErrorCategory::TransportError);
    bench.connect(1);
    assert_eq!(bench.state.attempts, 2);
}

#[test]
fn a_server_without_consent_is_not_started_until_it_is_given() {
    let mut bench = Bench::new();
    assert_eq!(bench.give(Input::Start { consented: false }), []);
    assert_eq!(
        (bench.state.status, bench.state.suggested_action),
        (Status::ConsentRequired, SuggestedAction::ApproveCommand)
    );
    assert_eq!(bench.give(Input::RetryNow), [], "asking again is no consent");
    let effects = bench.give(Input::ConsentGiven);
    assert!(effects.contains(&Effect::Connect { generation: 1 }));
}

#[test]
fn switching_off_closes_and_switching_on_connects_again() {
    let mut bench = Bench::new();
    bench.connect(1);
    assert!(bench.give(Input::Disable).contains(&Effect::Close));
    assert_eq!(
        (bench.state.status, bench.state.suggested_action),
        (Status::Disabled, SuggestedAction::Enable)
    );
    let effects = bench.give(Input::Enable { consented: true });
    assert!(effects.contains(&Effect::Connect { generation: 2 }));
}

#[test]
fn the_backoff_starts_anew_after_a_minute_of_ready() {
    let mut bench = Bench::new();
    bench.connect(1);
    for _ in 0..5 {
        bench.fail(ErrorCategory::TransportError);
        bench.connect(1);
    }
    assert_eq!(bench.state.counters.backoff_attempts, 5);
    bench.now_ms += 60_000;
    bench.fail(ErrorCategory::TransportError);
    assert_eq!(bench.state.counters.backoff_attempts, 1);
}

#[derive(Debug, Clone)]
enum Heard {
    Good,
    Slow,
    Bad,
}

/// The rules of design 1.1 written a second time, over the bare list of what was heard.
fn reference(heard: &[Heard], fall: u32, rise: u32) -> HealthState {
    let (mut fails, mut goods, mut down, mut state) = (0, 0, false, HealthState::Unknown);
    for sound in heard {
        match sound {
            Heard::Bad => {
                goods = 0;
                fails += 1;
                down |= fails >= fall;
                state = if down { HealthState::Unreachable } else { HealthState::Degraded };
            }
            Heard::Good | Heard::Slow => {
                fails = 0;
                goods += 1;
                down &= goods < rise;
                let fit = !down && matches!(sound, Heard::Good);
                state = if fit { HealthState::Healthy } else { HealthState::Degraded };
            }
        }
    }
    state
}

proptest! {
    #[test]
    fn health_follows_the_reference_model(
        heard in prop::collection::vec(prop_oneof![3 => Just(Heard::Good), 1 => Just(Heard::Slow), 3 => Just(Heard::Bad)], 1..60),
        fall in 1u32..6,
        rise in 1u32..6,
    ) {
        let mut bench = Bench::new();
        bench.settings.fall = fall;
        bench.settings.rise = rise;
        for (index, sound) in heard.iter().enumerate() {
            match sound {
                Heard::Bad => {
                    if !is_live(bench.state.facets.connection.state) {
                        let start = if bench.state.generation == 0 { Input::Start { consented: true } } else { Input::RetryNow };
                        bench.give(start);
                    }
                    bench.fail(ErrorCategory::TransportError);
                }
                Heard::Good | Heard::Slow => {
                    let latency_ms = if matches!(sound, Heard::Good) { 1 } else { 9_000 };
                    if bench.state.facets.connection.state == ConnectionState::Ready {
                        let generation = bench.state.generation;
                        bench.give(Input::ProbeAnswered { generation, latency_ms });
                    } else {
                        bench.connect(latency_ms);
                    }
                }
            }
            prop_assert_eq!(bench.health().0, reference(&heard[..=index], fall, rise));
        }
    }

    #[test]
    fn no_order_of_inputs_leaves_the_legal_paths(steps in prop::collection::vec((0u8..23, 0u64..4, 0i64..200_000), 1..200), seed: u64) {
        let mut bench = Bench::new();
        bench.randomness = SeededRandomness::new(seed);
        for (kind, back, wait) in steps {
            bench.now_ms += wait;
            let generation = bench.state.generation.saturating_sub(back);
            let fault = |category| Fault::new(category, "x", 0);
            let input = match kind {
                0 => Input::Start { consented: true },
                1 => Input::Enable { consented: true },
                2 => Input::Disable,
                3 => Input::ConsentGiven,
                4 => Input::RetryNow,
                5 => Input::RetryDue,
                6 => Input::TransportOpen { generation, pid: None },
                7 => Input::Greeted { generation, greeting: Box::new(greeting()) },
                8 => Input::Ready { generation, connect_ms: 1, latency_ms: wait, surface: Surface::default() },
                9 => Input::Lost { generation, fault: fault(ErrorCategory::TransportError) },
                10 => Input::Lost { generation, fault: fault(ErrorCategory::Throttled) },
                11 => Input::ProbeFailed { generation, fault: fault(ErrorCategory::NetworkTimeout) },
                14 => Input::Lost { generation, fault: fault(ErrorCategory::AuthRequired) },
                15 => Input::AuthorizeBegun { until_ms: bench.now_ms + 300_000 },
                16 => Input::AuthorizeFailed { need: AuthNeed::Authorize, text: "no".into() },
                17 => Input::Authorized,
                18 => Input::AuthorizationForgotten,
                19 => Input::Wanted,
                20 => Input::CallCounted { failure: Some("x".into()) },
                21 => Input::BreakerDue,
                12 => Input::CallFailed { generation, fault: fault(ErrorCategory::InvalidPayload) },
                _ => Input::ProbeAnswered { generation, latency_ms: wait },
            };
            let before = bench.state.clone();
            let effects = bench.give(input);
            for effect in &effects {
                if let Effect::Emit(EventKind::ConnectionChanged { from, to, .. }) = effect {
                    prop_assert!(legal(*from, *to), "{:?} -> {:?}", from, to);
                }
                if let Effect::Connect { generation } = effect {
                    prop_assert_eq!(*generation, before.generation + 1);
                }
            }
            prop_assert!(bench.state.generation >= before.generation);
            let breaker = &bench.state.facets.breaker;
            prop_assert_eq!(breaker.state == BreakerState::Open, breaker.next_action_at_ms.is_some());
            let after = bench.state.facets.connection.state;
            let waits = matches!(after, ConnectionState::Backoff | ConnectionState::Authorizing);
            prop_assert_eq!(waits, bench.state.facets.connection.next_action_at_ms.is_some() && after != ConnectionState::Ready);
            if let Some(at) = bench.state.facets.connection.next_action_at_ms
                && effects.iter().any(|e| matches!(e, Effect::RetryAt(_)))
                && bench.state.facets.connection.reason.code != ReasonCode::Throttled
            {
                let bound = backoff_bound_ms(&bench.settings, bench.state.counters.backoff_attempts);
                prop_assert!(at >= bench.now_ms && at - bench.now_ms <= bound && bound <= 120_000);
            }
        }
    }
}
