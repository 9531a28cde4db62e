//! The pure heart of a connection: `(state, input, now) -> effects`. No I/O, no clock, no task.
//!
//! **Invariant:** every change of a [`ServerState`] happens in [`apply`]; the connection facet moves only along
//! [`legal`]; whatever belongs to an older generation changes nothing.

mod breaker;
mod derive;
mod health;
mod initial;
mod input;
mod judged;
mod session;

use att_core::id::Randomness;

use crate::config::Settings;
use crate::model::{
    AdminState, AuthNeed, BreakerState, ConnectionState, Counters, ErrorCategory, EventKind, Facet, Fault,
    HealthState, Reason, ReasonCode, ServerState,
};
use crate::text;

pub use breaker::open_ms;
use health::{failure, success};
use initial::facet;
pub use initial::initial;
pub use input::{Effect, Greeting, Input, Surface};

/// True when the connection facet may move from `from` to `to`.
#[must_use]
pub fn legal(from: ConnectionState, to: ConnectionState) -> bool {
    use ConnectionState as C;
    match to {
        C::Connecting => matches!(from, C::Idle | C::Backoff | C::AuthRequired | C::Authorizing | C::Stopped),
        C::Negotiating => from == C::Connecting,
        C::Discovering => from == C::Negotiating,
        C::Ready => from == C::Discovering,
        C::AuthRequired | C::Backoff => {
            matches!(from, C::Connecting | C::Negotiating | C::Discovering | C::Ready | C::Authorizing)
        }
        C::Authorizing => from == C::AuthRequired,
        C::Draining => from == C::Ready,
        C::Stopped => from != C::Stopped,
        C::Idle => is_live(from) || matches!(from, C::Backoff | C::Draining),
    }
}

/// True while an attempt runs or the connection stands.
#[must_use]
pub fn is_live(state: ConnectionState) -> bool {
    use ConnectionState as C;
    matches!(state, C::Connecting | C::Negotiating | C::Discovering | C::Ready)
}

/// Applies one input at `now_ms`. The same state, input, time and randomness always give the same result.
pub fn apply(
    state: &mut ServerState,
    settings: &Settings,
    input: Input,
    now_ms: i64,
    randomness: &dyn Randomness,
) -> Vec<Effect> {
    if let Some(generation) = input.generation()
        && generation != state.generation
    {
        tracing::debug!(server = %state.server, generation, current = state.generation, "late input dropped");
        return Vec::new();
    }
    let mut step = Step { state, settings, now_ms, randomness, effects: Vec::new() };
    step.take(input);
    let effects = step.effects;
    derive::refresh(state, now_ms);
    effects
}

/// One transition under way.
struct Step<'a> {
    state: &'a mut ServerState,
    settings: &'a Settings,
    now_ms: i64,
    randomness: &'a dyn Randomness,
    effects: Vec<Effect>,
}

impl Step<'_> {
    fn take(&mut self, input: Input) {
        match input {
            Input::Start { consented } => {
                if self.state.facets.admin.state == AdminState::Enabled {
                    self.admit(consented);
                }
            }
            Input::Enable { consented } => {
                if matches!(self.state.facets.admin.state, AdminState::Disabled | AdminState::Quarantined) {
                    self.admin(AdminState::Enabled, ReasonCode::OperatorRequest, "Switched on.");
                    self.admit(consented);
                }
            }
            Input::ConsentGiven => {
                if self.state.facets.admin.state == AdminState::ConsentRequired {
                    self.admin(
                        AdminState::Enabled,
                        ReasonCode::ConsentGiven,
                        "The operator approved the command line.",
                    );
                    self.begin_attempt();
                }
            }
            Input::Disable => {
                self.admin(
                    AdminState::Disabled,
                    ReasonCode::OperatorRequest,
                    "Switched off by the operator.",
                );
                self.stop(ReasonCode::OperatorRequest, "Switched off by the operator.");
            }
            Input::Drain { until_ms } => self.drain(until_ms),
            Input::Invalidate { code } => self.invalidate(code),
            Input::Woken => self.woken(),
            Input::Shutdown => self.stop(ReasonCode::Shutdown, "ATT no longer looks after it."),
            Input::RetryNow => match self.connection() {
                _ if self.state.facets.breaker.state == BreakerState::Open => breaker::half_open(self),
                ConnectionState::Ready => self.effects.push(Effect::ProbeNow),
                // A person in a browser is not hurried.
                ConnectionState::Authorizing
                | ConnectionState::Connecting
                | ConnectionState::Negotiating
                | ConnectionState::Discovering => {}
                _ if self.state.facets.admin.state == AdminState::Enabled => self.begin_attempt(),
                _ => {}
            },
            Input::AuthorizeBegun { until_ms } => {
                if self.connection() == ConnectionState::AuthRequired {
                    let text = "Waits for a person to agree in the browser.";
                    self.move_to(ConnectionState::Authorizing, ReasonCode::Authorizing, text, Some(until_ms));
                }
            }
            Input::AuthorizeFailed { need, text } => {
                if self.connection() == ConnectionState::Authorizing {
                    self.move_to(ConnectionState::AuthRequired, auth_code(Some(need)), text, None);
                }
            }
            Input::Authorized => {
                let waits =
                    matches!(self.connection(), ConnectionState::Authorizing | ConnectionState::AuthRequired);
                if waits && self.state.facets.admin.state == AdminState::Enabled {
                    self.begin_attempt();
                }
            }
            Input::AuthorizationForgotten => {
                if self.state.facets.admin.state == AdminState::Enabled {
                    self.stop(ReasonCode::OperatorRequest, "The operator threw its authorization away.");
                    self.begin_attempt();
                }
            }
            Input::Wanted => {
                let enabled = self.state.facets.admin.state == AdminState::Enabled;
                if enabled && !is_live(self.connection()) {
                    self.begin_attempt();
                }
            }
            Input::CallCounted { failure: None } => breaker::answered(self),
            Input::CallCounted { failure: Some(text) } => breaker::failed(self, &text),
            Input::BreakerDue => breaker::half_open(self),
            // The timer's owner counts on a clock that never jumps; the wall clock is not asked again.
            Input::RetryDue => {
                if self.connection() == ConnectionState::Backoff {
                    self.begin_attempt();
                }
            }
            Input::TransportOpen { pid, .. } => {
                self.state.pid = pid;
                self.move_to(
                    ConnectionState::Negotiating,
                    ReasonCode::TransportOpen,
                    "The transport is open; finding out the era.",
                    None,
                );
            }
            Input::Greeted { greeting, .. } => self.greeted(*greeting),
            Input::Ready { connect_ms, latency_ms, surface, .. } => {
                self.ready(connect_ms, latency_ms, surface)
            }
            Input::SurfaceRead { surface, .. } => {
                if self.connection() == ConnectionState::Ready {
                    self.state.last_activity_at_ms = Some(self.now_ms);
                    match surface.failed.first().cloned() {
                        None => breaker::alive(self),
                        Some(failed) => breaker::dead(self, &failed),
                    }
                    self.surface(surface);
                    health::settle(self);
                }
            }
            Input::Lost { fault, .. } => self.lost(fault),
            Input::ProbeAnswered { latency_ms, .. } => {
                if self.connection() == ConnectionState::Ready {
                    self.state.latency_ms = Some(latency_ms);
                    self.state.last_activity_at_ms = Some(self.now_ms);
                    self.unthrottle();
                    success(self, Some(latency_ms));
                    breaker::alive(self);
                }
            }
            Input::ProbeFailed { fault, .. } => self.probe_failed(fault),
            Input::ProbePlanned { at_ms, .. } => {
                if self.connection() == ConnectionState::Ready {
                    self.state.facets.health.next_action_at_ms = Some(at_ms);
                }
            }
            Input::CallAnswered { .. } => {
                if self.connection() == ConnectionState::Ready {
                    self.state.last_activity_at_ms = Some(self.now_ms);
                    self.unthrottle();
                    success(self, None);
                }
            }
            Input::CallFailed { fault, .. } => self.call_failed(fault),
            Input::Judged { baseline_id, drift, quarantine, consented } => {
                self.judged(baseline_id, drift, quarantine, consented);
            }
        }
    }

    fn connection(&self) -> ConnectionState {
        self.state.facets.connection.state
    }

    fn admin(&mut self, to: AdminState, code: ReasonCode, text: &str) {
        if self.state.facets.admin.state != to {
            self.state.facets.admin = facet(to, self.now_ms, Reason::new(code, text));
        }
    }

    fn admit(&mut self, consented: bool) {
        if consented {
            self.begin_attempt();
        } else {
            self.admin(
                AdminState::ConsentRequired,
                ReasonCode::ConsentMissing,
                "Its command line was not approved yet, or changed since.",
            );
        }
    }

    fn begin_attempt(&mut self) {
        if !legal(self.connection(), ConnectionState::Connecting) {
            return;
        }
        self.state.generation += 1;
        self.state.attempts = self.state.attempts.saturating_add(1);
        let text = format!("Attempt {} began.", self.state.attempts);
        self.move_to(ConnectionState::Connecting, ReasonCode::AttemptStarted, text, None);
        self.effects.push(Effect::Connect { generation: self.state.generation });
    }

    fn greeted(&mut self, greeting: Greeting) {
        let text = format!(
            "It speaks {} ({}); reading its lists.",
            greeting.protocol_version,
            greeting.era.as_str()
        );
        self.state.era = Some(greeting.era);
        self.state.protocol_version = Some(greeting.protocol_version);
        if let Some(transport) = greeting.transport {
            self.state.transport = transport;
        }
        // What is shown is cleaned; the snapshot has it raw.
        self.state.server_info = Some(text::shown_json(&greeting.server_info));
        self.state.capabilities = Some(text::shown_json(&greeting.capabilities));
        self.state.instructions = greeting.instructions.map(|told| text::shown(&told, text::INSTRUCTIONS));
        self.move_to(ConnectionState::Discovering, ReasonCode::EraKnown, text, None);
    }

    fn ready(&mut self, connect_ms: i64, latency_ms: i64, surface: Surface) {
        if self.connection() != ConnectionState::Discovering {
            return;
        }
        self.state.connect_ms = Some(connect_ms);
        self.state.latency_ms = Some(latency_ms);
        self.state.last_activity_at_ms = Some(self.now_ms);
        self.surface(surface);
        self.move_to(
            ConnectionState::Ready,
            ReasonCode::ListsTaken,
            format!("Connected in {connect_ms} ms."),
            None,
        );
        success(self, Some(latency_ms));
        // A connection with its lists is a trial that was answered; it says nothing about the calls before.
        if self.state.facets.breaker.state == BreakerState::HalfOpen {
            breaker::alive(self);
        }
    }

    fn surface(&mut self, surface: Surface) {
        self.state.counts = surface.counts;
        self.state.counters.failed_lists = u32::try_from(surface.failed.len()).unwrap_or(u32::MAX);
        if surface.snapshot_id.is_some() {
            self.state.snapshot_id = surface.snapshot_id;
        }
        self.state.error = match surface.failed.is_empty() {
            true => None,
            false => Some(Fault::new(ErrorCategory::RpcError, surface.failed.join("; "), self.now_ms)),
        };
    }

    fn lost(&mut self, fault: Fault) {
        if !is_live(self.connection()) {
            return;
        }
        let was_ready_ms = match self.connection() {
            ConnectionState::Ready => self.now_ms - self.state.facets.connection.since_ms,
            _ => 0,
        };
        let was_ready = self.connection() == ConnectionState::Ready;
        if was_ready {
            self.state.attempts = 0;
        }
        self.effects.push(Effect::Close);
        self.state.pid = None;
        self.state.error = Some(fault.clone());
        match fault.category {
            ErrorCategory::AuthRequired => {
                breaker::alive(self);
                let code = auth_code(fault.need);
                self.move_to(ConnectionState::AuthRequired, code, fault.message, None);
            }
            ErrorCategory::Throttled => {
                breaker::alive(self);
                let at = fault.retry_at_ms.unwrap_or(self.now_ms + self.settings.backoff_base_ms);
                self.back_off(at, ReasonCode::Throttled, fault.message);
            }
            _ => {
                if was_ready && was_ready_ms >= self.settings.backoff_reset_after_ms {
                    self.state.counters.backoff_attempts = 0;
                }
                self.state.counters.backoff_attempts = self.state.counters.backoff_attempts.saturating_add(1);
                let at = self.now_ms + self.jittered_wait();
                let code = match fault.category {
                    ErrorCategory::ProcessExit => ReasonCode::ProcessExited,
                    _ if was_ready => ReasonCode::TransportClosed,
                    _ => ReasonCode::ConnectFailed,
                };
                failure(self, code, &fault.message);
                breaker::dead(self, &fault.message);
                self.back_off(at, code, fault.message);
            }
        }
    }

    fn back_off(&mut self, at_ms: i64, code: ReasonCode, text: String) {
        self.move_to(ConnectionState::Backoff, code, text, Some(at_ms));
        self.effects.push(Effect::RetryAt(at_ms));
    }

    /// Full jitter: anything from 0 to `base * factor^(attempts - 1)`, capped.
    fn jittered_wait(&self) -> i64 {
        let bound = backoff_bound_ms(self.settings, self.state.counters.backoff_attempts);
        let span = u128::try_from(bound).unwrap_or(0) + 1;
        i64::try_from(self.randomness.bits() % span).unwrap_or(0)
    }

    fn probe_failed(&mut self, fault: Fault) {
        if self.connection() != ConnectionState::Ready {
            return;
        }
        match fault.category {
            ErrorCategory::AuthRequired => self.lost(fault),
            ErrorCategory::Throttled => self.throttle(fault),
            ErrorCategory::TransportError | ErrorCategory::ProcessExit => self.lost(fault),
            _ => {
                self.state.error = Some(fault.clone());
                breaker::dead(self, &fault.message);
                let fell = failure(self, ReasonCode::ProbeFailed, &fault.message);
                // An unreachable server is left to reconnection.
                if fell {
                    self.reconnect(fault);
                }
            }
        }
    }

    fn call_failed(&mut self, fault: Fault) {
        if self.connection() != ConnectionState::Ready {
            return;
        }
        match fault.category {
            ErrorCategory::AuthRequired | ErrorCategory::ProcessExit => self.lost(fault),
            ErrorCategory::Throttled => self.throttle(fault),
            ErrorCategory::Cancelled => self.effects.push(Effect::ProbeNow),
            // A tool may rightly take long; a probe tells whether the server lives. Until it has told so, others are
            // asked first.
            ErrorCategory::NetworkTimeout => {
                if self.state.facets.health.state == HealthState::Healthy {
                    failure(self, ReasonCode::CallFailed, &fault.message);
                }
                self.effects.push(Effect::ProbeNow);
            }
            _ => {
                self.state.error = Some(fault.clone());
                let fell = failure(self, ReasonCode::CallFailed, &fault.message);
                if fell {
                    self.reconnect(fault);
                } else {
                    self.effects.push(Effect::ProbeNow);
                }
            }
        }
    }

    /// Closes a connection whose failures were counted already.
    fn reconnect(&mut self, fault: Fault) {
        self.effects.push(Effect::Close);
        self.state.pid = None;
        self.state.attempts = 0;
        self.state.counters.backoff_attempts = self.state.counters.backoff_attempts.saturating_add(1);
        let at = self.now_ms + self.jittered_wait();
        self.back_off(at, ReasonCode::ProbeFailed, fault.message);
    }

    fn throttle(&mut self, fault: Fault) {
        breaker::alive(self);
        let at = fault.retry_at_ms.unwrap_or(self.now_ms + self.settings.probe_interval_ms);
        self.state.facets.connection.reason = Reason::new(ReasonCode::Throttled, fault.message.clone());
        self.state.facets.connection.next_action_at_ms = Some(at);
        self.state.error = Some(fault);
    }

    fn unthrottle(&mut self) {
        let connection = &mut self.state.facets.connection;
        if connection.reason.code == ReasonCode::Throttled {
            connection.reason = Reason::new(ReasonCode::Answered, "It answers again.");
            connection.next_action_at_ms = None;
        }
    }

    fn stop(&mut self, code: ReasonCode, text: &str) {
        self.effects.push(Effect::Close);
        self.state.pid = None;
        self.state.attempts = 0;
        self.state.counters = Counters::default();
        self.move_to(ConnectionState::Stopped, code, text, None);
        health::reset(self, code, text);
        breaker::reset(self, code, text);
    }

    fn move_to(
        &mut self,
        to: ConnectionState,
        code: ReasonCode,
        text: impl Into<String>,
        next_action_at_ms: Option<i64>,
    ) {
        let from = self.connection();
        if !legal(from, to) {
            tracing::debug!(server = %self.state.server, ?from, ?to, "transition refused");
            return;
        }
        let reason = Reason::new(code, text);
        self.state.facets.connection =
            Facet { state: to, since_ms: self.now_ms, reason: reason.clone(), next_action_at_ms };
        if to != ConnectionState::Ready {
            self.state.facets.health.next_action_at_ms = None;
        }
        self.effects.push(Effect::Emit(EventKind::ConnectionChanged { from, to, reason, next_action_at_ms }));
    }
}

/// The reason that tells who can cure an `auth_required`.
fn auth_code(need: Option<AuthNeed>) -> ReasonCode {
    match need {
        Some(AuthNeed::Secret) => ReasonCode::SecretMissing,
        Some(AuthNeed::Refused) => ReasonCode::AuthRefused,
        Some(AuthNeed::Authorize) | None => ReasonCode::AuthRequired,
    }
}

/// The largest wait before attempt `attempts + 1`: `base * factor^(attempts - 1)`, at most the cap.
#[must_use]
pub fn backoff_bound_ms(settings: &Settings, attempts: u32) -> i64 {
    let exponent = i32::try_from(attempts.saturating_sub(1).min(200)).unwrap_or(200);
    let base = i32::try_from(settings.backoff_base_ms).unwrap_or(i32::MAX);
    let cap = i32::try_from(settings.backoff_cap_ms).unwrap_or(i32::MAX);
    let bound = f64::from(base) * settings.backoff_factor.powi(exponent);
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the cap, which fits an i32")]
    let bound = bound.min(f64::from(cap)) as i64;
    bound.max(0)
}

#[cfg(test)]
mod tests;
