//! Why the engine did not do something, and what a face says about it.

use crate::config::ConfigError;
use crate::request::RequestRefusal;
use crate::step::Refusal;
use crate::store::{Conflict, StoreError};
use crate::world::{GitError, Unobserved};
use att_core::{Code, Report};

/// Why the engine did not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The step refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request is refused.
    #[error(transparent)]
    Request(#[from] RequestRefusal),
    /// `att.toml` is broken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// git or the repository failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The target cannot be observed.
    #[error(transparent)]
    Unobserved(#[from] Unobserved),
    /// Nothing has that name or id.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Under which name or id.
        id: String,
    },
    /// The world changed under the question; it is evaluated again.
    #[error("the world changed since the decision was shown: {}", changed.join("; "))]
    Superseded {
        /// What changed, one line each.
        changed: Vec<String>,
    },
    /// Something else has to happen first.
    #[error("{message}")]
    Blocked {
        /// One sentence.
        message: String,
        /// What the operator can do.
        cure: String,
    },
}

impl EngineError {
    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    pub(crate) fn blocked(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Blocked { message: message.into(), cure: cure.into() }
    }

    /// True when somebody else wrote first: read again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(_)))
    }

    /// True when another engine took over: whoever reads this drives no longer.
    #[must_use]
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(Conflict::Lease)))
    }

    /// What a face shows.
    #[must_use]
    pub fn report(&self) -> Report {
        let code = match self {
            Self::Store(StoreError::Unavailable(report)) => return report.clone(),
            Self::Store(StoreError::Conflict(Conflict::Lease)) => Code::EngineElsewhere,
            Self::Store(StoreError::Conflict(_)) | Self::Superseded { .. } => Code::Conflict,
            Self::Refused(refusal) => match refusal {
                Refusal::OtherVersion { .. } | Refusal::OtherDigest | Refusal::NothingAsked => Code::Conflict,
                Refusal::ReasonTooShort | Refusal::OtherReleaseTyped { .. } => Code::InvalidInput,
                Refusal::PersonOnly | Refusal::Lapsed => Code::Denied,
                _ => Code::Conflict,
            },
            Self::Request(RequestRefusal::Invalid(_) | RequestRefusal::UnknownTarget { .. }) => {
                Code::InvalidInput
            }
            Self::Request(_) => Code::Denied,
            Self::Config(_) => Code::InvalidConfig,
            Self::Git(_) => Code::GitFailed,
            Self::Unobserved(_) => Code::ServerFailed,
            Self::NotFound { .. } => Code::NotFound,
            Self::Blocked { .. } => Code::WaitsForPerson,
        };
        let report = Report::new(code, self.to_string());
        match self {
            Self::Config(error) => report.cure(error.cure.clone()),
            Self::Blocked { cure, .. } => report.cure(cure.clone()),
            Self::Superseded { .. } => report.cure("look at the decision again; it is being evaluated anew"),
            Self::Store(StoreError::Conflict(_)) => {
                report.cure("look again, and repeat it if it still applies")
            }
            Self::Refused(Refusal::Lapsed) => report.cure("evaluate the decision again"),
            Self::Request(RequestRefusal::Invalid(_)) => report.cure("correct the request and run it again"),
            Self::Request(RequestRefusal::UnknownTarget { .. }) => {
                report.cure("name one of the project's targets, or add this one to att.toml")
            }
            Self::Request(_) => {
                report.cure("leave the field out, or have a person change the target in att.toml first")
            }
            Self::Git(GitError::Unfit(_)) => {
                report.cure("put the repository or its remote right, or name another, and try again")
            }
            _ => report,
        }
    }
}
