//! The one function that turns facets into a word, a sentence and a suggestion (design 1.1 and 4).

use crate::model::{
    AdminState, BreakerState, ConnectionState, Drift, ErrorCategory, HealthState, ReasonCode, ServerState,
    Status, SuggestedAction,
};

/// Fills the derived fields of `state`.
pub(super) fn refresh(state: &mut ServerState, now_ms: i64) {
    let status = status(state);
    if status != state.status {
        state.since_ms = now_ms;
    }
    state.status = status;
    state.summary = summary(state);
    state.suggested_action = match suggested_action(state) {
        SuggestedAction::None if state.drift.as_ref().is_some_and(Drift::is_open) => {
            SuggestedAction::ReviewDrift
        }
        action => action,
    };
    let breaker = &state.facets.breaker;
    state.next_action_at_ms =
        [state.facets.connection.next_action_at_ms, breaker.next_action_at_ms].into_iter().flatten().min();
    if breaker.state != BreakerState::Closed {
        state.summary = format!("{} {}", state.summary, breaker.reason.text);
    }
    state.as_of_ms = now_ms;
}

/// The first word that fits. `connecting` is for a server not heard of yet: one that was heard keeps its health
/// while it is dialled again, so that the word does not flicker with every attempt.
fn status(state: &ServerState) -> Status {
    let facets = &state.facets;
    match facets.admin.state {
        AdminState::Disabled => return Status::Disabled,
        AdminState::Quarantined => return Status::Quarantined,
        AdminState::ConsentRequired => return Status::ConsentRequired,
        AdminState::Enabled => {}
    }
    if matches!(facets.connection.state, ConnectionState::AuthRequired | ConnectionState::Authorizing) {
        return Status::AuthRequired;
    }
    if facets.connection.reason.code == ReasonCode::Throttled {
        return Status::Throttled;
    }
    match facets.health.state {
        HealthState::Healthy => Status::Healthy,
        HealthState::Degraded => Status::Degraded,
        HealthState::Unreachable => Status::Unreachable,
        HealthState::Unknown if facets.connection.state == ConnectionState::Stopped => Status::Stopped,
        HealthState::Unknown => Status::Connecting,
    }
}

fn summary(state: &ServerState) -> String {
    let facets = &state.facets;
    match state.status {
        Status::Disabled | Status::Quarantined | Status::ConsentRequired => facets.admin.reason.text.clone(),
        Status::AuthRequired | Status::Stopped | Status::Throttled => facets.connection.reason.text.clone(),
        Status::Connecting => match facets.connection.state {
            ConnectionState::Idle => "Waits to be connected.".to_owned(),
            ConnectionState::Connecting => format!("Connecting, attempt {}.", state.attempts.max(1)),
            _ => facets.connection.reason.text.clone(),
        },
        Status::Healthy => {
            let tools = match state.counts.tools {
                Some(1) => "1 tool".to_owned(),
                Some(count) => format!("{count} tools"),
                None => "no tools".to_owned(),
            };
            match state.latency_ms {
                Some(latency) => format!("Answers in {latency} ms; {tools}.{}", drifted(state)),
                None => format!("Answers; {tools}.{}", drifted(state)),
            }
        }
        Status::Degraded | Status::Unreachable => {
            let reason = &facets.health.reason.text;
            match facets.connection.state {
                ConnectionState::Backoff => {
                    format!("{reason} Attempt {} follows.", state.attempts.saturating_add(1))
                }
                ConnectionState::Connecting | ConnectionState::Negotiating | ConnectionState::Discovering => {
                    format!("{reason} Attempt {} is under way.", state.attempts.max(1))
                }
                _ => reason.clone(),
            }
        }
    }
}

/// A healthy server whose surface a person should look at says so.
fn drifted(state: &ServerState) -> String {
    match state.drift.as_ref().filter(|drift| drift.is_open()) {
        Some(drift) if drift.quarantined > 0 => {
            format!(" Its surface left the baseline; quarantined items: {}.", drift.quarantined)
        }
        Some(_) => " Its surface left the baseline.".to_owned(),
        None => String::new(),
    }
}

fn suggested_action(state: &ServerState) -> SuggestedAction {
    let facets = &state.facets;
    match state.status {
        Status::Disabled | Status::Stopped => SuggestedAction::Enable,
        Status::Quarantined => SuggestedAction::ReviewDrift,
        Status::ConsentRequired => SuggestedAction::ApproveCommand,
        Status::AuthRequired if facets.connection.reason.code == ReasonCode::SecretMissing => {
            SuggestedAction::SetSecret
        }
        Status::AuthRequired => match facets.connection.reason.code {
            ReasonCode::AuthRefused => SuggestedAction::ViewLogs,
            ReasonCode::Authorizing => SuggestedAction::None,
            _ => SuggestedAction::Authorize,
        },
        Status::Healthy | Status::Connecting | Status::Throttled => SuggestedAction::None,
        Status::Degraded | Status::Unreachable => {
            let exited = state.error.as_ref().is_some_and(|e| e.category == ErrorCategory::ProcessExit);
            match facets.connection.state {
                ConnectionState::Backoff if exited && state.attempts >= 2 => SuggestedAction::ViewLogs,
                ConnectionState::Backoff => SuggestedAction::RetryNow,
                ConnectionState::Ready if facets.health.reason.code == ReasonCode::PartialCapabilities => {
                    SuggestedAction::ViewLogs
                }
                _ => SuggestedAction::None,
            }
        }
    }
}
