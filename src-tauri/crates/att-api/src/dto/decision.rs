//! Decisions with all they rest on, interruptions, and a person's answer.

use super::release::FieldDto;
use serde::{Deserialize, Serialize};
use specta::Type;

/// One fact behind a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FactDto {
    /// Closed id, such as `live_release_id`.
    pub id: String,
    /// Value as text.
    pub value: Option<String>,
    /// Where it came from.
    pub source: String,
    /// When it was observed, Unix ms.
    #[specta(type = u32)]
    pub observed_at_ms: i64,
    /// True when it counts for the digest.
    pub stable: bool,
}

/// One guardrail's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GuardrailDto {
    /// Closed id, such as `rollback_loop`.
    pub id: String,
    /// `pass` `deny` `escalate` `unknown`.
    pub outcome: String,
    /// What it looked at.
    pub evidence: String,
    /// What would have let it pass.
    pub would_allow_if: Option<String>,
}

/// One release source's answer, silence or error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SourceAnswerDto {
    /// `ledger` `registry` `runtime_log` `git` `command`.
    pub source: String,
    /// `won` `incomplete` `stale` `complete` `silent` `failed` `timed_out` `not_asked`.
    pub outcome: String,
    /// The current release it named.
    pub current_release_id: Option<String>,
    /// The previous release it named.
    pub previous_release_id: Option<String>,
    /// Error or remark.
    pub detail: Option<String>,
    /// How long it took.
    #[specta(type = u32)]
    pub elapsed_ms: i64,
}

/// One commit between two releases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CommitDto {
    /// Commit id.
    pub id: String,
    /// First line of the message.
    pub subject: String,
    /// Author's name.
    pub author: String,
    /// When, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
}

/// One file between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileChangeDto {
    /// Path in the repository.
    pub path: String,
    /// `added` `modified` `deleted` `renamed`.
    pub status: String,
    /// Lines added.
    pub insertions: u32,
    /// Lines removed.
    pub deletions: u32,
}

/// Commits and files between the deployed and the target release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ReleaseDiffDto {
    /// Commits, newest first.
    pub commits: Vec<CommitDto>,
    /// Files.
    pub files: Vec<FileChangeDto>,
    /// True when there is more.
    pub truncated: bool,
    /// Why nothing could be compared.
    pub unavailable: Option<String>,
}

/// One command that will be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlanStepDto {
    /// Argument list.
    pub argv: Vec<String>,
    /// Working folder.
    pub cwd: String,
    /// Longest time, ms.
    pub timeout_ms: u32,
}

/// The approval of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ApprovalDto {
    /// Approval id.
    pub id: String,
    /// `requested` `consumed` `rejected` `expired` `superseded`.
    pub state: String,
    /// Asked for, Unix ms.
    #[specta(type = u32)]
    pub requested_at_ms: i64,
    /// Expires, Unix ms.
    #[specta(type = u32)]
    pub expires_at_ms: i64,
    /// Who answered.
    pub actor: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
}

/// One line of a decision's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct HistoryDto {
    /// When, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What, one sentence.
    pub text: String,
}

/// A decision in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct DecisionSummaryDto {
    /// Decision id.
    pub id: String,
    /// Version.
    pub version: u32,
    /// State word of design 2.6.
    pub state: String,
    /// The cycle.
    pub cycle_id: String,
    /// The target.
    pub target: String,
    /// The failure class.
    pub failure_class: String,
    /// The context.
    pub deployment_context: String,
    /// The deployed release.
    pub deployed_release_id: Option<String>,
    /// The release to go back to.
    pub rollback_target_release_id: Option<String>,
    /// The verdict in one sentence.
    pub verdict: String,
    /// Made, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// Expires, when it waits for approval.
    #[specta(type = Option<u32>)]
    pub expires_at_ms: Option<i64>,
}

/// One cell of the 3x2 matrix as it stands for this target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MatrixCellDto {
    /// Failure class.
    pub failure_class: String,
    /// Context.
    pub deployment_context: String,
    /// Allowed by the matrix?
    pub allowed: bool,
    /// The reason's code.
    pub reason: String,
    /// True for the cell of this decision.
    pub current: bool,
}

/// A decision in depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct DecisionDto {
    /// The summary.
    pub summary: DecisionSummaryDto,
    /// The target's generation it was made for.
    pub generation: u32,
    /// Number of the rule that fired, 1 to 6.
    pub rule: u32,
    /// The rule in words.
    pub rule_text: String,
    /// Closed reason code.
    pub reason: String,
    /// True when the matrix and the guardrails allow it.
    pub allowed: bool,
    /// Is the target release valid? Null where the rule does not say.
    pub target_valid: Option<bool>,
    /// What an approval binds to.
    pub digest: String,
    /// What failed, in the words of the stage.
    pub failure_detail: Option<String>,
    /// The facts.
    pub facts: Vec<FactDto>,
    /// The guardrails, all of them.
    pub guardrails: Vec<GuardrailDto>,
    /// The release sources' answers.
    pub sources: Vec<SourceAnswerDto>,
    /// What would have allowed it.
    pub would_allow_if: Vec<String>,
    /// Commits and files.
    pub diff: ReleaseDiffDto,
    /// What will be run.
    pub plan: Vec<PlanStepDto>,
    /// The 3x2 matrix.
    pub matrix: Vec<MatrixCellDto>,
    /// What was tried on this target lately.
    pub tried_lately: Vec<HistoryDto>,
    /// The approval.
    pub approval: Option<ApprovalDto>,
    /// True when the target release id has to be typed.
    pub typed_id_required: bool,
    /// Smallest length of a reason, in characters.
    pub reason_min_chars: u32,
    /// What may be done now: `approve` `reject` `evaluate_again`.
    pub actions: Vec<String>,
    /// What changed, when it was superseded.
    pub superseded_by: Vec<String>,
    /// Who did what.
    pub history: Vec<HistoryDto>,
    /// Result fields of design 2.2 that the decision knows.
    pub result: Vec<FieldDto>,
}

/// Anything that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct InterruptionDto {
    /// Interruption id.
    pub id: String,
    /// Closed kind, such as `decision` `config_approval` `denied` `rollback_failed` `needs_operator` `merge_waits`
    /// `server_question`.
    pub kind: String,
    /// What waits, one sentence.
    pub title: String,
    /// Why, and what to do.
    pub detail: String,
    /// The target.
    pub target: Option<String>,
    /// The MCP server.
    pub server: Option<String>,
    /// The cycle.
    pub cycle_id: Option<String>,
    /// The decision.
    pub decision_id: Option<String>,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// What may be done: `open_decision` `acknowledge` `approve_config` `continue` `state_what_runs` `answer_question`.
    pub actions: Vec<String>,
}

/// Everything the Decisions view lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct DecisionsDto {
    /// Open interruptions, oldest first.
    pub interruptions: Vec<InterruptionDto>,
    /// Decisions, newest first, at most 100.
    pub decisions: Vec<DecisionSummaryDto>,
}

/// A person's yes. It is bound to what was on screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ApproveDto {
    /// The decision.
    pub decision_id: String,
    /// Its version on screen.
    pub version: u32,
    /// Its digest on screen.
    pub digest: String,
    /// The target release id as typed; required in `external`.
    pub typed_release_id: Option<String>,
    /// Why; 10 characters at least.
    pub reason: String,
}
