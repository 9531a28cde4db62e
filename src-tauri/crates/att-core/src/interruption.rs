//! Anything that waits for a person: one inbox for every room (design 2.1).

use crate::actor::Actor;
use crate::id::{CycleId, DecisionId, InterruptionId};
use serde::{Deserialize, Serialize};

/// What a person is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionKind {
    /// A rollback waits for approval or rejection.
    ApprovalRequested,
    /// A rollback was denied; the target stays blocked until someone has seen it.
    RollbackDenied,
    /// A rollback failed; the target stays blocked until someone has seen it.
    RollbackFailed,
    /// The outside state is unknown; a person states what runs.
    OperatorNeeded,
    /// Everything passed; a person merges.
    MergeWaits,
    /// An `att.toml` was never approved.
    ConfigUnapproved,
    /// A change touches `att.toml`.
    ConfigChanged,
    /// Safe mode or a freeze window holds the cycle back.
    DeployHeld,
    /// A server asks the operator something in the middle of a call.
    ServerQuestion,
}

impl InterruptionKind {
    /// True when no new cycle starts on the target until it is acknowledged (design 4).
    #[must_use]
    pub fn blocks_target(self) -> bool {
        matches!(self, Self::RollbackDenied | Self::RollbackFailed | Self::OperatorNeeded)
    }

    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApprovalRequested => "approval_requested",
            Self::RollbackDenied => "rollback_denied",
            Self::RollbackFailed => "rollback_failed",
            Self::OperatorNeeded => "operator_needed",
            Self::MergeWaits => "merge_waits",
            Self::ConfigUnapproved => "config_unapproved",
            Self::ConfigChanged => "config_changed",
            Self::DeployHeld => "deploy_held",
            Self::ServerQuestion => "server_question",
        }
    }
}

/// How and by whom an Interruption ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptionClosure {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub actor: Actor,
    /// How, in a few words.
    pub how: String,
}

/// One thing that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// Its id.
    pub id: InterruptionId,
    /// What is asked for.
    pub kind: InterruptionKind,
    /// The target concerned, `<project>/<name>`.
    pub target: Option<String>,
    /// The MCP server concerned.
    #[serde(default)]
    pub server: Option<String>,
    /// The cycle concerned.
    pub cycle_id: Option<CycleId>,
    /// The decision concerned.
    pub decision_id: Option<DecisionId>,
    /// One line for the inbox.
    pub title: String,
    /// What happened and what a person can do.
    pub detail: String,
    /// Since when it waits.
    pub opened_at_ms: i64,
    /// When the question lapses, if it does.
    pub expires_at_ms: Option<i64>,
    /// Set once it no longer waits.
    pub closed: Option<InterruptionClosure>,
}

impl Interruption {
    /// True while it waits.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_each_kind_is_its_json_form() {
        for kind in [
            InterruptionKind::ApprovalRequested,
            InterruptionKind::RollbackDenied,
            InterruptionKind::RollbackFailed,
            InterruptionKind::OperatorNeeded,
            InterruptionKind::MergeWaits,
            InterruptionKind::ConfigUnapproved,
            InterruptionKind::ConfigChanged,
            InterruptionKind::DeployHeld,
            InterruptionKind::ServerQuestion,
        ] {
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
    }
}
