//! Runs one invocation against the fleet's servers.

use std::sync::Arc;
use std::time::Duration;

use att_core::id::{CorrelationId, RequestId};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::exchange::Exchange;
use super::{FailureCode, InvokeAnswer, InvokeFailure, InvokeRequest, Operation};
use crate::connection::{Ask, Server, Shared};
use crate::dial::{duration, to_fault};
use crate::facets::Input;
use crate::link::{Answer, Link, Patience, RequestError, millis};
use crate::model::{
    AdminState, Attempt, AttemptStage, BreakerState, ErrorCategory, Fault, InvocationPhase, InvokeOutcome,
};
use crate::wire::WireFault;

/// How often a connection that turned out stale is renewed for one call.
const RENEWALS: u32 = 1;

/// One invocation under way.
pub(super) struct Call<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request_id: RequestId,
    pub(super) correlation: CorrelationId,
    pub(super) client: String,
    pub(super) operation: Operation,
    pub(super) attempts: Vec<Attempt>,
    pub(super) begun_ms: i64,
}

/// Invokes `request` on one of `servers`.
pub(crate) async fn invoke(
    shared: &Shared,
    servers: &[Arc<Server>],
    request: InvokeRequest,
    cancel: CancellationToken,
) -> Result<InvokeAnswer, InvokeFailure> {
    let now_ms = shared.clock.now_ms();
    let mut call = Call {
        shared,
        request_id: request.request_id.unwrap_or_else(|| RequestId::mint(now_ms, &*shared.randomness)),
        correlation: request.correlation_id.unwrap_or_else(|| CorrelationId::mint(&*shared.randomness)),
        client: request.client,
        operation: request.operation,
        attempts: Vec::new(),
        begun_ms: now_ms,
    };
    let outcome = match call.candidate(servers, request.server.as_deref()) {
        Ok(server) => {
            let total = request.timeout_ms.unwrap_or(server.config.settings.call_timeout_ms).max(1);
            // Signs of life carry a call beyond its time only where the caller set none.
            let most = request.timeout_ms.unwrap_or(server.config.settings.call_max_ms);
            let run = Box::pin(call.run(&server, duration(total), duration(most)));
            tokio::select! {
                biased;
                outcome = run => outcome.map(|result| (server.config.name.clone(), result)),
                () = cancel.cancelled() => Err(None),
            }
        }
        Err(failure) => Err(Some(failure)),
    };
    let outcome = match outcome {
        Err(None) => Err(call.cancelled()),
        Err(Some(failure)) => Err(failure),
        Ok(answer) => Ok(answer),
    };
    call.record();
    match outcome {
        Ok((server, result)) => Ok(InvokeAnswer {
            request_id: call.request_id,
            correlation_id: call.correlation,
            server,
            method: call.operation.method().to_owned(),
            result,
            attempts: call.attempts,
        }),
        Err(mut failure) => {
            failure.attempts = call.attempts;
            Err(*failure)
        }
    }
}

impl Call<'_> {
    /// The one server to ask, with arguments that fit its schema.
    fn candidate(
        &mut self,
        servers: &[Arc<Server>],
        named: Option<&str>,
    ) -> Result<Arc<Server>, Box<InvokeFailure>> {
        let item = self.operation.item().to_owned();
        let server = match named {
            Some(name) => match servers.iter().find(|s| s.config.name == name) {
                Some(server) => Arc::clone(server),
                None => {
                    self.exclude(name, 0, "there is no server of that name");
                    let text = format!("no server is called {name}");
                    return Err(self.failure(FailureCode::NoServerAvailable, text));
                }
            },
            None => {
                let offering: Vec<_> = servers.iter().filter(|s| offers(s, &self.operation)).collect();
                match offering.as_slice() {
                    [one] => Arc::clone(one),
                    [] => {
                        for server in servers {
                            self.exclude(
                                &server.config.name,
                                server.state().generation,
                                "it does not offer it",
                            );
                        }
                        let text = format!("no server offers {item}");
                        return Err(self.failure(FailureCode::NoServerAvailable, text));
                    }
                    many => {
                        let names: Vec<_> = many.iter().map(|s| s.config.name.as_str()).collect();
                        let text = format!("{item} is offered by {}; name one of them", names.join(", "));
                        return Err(self.failure(FailureCode::InvalidRequest, text));
                    }
                }
            }
        };
        let state = server.state();
        if state.facets.admin.state != AdminState::Enabled {
            self.exclude(&server.config.name, state.generation, state.status.as_str());
            let text = format!("{} cannot be asked: {}", server.config.name, state.summary);
            return Err(self.failure(FailureCode::NoServerAvailable, text));
        }
        if let Some(why) = server.quarantined(self.operation.list(), &item) {
            self.exclude(&server.config.name, state.generation, "the item is quarantined");
            let text = format!("{item} of {} is quarantined: {why}", server.config.name);
            return Err(self.failure(FailureCode::ItemQuarantined, text));
        }
        if let Operation::CallTool { name, arguments } = &self.operation
            && let Some(snapshot) = server.snapshot()
            && let Some(tool) = snapshot.lists.tools.items.iter().find(|t| t.key == *name)
        {
            let wrong = self.shared.schemas.input_misfits(tool, &Value::Object(arguments.clone()));
            if !wrong.is_empty() {
                let text = format!("the arguments do not fit {name}: {}", wrong.join("; "));
                return Err(self.failure(FailureCode::InvalidRequest, text));
            }
        }
        Ok(server)
    }

    async fn run(
        &mut self,
        server: &Arc<Server>,
        total: Duration,
        hard_end: Duration,
    ) -> Result<Value, Option<Box<InvokeFailure>>> {
        let deadline = Instant::now() + total;
        let hard_end = Instant::now() + hard_end.max(total);
        let mut renewals = 0;
        loop {
            let begun = Instant::now();
            let (link, connect_ms) = self.link(server, deadline).await.map_err(Some)?;
            self.event(server, link.generation, InvocationPhase::InvokeStart, None);
            // Pushed before the request goes out: a cancelled call has its attempt all the same.
            self.attempts.push(Attempt {
                connect_ms,
                queue_ms: Some(millis(begun.elapsed()) - connect_ms.unwrap_or(0)),
                ..self.attempt(server, &link, InvokeOutcome::SentNoReply)
            });
            let left = deadline.saturating_duration_since(Instant::now());
            let asked = Instant::now();
            let exchange = Exchange {
                shared: self.shared,
                server,
                link: &link,
                operation: &self.operation,
                request_id: &self.request_id,
                correlation: &self.correlation,
            };
            let resets = server.config.settings.progress_resets;
            let outcome = exchange.run(Patience { silence: left, until: hard_end, resets }).await;
            let total_ms = millis(begun.elapsed());
            let out_of_time = Instant::now() + Duration::from_millis(5) >= deadline;
            match outcome {
                Ok(answer) => {
                    server.ask(Ask::Input(Input::CallAnswered { generation: link.generation })).await;
                    return self.answered(server, &link, answer, total_ms).map_err(Some);
                }
                Err(RequestError::Refused { code, message, data, first_byte_ms }) => {
                    server.ask(Ask::Input(Input::CallAnswered { generation: link.generation })).await;
                    let first = first_byte_ms.or(Some(millis(asked.elapsed())));
                    let text = format!("{message} (JSON-RPC error {code})");
                    self.settle(
                        InvokeOutcome::RepliedError,
                        Some((ErrorCategory::RpcError, &text)),
                        first,
                        total_ms,
                    );
                    self.event(
                        server,
                        link.generation,
                        InvocationPhase::InvokeFailure,
                        Some((ErrorCategory::RpcError, &text)),
                    );
                    let mut failure = self.failure(
                        FailureCode::ApplicationError,
                        format!("{} answered with an error: {text}", server.config.name),
                    );
                    failure.answer = Some(json!({"code": code, "message": message, "data": data}));
                    return Err(Some(failure));
                }
                Err(RequestError::NotSent(fault)) => {
                    let (outcome, error) =
                        (InvokeOutcome::NotSent, Some((fault.category, fault.message.as_str())));
                    self.settle(outcome, error, None, total_ms);
                    self.event(server, link.generation, InvocationPhase::InvokeFailure, error);
                    self.tell_failure(server, &link, &fault).await;
                    if renewals < RENEWALS && !out_of_time {
                        renewals += 1;
                        continue;
                    }
                    let text = format!("{} could not be asked: {}", server.config.name, fault.message);
                    return Err(Some(self.failure(FailureCode::AllAttemptsFailed, text)));
                }
                Err(RequestError::NoReply(fault)) => {
                    let error = Some((fault.category, fault.message.as_str()));
                    self.settle(InvokeOutcome::SentNoReply, error, None, total_ms);
                    self.event(server, link.generation, InvocationPhase::InvokeFailure, error);
                    self.tell_failure(server, &link, &fault).await;
                    return Err(Some(self.no_reply(server, &fault, out_of_time, total)));
                }
            }
        }
    }

    fn no_reply(
        &self,
        server: &Server,
        fault: &WireFault,
        out_of_time: bool,
        total: Duration,
    ) -> Box<InvokeFailure> {
        let name = &server.config.name;
        if out_of_time && fault.category == ErrorCategory::NetworkTimeout {
            let text = format!("{name} did not answer within {} ms", total.as_millis());
            return self.failure(FailureCode::TimedOut, text);
        }
        if self.is_safe(server) {
            let text = format!("{name} did not answer: {}", fault.message);
            return self.failure(FailureCode::AllAttemptsFailed, text);
        }
        let text = format!(
            "{name} got the request and did not answer: {}. It may have been done, so ATT did not ask again",
            fault.message
        );
        self.failure(FailureCode::NotReissued, text)
    }

    /// Reads and prompts are safe; a tool only where the operator said so, whatever its own hints say.
    fn is_safe(&self, server: &Server) -> bool {
        match &self.operation {
            Operation::CallTool { name, .. } => server.config.idempotent.contains(name),
            Operation::ReadResource { .. } | Operation::GetPrompt { .. } => true,
        }
    }

    /// A usable link; the time to renew the connection, where that was needed.
    async fn link(
        &mut self,
        server: &Arc<Server>,
        deadline: Instant,
    ) -> Result<(Arc<Link>, Option<i64>), Box<InvokeFailure>> {
        if let Some(link) = server.link() {
            return Ok((link, None));
        }
        let begun = Instant::now();
        let generation = server.state().generation;
        self.event(server, generation, InvocationPhase::InitializeStart, None);
        let (reply, answer) = oneshot::channel();
        let asked = async {
            match server.ask(Ask::Link(reply)).await {
                true => answer.await.ok(),
                false => None,
            }
        };
        let ended = || Fault::new(ErrorCategory::Cancelled, "the server was removed or ATT is ending", 0);
        let (fault, timed_out) = match timeout_at(deadline, asked).await {
            Ok(Some(Ok(link))) => {
                self.event(server, link.generation, InvocationPhase::InitializeSuccess, None);
                return Ok((link, Some(millis(begun.elapsed()))));
            }
            Ok(Some(Err(fault))) => (fault, false),
            Ok(None) => (ended(), false),
            Err(_) => {
                let text = "the connection was not ready in time";
                (Fault::new(ErrorCategory::NetworkTimeout, text, self.shared.clock.now_ms()), true)
            }
        };
        let error = Some((fault.category, fault.message.as_str()));
        self.event(server, server.state().generation, InvocationPhase::InitializeFailure, error);
        let spent = Some(millis(begun.elapsed()));
        self.attempts.push(Attempt {
            server: server.config.name.clone(),
            generation: server.state().generation,
            era: server.state().era,
            stage: AttemptStage::Initialize,
            outcome: InvokeOutcome::NotSent,
            error: Some(fault.message.clone()),
            error_category: Some(fault.category),
            excluded_reason: None,
            queue_ms: Some(0),
            connect_ms: spent,
            first_byte_ms: None,
            total_ms: spent,
            breaker_before: BreakerState::Closed,
            breaker_after: BreakerState::Closed,
        });
        let code = if timed_out { FailureCode::TimedOut } else { FailureCode::AllAttemptsFailed };
        Err(self.failure(code, format!("{} could not be connected: {}", server.config.name, fault.message)))
    }

    fn answered(
        &mut self,
        server: &Server,
        link: &Link,
        answer: Answer,
        total_ms: i64,
    ) -> Result<Value, Box<InvokeFailure>> {
        let is_error = answer.value.get("isError").and_then(Value::as_bool) == Some(true);
        let asks_back = answer.value.get("resultType").and_then(Value::as_str) == Some("input_required");
        if !is_error && !asks_back {
            self.settle(InvokeOutcome::RepliedOk, None, answer.first_byte_ms, total_ms);
            self.event(server, link.generation, InvocationPhase::InvokeSuccess, None);
            return Ok(answer.value);
        }
        let text = match asks_back {
            true => "it asks for further input, which this version of ATT cannot give".to_owned(),
            false => text_of(&answer.value),
        };
        let error = Some((ErrorCategory::RpcError, text.as_str()));
        self.settle(InvokeOutcome::RepliedError, error, answer.first_byte_ms, total_ms);
        self.event(server, link.generation, InvocationPhase::InvokeFailure, error);
        let text = format!("{} answered with an error: {text}", server.config.name);
        let mut failure = self.failure(FailureCode::ApplicationError, text);
        failure.answer = Some(answer.value);
        Err(failure)
    }

    async fn tell_failure(&self, server: &Server, link: &Link, fault: &WireFault) {
        let fault = to_fault(fault, self.shared.clock.now_ms());
        server.ask(Ask::Input(Input::CallFailed { generation: link.generation, fault })).await;
    }
}

fn offers(server: &Server, operation: &Operation) -> bool {
    server.state().facets.admin.state == AdminState::Enabled
        && server.snapshot().is_some_and(|snapshot| {
            snapshot.lists.get(operation.list()).items.iter().any(|item| item.key == operation.item())
        })
}

/// The text of a tool's error content.
fn text_of(result: &Value) -> String {
    let texts: Vec<_> = result
        .get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    let text = if texts.is_empty() { "it gave no text".to_owned() } else { texts.join(" ") };
    text.chars().take(1_000).collect()
}
