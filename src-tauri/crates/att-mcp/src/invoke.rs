//! An invocation: one request, whom it goes to, its attempts, and a failure that says exactly what is known
//! (design 1.5).

mod attempts;
mod candidates;
mod exchange;
mod rounds;
mod run;
mod view;

use att_core::id::{CorrelationId, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Attempt, ListKind};

pub(crate) use run::invoke;

/// What is asked of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "operation")]
pub enum Operation {
    /// `tools/call`.
    CallTool {
        /// The tool.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
    /// `resources/read`.
    ReadResource {
        /// The resource.
        uri: String,
    },
    /// `prompts/get`.
    GetPrompt {
        /// The prompt.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
}

impl Operation {
    /// The MCP method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::CallTool { .. } => "tools/call",
            Self::ReadResource { .. } => "resources/read",
            Self::GetPrompt { .. } => "prompts/get",
        }
    }

    /// The tool, URI or prompt.
    #[must_use]
    pub fn item(&self) -> &str {
        match self {
            Self::CallTool { name, .. } | Self::GetPrompt { name, .. } => name,
            Self::ReadResource { uri } => uri,
        }
    }

    pub(crate) fn list(&self) -> ListKind {
        match self {
            Self::CallTool { .. } => ListKind::Tools,
            Self::ReadResource { .. } => ListKind::Resources,
            Self::GetPrompt { .. } => ListKind::Prompts,
        }
    }
}

/// One invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct InvokeRequest {
    /// Its id, if the caller has one already (to be able to cancel it).
    pub request_id: Option<RequestId>,
    /// The trace, if the caller is part of one.
    pub correlation_id: Option<CorrelationId>,
    /// Who calls: `desktop`, `cli`, `mcp`.
    pub client: String,
    /// The server. Without server, group and order: the one server that offers the item.
    pub server: Option<String>,
    /// An equivalence group of the operator, instead of a server.
    pub group: Option<String>,
    /// Servers in the order in which to ask them, instead of a server.
    pub prefer: Vec<String>,
    /// What to do.
    pub operation: Operation,
    /// Total time; the server's `call_timeout_ms` without it.
    pub timeout_ms: Option<i64>,
}

impl InvokeRequest {
    /// A request of `client` to whichever server alone offers the item, with default times.
    #[must_use]
    pub fn new(client: impl Into<String>, operation: Operation) -> Self {
        Self {
            request_id: None,
            correlation_id: None,
            client: client.into(),
            server: None,
            group: None,
            prefer: Vec::new(),
            operation,
            timeout_ms: None,
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvokeAnswer {
    /// The invocation.
    pub request_id: RequestId,
    /// The trace.
    pub correlation_id: CorrelationId,
    /// The server that answered.
    pub server: String,
    /// The MCP method.
    pub method: String,
    /// The result, raw.
    pub result: Value,
    /// Every attempt, the last one answered.
    pub attempts: Vec<Attempt>,
    /// Where the answer does not fit the tool's output schema, as `JSON-pointer: what is wrong`.
    #[serde(default)]
    pub output_problems: Vec<String>,
}

/// The closed list of failures (design 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// No candidate.
    NoServerAvailable,
    /// Every candidate failed before or without a reply.
    AllAttemptsFailed,
    /// Bytes went out, no reply, and the operation is not safe.
    NotReissued,
    /// The caller's total time ran out.
    TimedOut,
    /// The server answered with an error.
    ApplicationError,
    /// Drift policy forbids the item.
    ItemQuarantined,
    /// The caller cancelled.
    Cancelled,
    /// The arguments do not fit.
    InvalidRequest,
}

impl FailureCode {
    /// The status number that goes with the code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::NoServerAvailable | Self::AllAttemptsFailed => 503,
            Self::NotReissued => 502,
            Self::TimedOut => 504,
            Self::ApplicationError => 422,
            Self::ItemQuarantined => 409,
            Self::Cancelled => 499,
            Self::InvalidRequest => 400,
        }
    }
}

/// A failure. Its JSON has exactly these keys in this order, for every face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct InvokeFailure {
    /// The code.
    pub code: FailureCode,
    /// Its number.
    pub status: u16,
    /// One sentence.
    pub message: String,
    /// The MCP method.
    pub method: String,
    /// The invocation.
    pub request_id: RequestId,
    /// Every attempt, and every server that was no candidate with the reason.
    pub attempts: Vec<Attempt>,
    /// The server's own answer for `application_error`, raw; no part of the payload.
    #[serde(skip)]
    pub answer: Option<Value>,
}

impl InvokeFailure {
    /// A request that is not even looked at.
    pub(crate) fn refused(request: &InvokeRequest, request_id: RequestId, why: &str) -> Self {
        Self {
            code: FailureCode::InvalidRequest,
            status: FailureCode::InvalidRequest.status(),
            message: why.to_owned(),
            method: request.operation.method().to_owned(),
            request_id,
            attempts: Vec::new(),
            answer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_has_its_keys_in_the_fixed_order() {
        let failure = InvokeFailure {
            code: FailureCode::NotReissued,
            status: FailureCode::NotReissued.status(),
            message: "m".into(),
            method: "tools/call".into(),
            request_id: "r".into(),
            attempts: Vec::new(),
            answer: Some(Value::Null),
        };
        assert_eq!(
            serde_json::to_string(&failure).unwrap(),
            r#"{"code":"not_reissued","status":502,"message":"m","method":"tools/call","request_id":"r","attempts":[]}"#
        );
    }
}
