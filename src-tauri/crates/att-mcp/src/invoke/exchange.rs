//! One exchange: a request over one link, from its first byte to its answer.

use std::time::Duration;

use att_core::id::{CorrelationId, Randomness};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequest, GetPromptRequestParams,
    ReadResourceRequest, ReadResourceRequestParams, RequestMetaObject,
};
use serde_json::Value;
use tokio::time::Instant;

use super::Operation;
use crate::link::{Answer, Link, RequestError};

/// How long an exchange may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Longest time without a sign of life.
    pub silence: Duration,
    /// The hard end, whatever signs of life there are.
    pub until: Instant,
}

/// One operation over one link.
pub(super) struct Exchange<'a> {
    pub link: &'a Link,
    pub operation: &'a Operation,
    pub correlation: &'a CorrelationId,
    pub randomness: &'a dyn Randomness,
}

impl Exchange<'_> {
    /// Asks, and waits for the answer as long as `patience` allows.
    pub async fn run(&self, patience: Patience) -> Result<Answer, RequestError> {
        let left = patience.until.saturating_duration_since(Instant::now()).min(patience.silence);
        self.link.request(self.wire_request(), left, Some(self.meta())).await
    }

    fn meta(&self) -> RequestMetaObject {
        let mut meta = RequestMetaObject::new();
        let traceparent = self.correlation.traceparent(self.randomness);
        meta.0.0.insert("traceparent".to_owned(), Value::String(traceparent));
        meta
    }

    fn wire_request(&self) -> ClientRequest {
        match self.operation {
            Operation::CallTool { name, arguments } => {
                let params = CallToolRequestParams::new(name.clone()).with_arguments(arguments.clone());
                ClientRequest::CallToolRequest(CallToolRequest::new(params))
            }
            Operation::ReadResource { uri } => ClientRequest::ReadResourceRequest(ReadResourceRequest::new(
                ReadResourceRequestParams::new(uri),
            )),
            Operation::GetPrompt { name, arguments } => {
                let params = GetPromptRequestParams::new(name.clone()).with_arguments(arguments.clone());
                ClientRequest::GetPromptRequest(GetPromptRequest::new(params))
            }
        }
    }
}
