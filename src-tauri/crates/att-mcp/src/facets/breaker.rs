//! The breaker facet: calls that fail on the way open it, one read-only trial closes it again (design 1.1).
//!
//! It belongs to the server and not to one of its connections: a call that took its connection down counts, however
//! quickly the next connection began.

use super::{Effect, Step, facet};
use crate::config::Settings;
use crate::model::{AdminState, BreakerCount, BreakerState, ConnectionState, Reason, ReasonCode};

/// Calls that the window can hold at most.
const LARGEST_WINDOW: u32 = 64;

/// A call was answered, whatever the answer.
pub(super) fn answered(step: &mut Step<'_>) {
    if state(step) != BreakerState::Closed {
        return;
    }
    let window = step.settings.breaker_window;
    let count = &mut step.state.counters.breaker;
    push(count, false, window);
    count.failures_in_a_row = 0;
    // Only real work shows that the trouble is over; a trial alone shows that it may be.
    count.times_opened = 0;
}

/// A call failed on the way.
pub(super) fn failed(step: &mut Step<'_>, text: &str) {
    if state(step) != BreakerState::Closed {
        return;
    }
    let settings = step.settings;
    let count = &mut step.state.counters.breaker;
    push(count, true, settings.breaker_window);
    count.failures_in_a_row = count.failures_in_a_row.saturating_add(1);
    if let Some(why) = verdict(count, settings) {
        open(step, &format!("{why}; the last: {text}"));
    }
}

/// The server was heard other than by a call: a probe, the lists, a new connection.
pub(super) fn alive(step: &mut Step<'_>) {
    match state(step) {
        BreakerState::Closed => step.state.counters.breaker.failures_in_a_row = 0,
        BreakerState::HalfOpen => {
            let text = "The trial was answered; calls go through again.";
            step.state.facets.breaker =
                facet(BreakerState::Closed, step.now_ms, Reason::new(ReasonCode::BreakerClosed, text));
        }
        BreakerState::Open => {}
    }
}

/// The server could not be heard: the end of a trial, if there is one.
pub(super) fn dead(step: &mut Step<'_>, text: &str) {
    if state(step) == BreakerState::HalfOpen {
        open(step, &format!("the trial failed: {text}"));
    }
}

/// The time has come, or the operator does not want to wait for it: one read-only trial.
pub(super) fn half_open(step: &mut Step<'_>) {
    if state(step) != BreakerState::Open {
        return;
    }
    let text = "One probe is let through; calls wait for its answer.";
    step.state.facets.breaker =
        facet(BreakerState::HalfOpen, step.now_ms, Reason::new(ReasonCode::BreakerTrial, text));
    match step.connection() {
        ConnectionState::Ready => step.effects.push(Effect::Trial),
        // The attempt under way is the trial.
        ConnectionState::Connecting | ConnectionState::Negotiating | ConnectionState::Discovering => {}
        _ if step.state.facets.admin.state == AdminState::Enabled => step.begin_attempt(),
        _ => {}
    }
}

/// Forgets what was known: the server was switched off.
pub(super) fn reset(step: &mut Step<'_>, code: ReasonCode, text: &str) {
    if state(step) != BreakerState::Closed {
        step.state.facets.breaker = facet(BreakerState::Closed, step.now_ms, Reason::new(code, text));
    }
}

/// How long it stays open for the `times`-th time.
#[must_use]
pub fn open_ms(settings: &Settings, times: u32) -> i64 {
    settings.breaker_open_ms.saturating_mul(i64::from(times)).min(settings.breaker_open_cap_ms)
}

fn open(step: &mut Step<'_>, why: &str) {
    let count = &mut step.state.counters.breaker;
    count.times_opened = count.times_opened.saturating_add(1);
    (count.failures_in_a_row, count.recent, count.recent_calls) = (0, 0, 0);
    let until_ms = step.now_ms.saturating_add(open_ms(step.settings, count.times_opened));
    let mut breaker = facet(
        BreakerState::Open,
        step.now_ms,
        Reason::new(ReasonCode::BreakerOpened, format!("No calls: {why}.")),
    );
    breaker.next_action_at_ms = Some(until_ms);
    step.state.facets.breaker = breaker;
    step.effects.push(Effect::BreakerAt(until_ms));
}

/// Why the breaker opens now, if it does.
fn verdict(count: &BreakerCount, settings: &Settings) -> Option<String> {
    let failed = count.recent.count_ones();
    if count.failures_in_a_row >= settings.breaker_failures {
        return Some(format!("{} calls in a row failed on the way", count.failures_in_a_row));
    }
    let enough = count.recent_calls >= settings.breaker_min_calls.max(1);
    let share =
        u64::from(failed) * 100 >= u64::from(settings.breaker_percent) * u64::from(count.recent_calls);
    (enough && share).then(|| format!("{failed} of the last {} calls failed on the way", count.recent_calls))
}

fn push(count: &mut BreakerCount, failed: bool, window: u32) {
    let window = window.clamp(1, LARGEST_WINDOW);
    let mask = u64::MAX >> (LARGEST_WINDOW - window);
    count.recent = ((count.recent << 1) | u64::from(failed)) & mask;
    count.recent_calls = count.recent_calls.saturating_add(1).min(window);
}

fn state(step: &Step<'_>) -> BreakerState {
    step.state.facets.breaker.state
}

#[cfg(test)]
mod tests;
