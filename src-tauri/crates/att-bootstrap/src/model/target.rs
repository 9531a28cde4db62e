//! Where things run and what ran there: project, target, release, deployment.

use super::ids::{ProjectId, TargetId};
use super::policy::DeploymentContext;
use crate::words::words;
use att_core::Actor;
use att_core::id::{CycleId, DeploymentId, OperationId};
use serde::{Deserialize, Serialize};

/// A git repository with an `att.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub id: ProjectId,
    /// The operator's checkout or the repository itself, as it was given. Never written to.
    pub path: String,
    /// The remote that is fetched from and pushed to: a path or a URL.
    pub remote: String,
    /// The base branch.
    pub base: String,
    /// When it was added.
    pub added_at_ms: i64,
}

/// Where a project runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `<project>/<name>`.
    pub id: TargetId,
    /// Its project.
    pub project: ProjectId,
    /// Its name in `att.toml`.
    pub name: String,
    /// Whose deployment it is.
    pub deployment_context: DeploymentContext,
    /// Grows with every change of what runs there, made or observed; the fence of every write.
    pub generation: u64,
    /// The release that was last seen running.
    pub current_release_id: Option<String>,
    /// Digest of what was last seen running.
    pub current_digest: Option<String>,
    /// The deployment at the head of the chain.
    pub current_deployment_id: Option<DeploymentId>,
    /// When it was last looked at.
    pub observed_at_ms: Option<i64>,
}

words! {
    /// What is known of a release's health on its target.
    ReleaseHealth {
        /// Never judged.
        Unknown = "unknown",
        /// It passed its health gate, or was adopted as healthy.
        Healthy = "healthy",
        /// It failed its health gate, its watchdog or its deploy.
        Unhealthy = "unhealthy",
    }
}

/// A mark that keeps a release from being rolled back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since_ms: i64,
}

/// Something that can run on a target; the id is opaque. Its key is target and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The opaque id.
    pub id: String,
    /// The target it belongs to.
    pub target: TargetId,
    /// The commit it was made of.
    pub commit: Option<String>,
    /// Digest of the artefact.
    pub digest: Option<String>,
    /// Its latest health.
    pub health: ReleaseHealth,
    /// When it was last found healthy; none means never.
    pub healthy_at_ms: Option<i64>,
    /// Set when it must not be rolled back to.
    pub quarantine: Option<Quarantine>,
    /// The cycle that made it.
    pub cycle_id: Option<CycleId>,
    /// When ATT first knew of it.
    pub created_at_ms: i64,
}

words! {
    /// How a deployment came about.
    DeploymentKind {
        /// A cycle deployed it.
        Deploy = "deploy",
        /// A decision rolled back to it.
        Rollback = "rollback",
        /// It was found running, put there by somebody else.
        Observed = "observed",
        /// It was there before ATT and a person said so.
        Adopted = "adopted",
    }
}

/// A release on a target, once. The chain is the links to predecessors, never a sort of ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Where.
    pub target: TargetId,
    /// What.
    pub release_id: String,
    /// The deployment that ran there before.
    pub predecessor: Option<DeploymentId>,
    /// How it came about.
    pub kind: DeploymentKind,
    /// The cycle that did it.
    pub cycle_id: Option<CycleId>,
    /// The operation that did it.
    pub operation_id: Option<OperationId>,
    /// The target's generation with it.
    pub generation: u64,
    /// When it was first seen running.
    pub at_ms: i64,
}

/// A person's approval of one `att.toml`, by digest (design 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigApproval {
    /// The project.
    pub project: ProjectId,
    /// SHA-256 of the file's bytes.
    pub digest: String,
    /// Who approved.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at_ms: i64,
}

/// Safe mode: no cycle starts, nothing deploys, automatic rollbacks wait for a person (design 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeMode {
    /// Is it on?
    pub active: bool,
    /// Why it was set or lifted.
    pub reason: String,
    /// Who did so.
    pub actor: Actor,
    /// When.
    pub at_ms: i64,
}
