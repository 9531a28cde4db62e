//! What may be asked for (design 2.2), and the rule that a request may only be stricter than its target.

use crate::model::DeploymentContext;
use serde::{Deserialize, Serialize};

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileContent {
    /// Path inside the repository.
    pub file_path: String,
    /// Its whole new content.
    pub content: String,
}

/// A request for a cycle. Every absent field means the target's value, or the default of design 2.2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CycleRequest {
    /// The project's name.
    pub project: String,
    /// One file to write, with `content`.
    pub file_path: Option<String>,
    /// The whole new content of `file_path`.
    pub content: Option<String>,
    /// More files to write.
    pub files: Vec<FileContent>,
    /// A patch in the form that `git apply` takes.
    pub patch: Option<String>,
    /// An existing branch of the remote.
    pub existing_branch: Option<String>,
    /// An existing commit of the remote.
    pub existing_commit: Option<String>,
    /// The commit message.
    pub commit_message: Option<String>,
    /// Which tests; default `unit`.
    pub suite: Option<String>,
    /// The branch to work on; default `att/self-bootstrap-<8 hex>`.
    pub branch_name: Option<String>,
    /// Total time for CI.
    pub ci_timeout_seconds: Option<u32>,
    /// First pause between two looks at CI.
    pub ci_initial_poll_seconds: Option<u32>,
    /// Longest pause between two looks at CI.
    pub ci_max_poll_seconds: Option<u32>,
    /// Ask for a pull request.
    pub create_pr: Option<bool>,
    /// Merge without asking once CI passed.
    pub auto_merge_on_ci_success: Option<bool>,
    /// The target's name in `att.toml`; none: merge only.
    pub deploy_target: Option<String>,
    /// The id the new release shall have.
    pub requested_release_id: Option<String>,
    /// What runs now, if the asker knows better than the sources.
    pub previous_release_id: Option<String>,
    /// Where to roll back to.
    pub rollback_release_id: Option<String>,
    /// May only switch off.
    pub rollback_on_deploy_failure: Option<bool>,
    /// May only switch off.
    pub rollback_on_restart_watchdog_failure: Option<bool>,
    /// May only switch off.
    pub rollback_on_health_failure: Option<bool>,
    /// May only say `external` of a `self_hosted` target.
    pub deployment_context: Option<DeploymentContext>,
    /// What the health gate looks at.
    pub health_check_target: Option<String>,
    /// Fewer tries are stricter.
    pub health_check_retries: Option<u32>,
    /// Pause between tries.
    pub health_check_interval_seconds: Option<u32>,
    /// Fewer tries are stricter.
    pub restart_watchdog_retries: Option<u32>,
    /// Pause between probes.
    pub restart_watchdog_interval_seconds: Option<u32>,
}
