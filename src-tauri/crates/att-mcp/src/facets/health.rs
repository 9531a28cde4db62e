//! The health facet: fall, rise, slow, partial, recovering (design 1.1).

use super::Step;
use crate::model::{Counters, EventKind, HealthState, Reason, ReasonCode};

/// A success counts; `latency_ms` is given where the answer's time says something about health.
pub(super) fn success(step: &mut Step<'_>, latency_ms: Option<i64>) {
    let counters = &mut step.state.counters;
    counters.failures_in_a_row = 0;
    counters.successes_in_a_row = counters.successes_in_a_row.saturating_add(1);
    if counters.fell && counters.successes_in_a_row >= step.settings.rise {
        counters.fell = false;
    }
    if let Some(latency) = latency_ms {
        counters.slow = latency > step.settings.slow_after_ms;
    }
    if counters.failed_lists == 0 {
        step.state.error = None;
    }
    settle(step);
}

/// A failure counts. True when it made the server unreachable just now or it was so already.
pub(super) fn failure(step: &mut Step<'_>, code: ReasonCode, text: &str) -> bool {
    let fall = step.settings.fall;
    let counters = &mut step.state.counters;
    counters.successes_in_a_row = 0;
    counters.failures_in_a_row = counters.failures_in_a_row.saturating_add(1);
    let fell = counters.failures_in_a_row >= fall || counters.fell;
    counters.fell = fell;
    let failures = counters.failures_in_a_row;
    let to = if fell { HealthState::Unreachable } else { HealthState::Degraded };
    move_to(step, to, Reason::new(code, format!("{text} ({failures} in a row)")));
    fell
}

/// Puts health where the counters say, after a success or a new surface.
pub(super) fn settle(step: &mut Step<'_>) {
    let Counters { fell, failed_lists, slow, successes_in_a_row, failures_in_a_row, .. } =
        step.state.counters;
    if failures_in_a_row > 0 {
        return;
    }
    let latency = step.state.latency_ms.unwrap_or(0);
    let (to, reason) = if fell {
        let text = format!("It answers again: {successes_in_a_row} of {} in a row.", step.settings.rise);
        (HealthState::Degraded, Reason::new(ReasonCode::Recovering, text))
    } else if failed_lists > 0 {
        let text = step.state.error.as_ref().map_or_else(String::new, |e| e.message.clone());
        let text = format!("Connected, but not every list could be read: {text}");
        (HealthState::Degraded, Reason::new(ReasonCode::PartialCapabilities, text))
    } else if slow {
        let text =
            format!("It took {latency} ms to answer; {} ms is the limit.", step.settings.slow_after_ms);
        (HealthState::Degraded, Reason::new(ReasonCode::Slow, text))
    } else {
        (HealthState::Healthy, Reason::new(ReasonCode::Answered, "It answers in time."))
    };
    move_to(step, to, reason);
}

/// Forgets what was known: the server was switched off.
pub(super) fn reset(step: &mut Step<'_>, code: ReasonCode, text: &str) {
    move_to(step, HealthState::Unknown, Reason::new(code, text));
}

/// Moves the facet and tells so when the state or the kind of reason changed; a new number alone is no event.
fn move_to(step: &mut Step<'_>, to: HealthState, reason: Reason) {
    let health = &mut step.state.facets.health;
    let from = health.state;
    let news = from != to || health.reason.code != reason.code;
    if from != to {
        health.since_ms = step.now_ms;
    }
    health.state = to;
    health.reason = reason.clone();
    if news {
        step.effects.push(super::Effect::Emit(EventKind::HealthChanged { from, to, reason }));
    }
}
