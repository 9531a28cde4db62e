//! The records of a call: attempts, events, and the failure that carries them.

use super::run::Call;
use super::{FailureCode, InvokeFailure};
use crate::connection::Server;
use crate::link::Link;
use crate::model::{
    Attempt, AttemptRecord, AttemptStage, BreakerState, ErrorCategory, EventKind, InvocationPhase,
    InvokeOutcome,
};

impl Call<'_> {
    pub(super) fn cancelled(&mut self) -> Box<InvokeFailure> {
        if let Some(attempt) = self.attempts.last_mut()
            && attempt.total_ms.is_none()
        {
            attempt.error = Some("the caller cancelled".to_owned());
            attempt.error_category = Some(ErrorCategory::Cancelled);
            attempt.total_ms = Some(self.shared.clock.now_ms() - self.begun_ms);
        }
        self.failure(FailureCode::Cancelled, "the call was cancelled".to_owned())
    }

    pub(super) fn attempt(&self, server: &Server, link: &Link, outcome: InvokeOutcome) -> Attempt {
        Attempt {
            server: server.config.name.clone(),
            generation: link.generation,
            era: Some(link.greeting.era),
            stage: AttemptStage::Invoke,
            outcome,
            error: None,
            error_category: None,
            excluded_reason: None,
            queue_ms: None,
            connect_ms: None,
            first_byte_ms: None,
            total_ms: None,
            breaker_before: BreakerState::Closed,
            breaker_after: BreakerState::Closed,
        }
    }

    pub(super) fn settle(
        &mut self,
        outcome: InvokeOutcome,
        error: Option<(ErrorCategory, &str)>,
        first_byte_ms: Option<i64>,
        total_ms: i64,
    ) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.outcome = outcome;
            attempt.error = error.map(|(_, text)| att_core::redact(text));
            attempt.error_category = error.map(|(category, _)| category);
            attempt.first_byte_ms = first_byte_ms;
            attempt.total_ms = Some(total_ms);
        }
    }

    pub(super) fn exclude(&mut self, server: &str, generation: u64, reason: &str) {
        self.attempts.push(Attempt {
            server: server.to_owned(),
            generation,
            era: None,
            stage: AttemptStage::Initialize,
            outcome: InvokeOutcome::NotSent,
            error: None,
            error_category: None,
            excluded_reason: Some(reason.to_owned()),
            queue_ms: None,
            connect_ms: None,
            first_byte_ms: None,
            total_ms: None,
            breaker_before: BreakerState::Closed,
            breaker_after: BreakerState::Closed,
        });
    }

    pub(super) fn failure(&self, code: FailureCode, message: String) -> Box<InvokeFailure> {
        Box::new(InvokeFailure {
            code,
            status: code.status(),
            message: att_core::redact(&message),
            method: self.operation.method().to_owned(),
            request_id: self.request_id.clone(),
            attempts: Vec::new(),
            answer: None,
        })
    }

    pub(super) fn event(
        &self,
        server: &Server,
        generation: u64,
        phase: InvocationPhase,
        error: Option<(ErrorCategory, &str)>,
    ) {
        let kind = EventKind::InvocationPhase {
            phase,
            method: self.operation.method().to_owned(),
            item: self.operation.item().to_owned(),
            error: error.map(|(_, text)| att_core::redact(text)),
            error_category: error.map(|(category, _)| category),
        };
        self.shared.record(
            &server.config.name,
            generation,
            &self.correlation,
            Some(self.request_id.clone()),
            kind,
        );
    }

    pub(super) fn record(&self) {
        let records = (0..).zip(&self.attempts).map(|(index, attempt)| AttemptRecord {
            request_id: self.request_id.clone(),
            correlation_id: self.correlation.clone(),
            index,
            at_ms: self.begun_ms,
            client: self.client.clone(),
            method: self.operation.method().to_owned(),
            item: self.operation.item().to_owned(),
            attempt: attempt.clone(),
        });
        self.shared.recorder.attempts(records.collect());
    }
}
