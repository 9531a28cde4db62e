//! Server states, attempts and events.

use super::{count, json_text, word};
use crate::dto::{AttemptDto, EventDto, FacetDto, FacetsDto, ServerRowDto};
use att_mcp::model::{
    Attempt, AttemptStage, ConnectionState, ErrorCategory, Event, EventKind, Facet, Fault, InvokeOutcome,
    ServerState,
};
use serde::Serialize;

fn facet<S: Serialize>(facet: &Facet<S>, attempt: Option<u32>) -> FacetDto {
    FacetDto {
        state: word(&facet.state),
        since_ms: facet.since_ms,
        reason_code: Some(word(&facet.reason.code)),
        reason: Some(facet.reason.text.clone()),
        next_action_at_ms: facet.next_action_at_ms,
        attempt,
    }
}

/// The row of `state`, with what only a live fleet knows.
#[must_use]
pub fn server_row(state: &ServerState, latency_history_ms: Vec<i64>, drifted: bool) -> ServerRowDto {
    let facets = &state.facets;
    let ready = facets.connection.state == ConnectionState::Ready;
    let failed_attempts = Some(state.attempts).filter(|attempts| *attempts > 0 && !ready);
    ServerRowDto {
        server: state.server.clone(),
        transport: state.transport.as_str().to_owned(),
        era: state.era.map(|era| era.as_str().to_owned()),
        protocol_version: state.protocol_version.clone(),
        status: state.status.as_str().to_owned(),
        summary: state.summary.clone(),
        facets: FacetsDto {
            admin: facet(&facets.admin, None),
            connection: facet(&facets.connection, failed_attempts),
            health: facet(&facets.health, None),
            breaker: facet(&facets.breaker, None),
        },
        tools: state.counts.tools,
        resources: state.counts.resources,
        resource_templates: state.counts.resource_templates,
        prompts: state.counts.prompts,
        connect_ms: state.connect_ms,
        error: state.error.as_ref().map(|fault| fault.message.clone()),
        error_code: state.error.as_ref().map(|fault| fault.code.clone()),
        error_cure: state.error.as_ref().map(cure),
        attempts: newest_connect(state).into_iter().collect(),
        since_ms: state.since_ms,
        next_action_at_ms: state.next_action_at_ms,
        suggested_action: word(&state.suggested_action),
        snapshot_id: state.snapshot_id.clone(),
        latency_ms: state.latency_ms,
        latency_history_ms,
        pid: state.pid,
        drifted,
    }
}

/// The newest connection attempt of a server as an attempt record; none before the first.
fn newest_connect(state: &ServerState) -> Option<AttemptDto> {
    let ready = state.facets.connection.state == ConnectionState::Ready;
    if state.generation == 0 || (!ready && state.error.is_none()) {
        return None;
    }
    let fault = state.error.as_ref().filter(|_| !ready);
    let outcome = match fault.map(|fault| fault.category) {
        None => InvokeOutcome::RepliedOk,
        Some(ErrorCategory::NetworkTimeout | ErrorCategory::HealthCheck) => InvokeOutcome::SentNoReply,
        Some(ErrorCategory::TransportError | ErrorCategory::ProcessExit | ErrorCategory::Cancelled) => {
            InvokeOutcome::NotSent
        }
        Some(_) => InvokeOutcome::RepliedError,
    };
    let breaker = word(&state.facets.breaker.state);
    Some(AttemptDto {
        server: state.server.clone(),
        generation: count(state.generation),
        era: state.era.map(|era| era.as_str().to_owned()),
        stage: word(&AttemptStage::Initialize),
        outcome: word(&outcome),
        error: fault.map(|fault| fault.message.clone()),
        error_category: fault.map(|fault| word(&fault.category)),
        excluded_reason: None,
        queue_ms: None,
        connect_ms: state.connect_ms.filter(|_| ready),
        first_byte_ms: None,
        total_ms: state.connect_ms.filter(|_| ready),
        breaker_before: breaker.clone(),
        breaker_after: breaker,
    })
}

fn cure(fault: &Fault) -> String {
    fault.category.cure().to_owned()
}

/// One attempt.
#[must_use]
pub fn attempt(attempt: &Attempt) -> AttemptDto {
    AttemptDto {
        server: attempt.server.clone(),
        generation: count(attempt.generation),
        era: attempt.era.map(|era| era.as_str().to_owned()),
        stage: word(&attempt.stage),
        outcome: word(&attempt.outcome),
        error: attempt.error.clone(),
        error_category: attempt.error_category.as_ref().map(word::<ErrorCategory>),
        excluded_reason: attempt.excluded_reason.clone(),
        queue_ms: attempt.queue_ms,
        connect_ms: attempt.connect_ms,
        first_byte_ms: attempt.first_byte_ms,
        total_ms: attempt.total_ms,
        breaker_before: word(&attempt.breaker_before),
        breaker_after: word(&attempt.breaker_after),
    }
}

/// One event, with its sentence.
#[must_use]
pub fn event(event: &Event) -> EventDto {
    EventDto {
        id: event.id.to_string(),
        kind: event.kind.name().to_owned(),
        server: event.server.clone(),
        generation: count(event.generation),
        at_ms: event.at_ms,
        correlation_id: Some(event.correlation_id.to_string()),
        text: sentence(&event.kind),
        body: serde_json::to_value(&event.kind).map(|body| json_text(&body)).unwrap_or_default(),
    }
}

fn sentence(kind: &EventKind) -> String {
    match kind {
        EventKind::ConnectionChanged { from, to, reason, .. } => {
            format!("{} → {}: {}", word(from), word(to), reason.text)
        }
        EventKind::HealthChanged { from, to, reason } => {
            format!("{} → {}: {}", word(from), word(to), reason.text)
        }
        EventKind::InvocationPhase { phase, method, item, error, .. } => match error {
            Some(error) => format!("{} {method} {item}: {error}", word(phase)),
            None => format!("{} {method} {item}", word(phase)),
        },
        EventKind::SnapshotTaken { snapshot_id, .. } => {
            format!("snapshot {} was taken", snapshot_id.get(..12).unwrap_or(snapshot_id))
        }
        EventKind::DriftFound { summary, severity, .. } => format!("{}: {summary}", word(severity)),
        EventKind::ServerStderr { line } => line.clone(),
    }
}
