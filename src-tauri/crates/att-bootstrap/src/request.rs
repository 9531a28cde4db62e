//! What may be asked for (design 2.2), and the rule that a request may only be stricter than its target.

use crate::model::{DeploymentContext, ResolvedPolicy};
use serde::{Deserialize, Serialize};

/// No pause or time limit that a request asks for is longer; a cycle holds its target meanwhile.
const LONGEST_SECONDS: u32 = 24 * 60 * 60;

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

/// Why a request is refused. The text begins with the refusal's stable word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// The target is `external` and the request says `self_hosted`.
    #[error("deployment_context_mismatch: the target is {target}, the request says {asked}")]
    DeploymentContextMismatch {
        /// The target's.
        target: DeploymentContext,
        /// The request's.
        asked: DeploymentContext,
    },
    /// The request asks for less care than its target prescribes.
    #[error("policy_laxer_than_target: `{field}` is {target} on the target, the request says {asked}")]
    PolicyLaxerThanTarget {
        /// The field.
        field: &'static str,
        /// The target's value.
        target: String,
        /// The request's.
        asked: String,
    },
    /// The project has no such target.
    #[error("unknown_target: att.toml has no target `{name}`{}", listed(.known))]
    UnknownTarget {
        /// As asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The request itself makes no sense.
    #[error("invalid_request: {0}")]
    Invalid(String),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "s at all".to_owned() } else { format!("; it has: {}", names.join(", ")) }
}

impl RequestRefusal {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::DeploymentContextMismatch { .. } => "deployment_context_mismatch",
            Self::PolicyLaxerThanTarget { .. } => "policy_laxer_than_target",
            Self::UnknownTarget { .. } => "unknown_target",
            Self::Invalid(_) => "invalid_request",
        }
    }
}

/// What the change is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind<'a> {
    /// Files to write.
    Files(Vec<(&'a str, &'a str)>),
    /// A patch to apply.
    Patch(&'a str),
    /// A branch that is there already.
    Branch(&'a str),
    /// A commit that is there already.
    Commit(&'a str),
}

impl CycleRequest {
    /// The one change this request is about.
    ///
    /// # Errors
    /// When there is none, more than one, or a path that leaves the repository.
    pub fn change(&self) -> Result<ChangeKind<'_>, RequestRefusal> {
        let invalid = |text: &str| Err(RequestRefusal::Invalid(text.to_owned()));
        let mut files: Vec<_> =
            self.files.iter().map(|file| (file.file_path.as_str(), file.content.as_str())).collect();
        match (&self.file_path, &self.content) {
            (Some(path), Some(content)) => files.push((path, content)),
            (None, None) => {}
            _ => return invalid("`file_path` and `content` go together"),
        }
        for (path, _) in &files {
            let unsafe_part = path.split('/').any(|part| matches!(part, "" | "." | ".." | ".git"));
            if unsafe_part || path.contains('\0') {
                return Err(RequestRefusal::Invalid(format!("`{path}` is not a path inside the repository")));
            }
        }
        let mut changes = Vec::new();
        if !files.is_empty() {
            changes.push(ChangeKind::Files(files));
        }
        changes.extend(self.patch.as_deref().map(ChangeKind::Patch));
        changes.extend(self.existing_branch.as_deref().map(ChangeKind::Branch));
        changes.extend(self.existing_commit.as_deref().map(ChangeKind::Commit));
        match (changes.pop(), changes.is_empty()) {
            (Some(change), true) => Ok(change),
            (None, _) => invalid(
                "no change: give `file_path` and `content`, `patch`, `existing_branch` or `existing_commit`",
            ),
            (Some(_), false) => {
                invalid("more than one change: give only one of files, patch, branch or commit")
            }
        }
    }

    /// Checks what can be checked before the repository is looked at.
    ///
    /// # Errors
    /// Naming the field.
    pub fn check(&self) -> Result<(), RequestRefusal> {
        let change = self.change()?;
        let is_new = matches!(change, ChangeKind::Files(_) | ChangeKind::Patch(_));
        if is_new && self.commit_message.as_deref().is_none_or(|text| text.trim().is_empty()) {
            return Err(RequestRefusal::Invalid("`commit_message` is missing".to_owned()));
        }
        for (field, branch) in
            [("branch_name", &self.branch_name), ("existing_branch", &self.existing_branch)]
        {
            if branch.as_deref().is_some_and(|name| !is_branch_name(name)) {
                return Err(RequestRefusal::Invalid(format!("`{field}` is not a branch name")));
            }
        }
        for (field, id) in [
            ("requested_release_id", &self.requested_release_id),
            ("previous_release_id", &self.previous_release_id),
            ("rollback_release_id", &self.rollback_release_id),
        ] {
            if id.as_deref().is_some_and(|id| id.len() > 200 || id.chars().any(char::is_control)) {
                return Err(RequestRefusal::Invalid(format!("`{field}` is not a release id")));
            }
        }
        if self.requested_release_id.as_deref().is_some_and(|id| !id.is_empty() && !is_new_release_id(id)) {
            return Err(RequestRefusal::Invalid(
                "`requested_release_id` may hold letters, digits and `._+:@=~-`, and begins with a letter or a digit"
                    .to_owned(),
            ));
        }
        for (field, seconds) in [
            ("ci_timeout_seconds", self.ci_timeout_seconds),
            ("ci_initial_poll_seconds", self.ci_initial_poll_seconds),
            ("ci_max_poll_seconds", self.ci_max_poll_seconds),
            ("health_check_interval_seconds", self.health_check_interval_seconds),
            ("restart_watchdog_interval_seconds", self.restart_watchdog_interval_seconds),
        ] {
            if seconds.is_some_and(|seconds| seconds > LONGEST_SECONDS) {
                return Err(RequestRefusal::Invalid(format!("`{field}` is more than a day")));
            }
        }
        if self.existing_commit.as_deref().is_some_and(|id| !is_commit_id(id)) {
            return Err(RequestRefusal::Invalid("`existing_commit` is not a whole commit id".to_owned()));
        }
        Ok(())
    }

    /// The rules this request runs under on `target`: the target's, or stricter.
    ///
    /// # Errors
    /// When the request is laxer than the target; it is refused, never clamped.
    pub fn resolve(&self, target: &ResolvedPolicy) -> Result<ResolvedPolicy, RequestRefusal> {
        let mut policy = target.clone();
        if let Some(asked) = self.deployment_context {
            if asked == DeploymentContext::SelfHosted
                && target.deployment_context == DeploymentContext::External
            {
                return Err(RequestRefusal::DeploymentContextMismatch {
                    target: target.deployment_context,
                    asked,
                });
            }
            policy.deployment_context = asked;
        }
        only_off(
            "rollback_on_deploy_failure",
            &mut policy.rollback_on_deploy_failure,
            self.rollback_on_deploy_failure,
        )?;
        only_off(
            "rollback_on_restart_watchdog_failure",
            &mut policy.rollback_on_restart_watchdog_failure,
            self.rollback_on_restart_watchdog_failure,
        )?;
        only_off(
            "rollback_on_health_failure",
            &mut policy.rollback_on_health_failure,
            self.rollback_on_health_failure,
        )?;
        only_off(
            "auto_merge_on_ci_success",
            &mut policy.auto_merge_on_ci_success,
            self.auto_merge_on_ci_success,
        )?;
        only_fewer("health_check_retries", &mut policy.health_check_retries, self.health_check_retries)?;
        only_fewer(
            "restart_watchdog_retries",
            &mut policy.restart_watchdog_retries,
            self.restart_watchdog_retries,
        )?;
        // What the gate looks at is the target's to say: who asks must not point it at a server of their own.
        if let Some(asked) = &self.health_check_target
            && target.health_check_target.as_ref() != Some(asked)
        {
            return Err(RequestRefusal::PolicyLaxerThanTarget {
                field: "health_check_target",
                target: target
                    .health_check_target
                    .as_ref()
                    .map_or("none".to_owned(), |own| format!("`{own}`")),
                asked: format!("`{asked}`"),
            });
        }
        let between_probes_ms =
            self.restart_watchdog_interval_seconds.map(|seconds| i64::from(seconds) * 1000);
        if let Some(asked) = between_probes_ms.filter(|asked| *asked < target.restart_watchdog_interval_ms) {
            // Good probes in a row prove less the closer they are.
            return Err(RequestRefusal::PolicyLaxerThanTarget {
                field: "restart_watchdog_interval_seconds",
                target: format!("{} ms", target.restart_watchdog_interval_ms),
                asked: format!("{asked} ms"),
            });
        }
        policy.create_pr = self.create_pr.unwrap_or(policy.create_pr);
        for (field, asked) in [
            (&mut policy.health_check_interval_ms, self.health_check_interval_seconds),
            (&mut policy.restart_watchdog_interval_ms, self.restart_watchdog_interval_seconds),
            (&mut policy.ci_timeout_ms, self.ci_timeout_seconds),
            (&mut policy.ci_initial_poll_ms, self.ci_initial_poll_seconds),
            (&mut policy.ci_max_poll_ms, self.ci_max_poll_seconds),
        ] {
            *field = asked.map_or(*field, |seconds| i64::from(seconds) * 1000);
        }
        Ok(policy)
    }
}

fn only_off(field: &'static str, value: &mut bool, asked: Option<bool>) -> Result<(), RequestRefusal> {
    match asked {
        Some(true) if !*value => Err(RequestRefusal::PolicyLaxerThanTarget {
            field,
            target: "off".to_owned(),
            asked: "on".to_owned(),
        }),
        Some(asked) => {
            *value = asked;
            Ok(())
        }
        None => Ok(()),
    }
}

fn only_fewer(field: &'static str, value: &mut u32, asked: Option<u32>) -> Result<(), RequestRefusal> {
    match asked {
        Some(asked) if asked > *value => Err(RequestRefusal::PolicyLaxerThanTarget {
            field,
            target: value.to_string(),
            asked: asked.to_string(),
        }),
        Some(asked) => {
            *value = asked;
            Ok(())
        }
        None => Ok(()),
    }
}

/// The asker makes this id up, and the operator's commands use it as a folder or a tag: no path, no blank, no sign
/// of a shell, and nothing that looks like an option or like another id.
fn is_new_release_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "._+:@=~-".contains(c))
}

/// A whole SHA-1 or SHA-256 object id.
pub(crate) fn is_commit_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_branch_name(name: &str) -> bool {
    !name.starts_with('-') && git2::Reference::is_valid_name(&format!("refs/heads/{name}"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
