//! The records of a call: attempts, events, and the failure that carries them.

use tokio::time::Instant;

use super::candidates::Excluded;
use super::run::Call;
use super::{FailureCode, InvokeFailure};
use crate::connection::Server;
use crate::link::{Link, millis};
use crate::model::{
    Attempt, AttemptRecord, AttemptStage, BreakerState, ErrorCategory, EventKind, InvocationPhase,
    InvokeOutcome,
};
use crate::text::sentence;

/// Longest error text kept, in characters.
const MAX_ERROR: usize = 2_000;

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

    /// Puts the next attempt on record before anything is done, so that a cancelled call has it all the same.
    pub(super) fn begin(&mut self, server: &Server) {
        let breaker = server.breaker();
        self.attempts
            .push(Attempt { generation: server.generation(), ..blank(&server.config.name, breaker) });
    }

    /// The connection stands and the request goes out now.
    pub(super) fn sending(&mut self, link: &Link, begun: Instant, renewed: bool) {
        let waited = millis(begun.elapsed());
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.generation = link.generation;
            attempt.era = Some(link.greeting.era);
            attempt.stage = AttemptStage::Invoke;
            attempt.outcome = InvokeOutcome::SentNoReply;
            attempt.connect_ms = renewed.then_some(waited);
            attempt.queue_ms = Some(if renewed { 0 } else { waited });
        }
    }

    /// What the attempt did to the breaker, where the server's actor could tell.
    pub(super) fn breaker_after(&mut self, breaker: Option<BreakerState>) {
        if let (Some(attempt), Some(breaker)) = (self.attempts.last_mut(), breaker) {
            attempt.breaker_after = breaker;
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
            attempt.error = error.map(|(_, text)| sentence(text, MAX_ERROR));
            attempt.error_category = error.map(|(category, _)| category);
            attempt.first_byte_ms = first_byte_ms;
            attempt.total_ms = Some(total_ms);
        }
    }

    pub(super) fn exclude(&mut self, excluded: &Excluded) {
        self.attempts.push(Attempt {
            generation: excluded.generation,
            excluded_reason: Some(att_core::redact(&excluded.reason)),
            ..blank(&excluded.server, excluded.breaker)
        });
    }

    pub(super) fn failure(&self, code: FailureCode, message: String) -> Box<InvokeFailure> {
        Box::new(InvokeFailure {
            code,
            status: code.status(),
            message: sentence(&message, MAX_ERROR),
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
            error: error.map(|(_, text)| sentence(text, MAX_ERROR)),
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

fn blank(server: &str, breaker: BreakerState) -> Attempt {
    Attempt {
        server: server.to_owned(),
        generation: 0,
        era: None,
        stage: AttemptStage::Initialize,
        outcome: InvokeOutcome::NotSent,
        error: None,
        error_category: None,
        excluded_reason: None,
        queue_ms: None,
        connect_ms: None,
        first_byte_ms: None,
        total_ms: None,
        breaker_before: breaker,
        breaker_after: breaker,
    }
}
