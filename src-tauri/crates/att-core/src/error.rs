//! What every face says when something is wrong: a stable code, what happened, why, and the cure.

use serde::{Deserialize, Serialize};

/// The closed list of codes a face may branch on. The text form is the variant in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The input does not have the form that is asked for.
    InvalidInput,
    /// A configuration file is broken; the message names file, line and column.
    InvalidConfig,
    /// Nothing has that name or id.
    NotFound,
    /// The thing changed since it was read; read again.
    Conflict,
    /// Policy or consent forbids it.
    Denied,
    /// A person has to decide first.
    WaitsForPerson,
    /// The journal cannot be used: locked, full, not writable, or not ours.
    JournalUnavailable,
    /// The journal is damaged.
    JournalDamaged,
    /// The journal was written by a newer ATT: read-only.
    JournalTooNew,
    /// Another process drives the engine.
    EngineElsewhere,
    /// A program could not be started.
    SpawnFailed,
    /// It took longer than allowed.
    TimedOut,
    /// The MCP server failed or could not be reached.
    ServerFailed,
    /// git or the repository failed.
    GitFailed,
    /// A fault of ATT's own.
    Internal,
}

impl Code {
    /// The exit code of `att` for this code (design 3): 1 not well, 2 bad input, 3 waits or denied, 4 damaged.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InvalidInput | Self::InvalidConfig | Self::NotFound => 2,
            Self::Denied | Self::WaitsForPerson => 3,
            Self::JournalDamaged => 4,
            _ => 1,
        }
    }
}

/// One error as an operator sees it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Report {
    /// What a face branches on.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// Why, when known.
    pub cause: Option<String>,
    /// What the operator can do.
    pub cure: Option<String>,
}

impl Report {
    /// A report with code and message only.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None, cure: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same with its cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}
