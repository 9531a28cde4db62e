//! Targets, chains, cycles, and the journal's verification.

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
