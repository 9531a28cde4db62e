//! Where every server begins.

use super::derive;
use crate::config::ServerConfig;
use crate::model::{
    AdminState, BreakerState, ConnectionState, Counters, Facet, Facets, HealthState, ListCounts, Reason,
    ReasonCode, ServerState, Status, SuggestedAction,
};

/// The state of a server that ATT has just learned of.
#[must_use]
pub fn initial(config: &ServerConfig, now_ms: i64) -> ServerState {
    let admin = if config.disabled { AdminState::Disabled } else { AdminState::Enabled };
    let started = || Reason::new(ReasonCode::Started, "ATT started.");
    let configured = Reason::new(ReasonCode::Configured, "As configured.");
    let mut state = ServerState {
        server: config.name.clone(),
        transport: config.transport(),
        group: config.group.clone(),
        era: None,
        protocol_version: None,
        generation: 0,
        status: Status::Connecting,
        summary: String::new(),
        suggested_action: SuggestedAction::None,
        facets: Facets {
            admin: Facet { state: admin, since_ms: now_ms, reason: configured, next_action_at_ms: None },
            connection: facet(ConnectionState::Idle, now_ms, started()),
            health: facet(HealthState::Unknown, now_ms, started()),
            breaker: facet(BreakerState::Closed, now_ms, started()),
        },
        counters: Counters::default(),
        counts: ListCounts::default(),
        connect_ms: None,
        latency_ms: None,
        error: None,
        attempts: 0,
        server_info: None,
        capabilities: None,
        instructions: None,
        snapshot_id: None,
        baseline_id: None,
        drift: None,
        command_digest: config.command_digest(),
        command_line: config.command_line(),
        command_env: config.env.keys().cloned().collect(),
        pid: None,
        last_activity_at_ms: None,
        since_ms: now_ms,
        next_action_at_ms: None,
        as_of_ms: now_ms,
    };
    derive::refresh(&mut state, now_ms);
    state
}

pub(super) fn facet<S>(state: S, now_ms: i64, reason: Reason) -> Facet<S> {
    Facet { state, since_ms: now_ms, reason, next_action_at_ms: None }
}
