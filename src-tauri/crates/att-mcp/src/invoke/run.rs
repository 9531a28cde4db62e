//! Runs one invocation: the candidates one after another, as long as asking again is allowed.

use std::sync::Arc;
use std::time::Duration;

use att_core::id::{CorrelationId, RequestId};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::candidates::{ItemView, Whom, rank, share};
use super::exchange::Exchange;
use super::view::{item, view};
use super::{FailureCode, InvokeAnswer, InvokeFailure, InvokeRequest, Operation};
use crate::connection::{Ask, Server, Shared};
use crate::dial::{duration, to_fault};
use crate::link::{Answer, Link, Patience, RequestError, millis};
use crate::model::{Attempt, BreakerState, ErrorCategory, Fault, InvocationPhase, InvokeOutcome};
use crate::wire::WireFault;

/// How often a connection that turned out stale is renewed for one attempt.
const RENEWALS: u32 = 1;
/// Closer to the end than this, the time is taken to be over.
const SLACK: Duration = Duration::from_millis(5);
/// Longest wait for an actor to say what a failure did to its breaker.
const VERDICT: Duration = Duration::from_secs(1);

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

/// Until when one candidate is asked.
#[derive(Clone, Copy)]
struct Time {
    /// Its share is over.
    end: Instant,
    /// The time of the call is over.
    deadline: Instant,
    /// Signs of life do not stretch it further.
    hard_end: Instant,
}

/// How asking one candidate ended.
enum Tried {
    /// It answered.
    Answered(Value),
    /// Nobody else may be asked.
    Stop(Box<InvokeFailure>),
    /// Nothing was done that must not be done twice: the next one may be asked.
    Next(FailureCode, String),
}

/// Invokes `request` on one of `servers`, which come sorted by name.
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
    let whom = Whom::of(request.server.as_deref(), request.group.as_deref(), &request.prefer);
    let outcome = match whom.map_err(|text| call.failure(FailureCode::InvalidRequest, text)) {
        Ok(whom) => match call.candidates(servers, &whom) {
            Ok(candidates) => {
                let settings = candidates.first().map(|first| &first.config.settings);
                let setting = settings.map_or(0, |settings| settings.call_timeout_ms);
                let total = duration(request.timeout_ms.unwrap_or(setting).max(1));
                // Signs of life carry a call beyond its time only where the caller set none.
                let most = settings.map_or(0, |settings| settings.call_max_ms);
                let most = duration(request.timeout_ms.unwrap_or(most));
                let run = Box::pin(call.run(&candidates, total, most));
                tokio::select! {
                    biased;
                    outcome = run => outcome.map_err(Some),
                    () = cancel.cancelled() => Err(None),
                }
            }
            Err(failure) => Err(Some(failure)),
        },
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
            output_problems: call.misfits(servers, &server, &result),
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
    /// Where a tool's answer does not fit the schema that the tool itself declares.
    fn misfits(&self, servers: &[Arc<Server>], server: &str, result: &Value) -> Vec<String> {
        let Operation::CallTool { name, .. } = &self.operation else { return Vec::new() };
        let snapshot = servers.iter().find(|s| s.config.name == server).and_then(|s| s.snapshot());
        let tool = snapshot.iter().flat_map(|s| &s.lists.tools.items).find(|t| t.key == *name);
        match (tool, result.get("structuredContent")) {
            (Some(tool), Some(structured)) => self.shared.schemas.output_misfits(tool, structured),
            (Some(tool), None) if tool.raw.get("outputSchema").is_some_and(Value::is_object) => {
                vec!["/: the tool declares an output schema and gave no structured content".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    /// Whom to ask, in order; everyone else goes on record with the reason.
    fn candidates(
        &mut self,
        servers: &[Arc<Server>],
        whom: &Whom,
    ) -> Result<Vec<Arc<Server>>, Box<InvokeFailure>> {
        let compare = matches!(whom, Whom::Group(_));
        let views: Vec<_> = servers
            .iter()
            .filter(|server| whom.concerns(&server.config.name, server.config.group.as_deref()))
            .map(|server| view(server, &self.operation, &self.shared.schemas, compare))
            .collect();
        let ranking = rank(&views, whom, self.operation.item());
        for excluded in &ranking.excluded {
            self.exclude(excluded);
        }
        if let Some((code, text)) = ranking.refusal {
            return Err(self.failure(code, text));
        }
        let named = |name: &String| servers.iter().find(|server| server.config.name == *name).map(Arc::clone);
        Ok(ranking.order.iter().filter_map(named).collect())
    }

    async fn run(
        &mut self,
        candidates: &[Arc<Server>],
        total: Duration,
        hard_end: Duration,
    ) -> Result<(String, Value), Box<InvokeFailure>> {
        let deadline = Instant::now() + total;
        let hard_end = Instant::now() + hard_end.max(total);
        let mut last = (FailureCode::NoServerAvailable, "nobody was asked".to_owned());
        for (index, server) in candidates.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left <= SLACK {
                break;
            }
            let setting = duration(server.config.settings.attempt_timeout_ms);
            let end = Instant::now() + share(setting, left, candidates.len() - index);
            match Box::pin(self.try_one(server, Time { end, deadline, hard_end })).await {
                Tried::Answered(value) => return Ok((server.config.name.clone(), value)),
                Tried::Stop(failure) => return Err(failure),
                Tried::Next(code, text) => last = (code, text),
            }
        }
        let (code, text) = last;
        if Instant::now() + SLACK >= deadline {
            let text = format!("the time of {} ms is over: {text}", total.as_millis());
            return Err(self.failure(FailureCode::TimedOut, text));
        }
        Err(match candidates.len() {
            1 => self.failure(code, text),
            many => {
                let text = format!("all {many} candidates failed; the last: {text}");
                self.failure(FailureCode::AllAttemptsFailed, text)
            }
        })
    }

    /// Asks one candidate.
    async fn try_one(&mut self, server: &Arc<Server>, time: Time) -> Tried {
        let Time { end, deadline, hard_end } = time;
        let mut renewals = 0;
        loop {
            let begun = Instant::now();
            self.begin(server);
            let (link, renewed) = match self.link(server, begun, end).await {
                Ok(found) => found,
                Err(tried) => return tried,
            };
            if renewed && let Some(tried) = self.no_longer_fits(server) {
                return tried;
            }
            self.event(server, link.generation, InvocationPhase::InvokeStart, None);
            self.sending(&link, begun, renewed);
            let asked = Instant::now();
            let exchange = Exchange {
                shared: self.shared,
                server,
                link: &link,
                operation: &self.operation,
                request_id: &self.request_id,
                correlation: &self.correlation,
            };
            let silence = end.saturating_duration_since(asked);
            let resets = server.config.settings.progress_resets;
            let outcome = exchange.run(Patience { silence, until: hard_end, resets }).await;
            let total_ms = millis(begun.elapsed());
            match outcome {
                Ok(answer) => {
                    self.tell(server, link.generation, None).await;
                    return self.answered(server, &link, answer, total_ms);
                }
                Err(RequestError::Refused { code, message, data, first_byte_ms }) => {
                    self.tell(server, link.generation, None).await;
                    let first = first_byte_ms.or(Some(millis(asked.elapsed())));
                    let text = format!("{message} (JSON-RPC error {code})");
                    let answer = json!({"code": code, "message": message, "data": data});
                    return self.replied_error(server, link.generation, &text, answer, first, total_ms);
                }
                Err(RequestError::NotSent(fault)) => {
                    let error = Some((fault.category, fault.message.as_str()));
                    self.settle(InvokeOutcome::NotSent, error, None, total_ms);
                    self.event(server, link.generation, InvocationPhase::InvokeFailure, error);
                    self.tell(server, link.generation, Some(to_fault(&fault, self.shared.clock.now_ms())))
                        .await;
                    let again = renewals < RENEWALS
                        && Instant::now() + SLACK < end
                        && server.breaker() == BreakerState::Closed;
                    if again {
                        renewals += 1;
                        continue;
                    }
                    let text = format!("{} could not be asked: {}", server.config.name, fault.message);
                    return Tried::Next(FailureCode::AllAttemptsFailed, text);
                }
                Err(RequestError::NoReply(fault)) => {
                    let error = Some((fault.category, fault.message.as_str()));
                    self.settle(InvokeOutcome::SentNoReply, error, None, total_ms);
                    self.event(server, link.generation, InvocationPhase::InvokeFailure, error);
                    self.tell(server, link.generation, Some(to_fault(&fault, self.shared.clock.now_ms())))
                        .await;
                    return self.no_reply(server, &fault, Instant::now() + SLACK >= deadline);
                }
            }
        }
    }

    /// Bytes went out and nothing came back: only what is safe may be asked elsewhere.
    fn no_reply(&self, server: &Server, fault: &WireFault, out_of_time: bool) -> Tried {
        let name = &server.config.name;
        if out_of_time && fault.category == ErrorCategory::NetworkTimeout {
            let text = format!("{name} did not answer in the time of the call: {}", fault.message);
            return Tried::Stop(self.failure(FailureCode::TimedOut, text));
        }
        if self.is_safe(server) {
            let text = format!("{name} did not answer: {}", fault.message);
            return Tried::Next(FailureCode::AllAttemptsFailed, text);
        }
        let text = format!(
            "{name} got the request and did not answer: {}. It may have been done, so ATT did not ask again",
            fault.message
        );
        Tried::Stop(self.failure(FailureCode::NotReissued, text))
    }

    /// Reads and prompts are safe; a tool only where the operator said so of this server, whatever its own hints say.
    fn is_safe(&self, server: &Server) -> bool {
        match &self.operation {
            Operation::CallTool { name, .. } => server.config.idempotent.contains(name),
            Operation::ReadResource { .. } | Operation::GetPrompt { .. } => true,
        }
    }

    /// A usable link, and whether the connection had to be renewed for it.
    async fn link(
        &mut self,
        server: &Arc<Server>,
        begun: Instant,
        end: Instant,
    ) -> Result<(Arc<Link>, bool), Tried> {
        if let Some(link) = server.link() {
            return Ok((link, false));
        }
        self.event(server, server.generation(), InvocationPhase::InitializeStart, None);
        let (reply, answer) = oneshot::channel();
        let asked = async {
            match server.ask(Ask::Link { reply, correlation: self.correlation.clone() }).await {
                true => answer.await.ok(),
                false => None,
            }
        };
        let now_ms = self.shared.clock.now_ms();
        let (fault, is_told) = match timeout_at(end, asked).await {
            Ok(Some(Ok(link))) => {
                self.event(server, link.generation, InvocationPhase::InitializeSuccess, None);
                return Ok((link, true));
            }
            Ok(Some(Err(fault))) => (fault, true),
            Ok(None) => {
                let text = "the server was removed or ATT is ending";
                (Fault::new(ErrorCategory::Cancelled, text, now_ms), false)
            }
            Err(_) => {
                let text = format!("the connection was not ready within {} ms", begun.elapsed().as_millis());
                (Fault::new(ErrorCategory::NetworkTimeout, text, now_ms), true)
            }
        };
        let error = Some((fault.category, fault.message.as_str()));
        let generation = server.generation();
        self.event(server, generation, InvocationPhase::InitializeFailure, error);
        let spent = millis(begun.elapsed());
        self.settle(InvokeOutcome::NotSent, error, None, spent);
        if let Some(attempt) = self.attempts.last_mut() {
            (attempt.connect_ms, attempt.generation) = (Some(spent), generation);
        }
        if is_told && fault.category.counts_against_breaker() {
            self.count_failed_renewal(server, &fault).await;
        }
        let text = format!("{} could not be connected: {}", server.config.name, fault.message);
        Err(Tried::Next(FailureCode::AllAttemptsFailed, text))
    }

    /// Lists that are known only now may show that the item is not there, or takes other arguments.
    fn no_longer_fits(&mut self, server: &Server) -> Option<Tried> {
        let (code, reason) = match item(server, &self.operation, &self.shared.schemas, false) {
            ItemView::Misfit(wrong) => {
                (FailureCode::InvalidRequest, format!("the arguments do not fit: {}", wrong.join("; ")))
            }
            ItemView::Quarantined(reason) => (FailureCode::ItemQuarantined, reason),
            ItemView::Missing | ItemView::Unknown | ItemView::Offered { .. } => return None,
        };
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.excluded_reason = Some(reason.clone());
            attempt.total_ms = attempt.connect_ms;
        }
        Some(Tried::Next(code, format!("{}: {reason}", server.config.name)))
    }

    fn answered(&mut self, server: &Server, link: &Link, answer: Answer, total_ms: i64) -> Tried {
        let is_error = answer.value.get("isError").and_then(Value::as_bool) == Some(true);
        let asks_back = answer.value.get("resultType").and_then(Value::as_str) == Some("input_required");
        if !is_error && !asks_back {
            self.settle(InvokeOutcome::RepliedOk, None, answer.first_byte_ms, total_ms);
            self.event(server, link.generation, InvocationPhase::InvokeSuccess, None);
            return Tried::Answered(answer.value);
        }
        let text = match asks_back {
            true => {
                answer.unmet.unwrap_or_else(|| "it asks for input as only the modern era knows it".to_owned())
            }
            false => text_of(&answer.value),
        };
        self.replied_error(server, link.generation, &text, answer.value, answer.first_byte_ms, total_ms)
    }

    /// The server said no. That is an answer: nobody else is asked.
    fn replied_error(
        &mut self,
        server: &Server,
        generation: u64,
        text: &str,
        answer: Value,
        first_byte_ms: Option<i64>,
        total_ms: i64,
    ) -> Tried {
        let error = Some((ErrorCategory::RpcError, text));
        self.settle(InvokeOutcome::RepliedError, error, first_byte_ms, total_ms);
        self.event(server, generation, InvocationPhase::InvokeFailure, error);
        let text = format!("{} answered with an error: {text}", server.config.name);
        let mut failure = self.failure(FailureCode::ApplicationError, text);
        failure.answer = Some(answer);
        Tried::Stop(failure)
    }

    /// Tells the actor how the exchange ended. After a failure it waits for what that did to the breaker.
    async fn tell(&mut self, server: &Server, generation: u64, fault: Option<Fault>) {
        let (reply, verdict) = oneshot::channel();
        let failed = fault.is_some();
        let correlation = self.correlation.clone();
        let told = server.ask(Ask::Called { generation, fault, correlation, reply }).await;
        if failed && told {
            self.breaker_after(timeout(VERDICT, verdict).await.ok().and_then(Result::ok));
        }
    }

    async fn count_failed_renewal(&mut self, server: &Server, fault: &Fault) {
        let (reply, verdict) = oneshot::channel();
        if server.ask(Ask::Unconnected { text: fault.message.clone(), reply }).await {
            self.breaker_after(timeout(VERDICT, verdict).await.ok().and_then(Result::ok));
        }
    }
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
