//! One exchange: a request over one link, from its first byte to its answer.

use std::sync::Arc;

use att_core::id::{CorrelationId, RequestId};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequest, GetPromptRequestParams,
    ReadResourceRequest, ReadResourceRequestParams, RequestMetaObject,
};
use serde_json::Value;
use tokio::time::Instant;

use super::Operation;
use super::rounds::{MOST_ROUNDS, Round, wants_input};
use crate::connection::{Server, Shared};
use crate::conversation::Caller;
use crate::link::{Answer, Link, Patience, RequestError, millis};
use crate::model::Era;

/// One operation over one link.
pub(super) struct Exchange<'a> {
    pub shared: &'a Shared,
    pub server: &'a Server,
    pub link: &'a Link,
    pub operation: &'a Operation,
    pub request_id: &'a RequestId,
    pub correlation: &'a CorrelationId,
}

impl Exchange<'_> {
    /// Asks, and waits for the answer as long as `patience` allows.
    pub async fn run(&self, patience: Patience) -> Result<Answer, RequestError> {
        let left = patience.until.saturating_duration_since(Instant::now());
        let deadline_ms = self.shared.clock.now_ms() + millis(left);
        self.shared.calls.asks(self.request_id, &self.server.config.name, deadline_ms);
        let caller = Caller {
            request_id: self.request_id.clone(),
            correlation: self.correlation.clone(),
            calls: Arc::clone(&self.shared.calls),
        };
        let (mut round, mut met) = (Round::default(), 0);
        loop {
            let request = self.wire_request(&round);
            let answer = self.link.ask(request, Some(self.meta()), patience, Some(caller.clone())).await?;
            if self.link.greeting.era != Era::Modern || !wants_input(&answer.value) {
                return Ok(answer);
            }
            let next = match met {
                MOST_ROUNDS => Err(format!("it asked for input more than {MOST_ROUNDS} times")),
                _ => self.meet(&answer.value, &caller, patience.until).await,
            };
            match next {
                Ok(next) => round = next,
                Err(unmet) => return Ok(Answer { unmet: Some(unmet), ..answer }),
            }
            met += 1;
        }
    }

    fn meta(&self) -> RequestMetaObject {
        let mut meta = RequestMetaObject::new();
        let traceparent = self.correlation.traceparent(&*self.shared.randomness);
        meta.0.0.insert("traceparent".to_owned(), Value::String(traceparent));
        meta
    }

    fn wire_request(&self, round: &Round) -> ClientRequest {
        match self.operation {
            Operation::CallTool { name, arguments } => {
                let mut params = CallToolRequestParams::new(name.clone()).with_arguments(arguments.clone());
                params.input_responses = round.responses.clone();
                params.request_state = round.state.clone();
                ClientRequest::CallToolRequest(CallToolRequest::new(params))
            }
            Operation::ReadResource { uri } => {
                let mut params = ReadResourceRequestParams::new(uri);
                params.input_responses = round.responses.clone();
                params.request_state = round.state.clone();
                ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params))
            }
            Operation::GetPrompt { name, arguments } => {
                let mut params = GetPromptRequestParams::new(name.clone()).with_arguments(arguments.clone());
                params.input_responses = round.responses.clone();
                params.request_state = round.state.clone();
                ClientRequest::GetPromptRequest(GetPromptRequest::new(params))
            }
        }
    }
}
