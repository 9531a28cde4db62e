//! Targets, chains, cycles, decisions, interruptions.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One deployment of a target's chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct DeploymentDto {
    /// Deployment id.
    pub id: String,
    /// The release.
    pub release_id: String,
    /// The deployment before it: the chain is these links.
    pub predecessor: Option<String>,
    /// Release id of the predecessor.
    pub predecessor_release_id: Option<String>,
    /// `deploy` `rollback` `observed`.
    pub kind: String,
    /// When it went live, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// When it stopped being live.
    #[specta(type = Option<u32>)]
    pub ended_at_ms: Option<i64>,
    /// The cycle that made it.
    pub cycle_id: Option<String>,
    /// True for what runs now, as last observed.
    pub live: bool,
    /// The release's health word: `unknown` `healthy` `unhealthy`.
    pub health: String,
    /// True when the release is quarantined.
    pub quarantined: bool,
    /// Commit id.
    pub commit: Option<String>,
    /// The commit's subject line.
    pub subject: Option<String>,
    /// Artefact digest.
    pub digest: Option<String>,
}

/// One target with its chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct TargetDto {
    /// Name in `att.toml`.
    pub target: String,
    /// The project's name.
    pub project: String,
    /// `self_hosted` `external`.
    pub deployment_context: String,
    /// Grows with every change of what runs there.
    pub generation: u32,
    /// What runs there, as last observed.
    pub live_release_id: Option<String>,
    /// When it was last observed, Unix ms.
    #[specta(type = Option<u32>)]
    pub observed_at_ms: Option<i64>,
    /// The live cycle, if any.
    pub live_cycle_id: Option<String>,
    /// Deployments, newest first.
    pub chain: Vec<DeploymentDto>,
}

/// One project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ProjectDto {
    /// Name in `att.toml`.
    pub project: String,
    /// Path of the repository.
    pub path: String,
    /// The base branch.
    pub base: String,
    /// Digest of `att.toml` at the base commit.
    pub config_digest: Option<String>,
    /// True when a person approved that digest.
    pub config_approved: bool,
    /// What the approval would allow to be run: `stage: argv`, one line each.
    pub config_commands: Vec<String>,
    /// True when "Run the demo release" is offered.
    pub demo: bool,
    /// Why the project cannot be used.
    pub problem: Option<String>,
}

/// Everything the Releases view lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ReleasesDto {
    /// Projects.
    pub projects: Vec<ProjectDto>,
    /// Targets with their chains.
    pub targets: Vec<TargetDto>,
    /// Cycles, newest first, at most 100.
    pub cycles: Vec<CycleSummaryDto>,
}

/// One cycle in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CycleSummaryDto {
    /// Cycle id.
    pub id: String,
    /// `release` `rollback`.
    pub kind: String,
    /// State word of design 2.3.
    pub state: String,
    /// True when the state is final.
    pub terminal: bool,
    /// One sentence.
    pub summary: String,
    /// The project.
    pub project: String,
    /// The target.
    pub target: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit message's first line.
    pub subject: String,
    /// Who asked, such as `person ann (desktop)`.
    pub actor: String,
    /// Started, Unix ms.
    #[specta(type = u32)]
    pub started_at_ms: i64,
    /// Last change.
    #[specta(type = u32)]
    pub updated_at_ms: i64,
    /// The decision, if any.
    pub decision_id: Option<String>,
}

/// One stage of a cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct StageDto {
    /// The state's word, such as `testing`.
    pub stage: String,
    /// `not_run` `running` `waiting` `passed` `failed` `skipped`.
    pub state: String,
    /// Started, Unix ms.
    #[specta(type = Option<u32>)]
    pub started_at_ms: Option<i64>,
    /// Ended.
    #[specta(type = Option<u32>)]
    pub ended_at_ms: Option<i64>,
    /// One sentence: what came out, or why it was not run.
    pub detail: Option<String>,
    /// True when there is output to be read.
    pub has_output: bool,
}

/// What a rollback would do for one failure class, were it needed now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ReadinessDto {
    /// The failure class.
    pub failure_class: String,
    /// Would the matrix allow it?
    pub allowed: bool,
    /// The reason's code.
    pub reason: String,
    /// The release it would go back to.
    pub target_release_id: Option<String>,
    /// True when a person would have to approve.
    pub needs_person: bool,
    /// One sentence.
    pub text: String,
}

/// One cycle in depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CycleDto {
    /// The summary.
    pub summary: CycleSummaryDto,
    /// The stages, in the table's order.
    pub stages: Vec<StageDto>,
    /// The readiness card, once made.
    pub readiness: Vec<ReadinessDto>,
    /// The result fields of design 2.2, as name and value; null where not known.
    pub result: Vec<FieldDto>,
    /// What may be done now: `cancel` `acknowledge`.
    pub actions: Vec<String>,
    /// Times the cycle was taken up again after its driver died.
    pub resumes: u32,
    /// The cycle it is linked to.
    pub linked_cycle_id: Option<String>,
}

/// One named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FieldDto {
    /// Name, as in design 2.2.
    pub name: String,
    /// Value as text; null where absent.
    pub value: Option<String>,
}

/// Output of one stage, a tail of at most 64 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct StageOutputDto {
    /// The text, redacted.
    pub text: String,
    /// True when the beginning is missing.
    pub truncated: bool,
}

/// A request for a release cycle (design 2.2); absent means the target's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ReleaseRequestDto {
    /// The project's name, or the path of its repository.
    pub project: String,
    /// The request itself as JSON text, with the keys of design 2.2.
    pub request: String,
}

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
    /// Closed kind, such as `decision` `config_approval` `denied` `rollback_failed` `needs_operator` `merge_waits`.
    pub kind: String,
    /// What waits, one sentence.
    pub title: String,
    /// Why, and what to do.
    pub detail: String,
    /// The target.
    pub target: Option<String>,
    /// The cycle.
    pub cycle_id: Option<String>,
    /// The decision.
    pub decision_id: Option<String>,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// What may be done: `open_decision` `acknowledge` `approve_config` `continue` `state_what_runs`.
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

/// The journal's verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct JournalVerifyDto {
    /// True when every entry is whole and the head fits.
    pub ok: bool,
    /// Entries looked at.
    pub entries: u32,
    /// The newest sequence.
    pub head_sequence: u32,
    /// The newest hash.
    pub head_hash: Option<String>,
    /// The first bad entry's sequence.
    pub first_bad_sequence: Option<u32>,
    /// What is wrong with it: `broken` `missing` `cut_off`, with a sentence.
    pub problem: Option<String>,
}
