//! Releases that ran before ATT came: recorded as deployments, on a person's word.

use super::Engine;
use crate::error::EngineError;
use crate::model::{
    AuditEvent, Deployment, DeploymentKind, Quarantine, Release, ReleaseHealth, Target, TargetId,
};
use crate::step::Refusal;
use crate::store::{Changes, TargetChange};
use att_core::id::DeploymentId;
use att_core::{Actor, ActorKind};

/// A release that ran on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedRelease {
    /// Its id, as the target reports it.
    pub id: String,
    /// The commit it was made of.
    pub commit: Option<String>,
    /// Digest of its artefact, as the target reports it.
    pub digest: Option<String>,
    /// Was it healthy?
    pub healthy: bool,
}

impl Engine {
    /// Records `releases`, oldest first, as what ran on `target`; the last one is what runs now. A person's act, or
    /// that of the demo's set-up.
    ///
    /// # Errors
    /// When the project has no such target, or the target has a chain already.
    pub async fn adopt(
        &self,
        target: &TargetId,
        releases: &[AdoptedRelease],
        actor: Actor,
    ) -> Result<(), EngineError> {
        if !actor.may_approve() && actor.kind != ActorKind::Demo {
            return Err(Refusal::PersonOnly.into());
        }
        let stored = self.store().target(target).await?;
        if stored.as_ref().is_some_and(|row| row.current_deployment_id.is_some()) {
            return Err(EngineError::blocked(
                format!("{target} has recorded deployments already"),
                "only a target without a chain adopts releases",
            ));
        }
        let expected_generation = stored.as_ref().map(|row| row.generation);
        let mut row = match stored {
            Some(row) => row,
            None => self.configured_target(target).await?,
        };
        let at_ms = self.now_ms();
        let mut changes = Changes::default();
        // A time of its own for each, so that lists by time show the order of the chain.
        let first_at_ms = at_ms - i64::try_from(releases.len()).unwrap_or(0);
        for (release, at_ms) in releases.iter().zip(first_at_ms..) {
            row.generation += 1;
            let deployment = Deployment {
                id: DeploymentId::mint(at_ms, self.randomness()),
                target: target.clone(),
                release_id: release.id.clone(),
                predecessor: row.current_deployment_id.take(),
                kind: DeploymentKind::Adopted,
                cycle_id: None,
                operation_id: None,
                generation: row.generation,
                at_ms,
            };
            let event = AuditEvent::DeploymentRecorded {
                deployment_id: deployment.id.clone(),
                target: target.to_string(),
                release_id: release.id.clone(),
                deployment: DeploymentKind::Adopted,
                generation: row.generation,
            };
            changes.audit.push(self.entry(target.to_string(), actor.clone(), event));
            row.current_release_id = Some(release.id.clone());
            row.current_digest.clone_from(&release.digest);
            row.current_deployment_id = Some(deployment.id.clone());
            row.observed_at_ms = Some(at_ms);
            changes.deployments.push(deployment);
            changes.releases.push(Release {
                id: release.id.clone(),
                target: target.clone(),
                commit: release.commit.clone(),
                digest: release.digest.clone(),
                health: if release.healthy { ReleaseHealth::Healthy } else { ReleaseHealth::Unknown },
                healthy_at_ms: release.healthy.then_some(at_ms),
                quarantine: None,
                cycle_id: None,
                created_at_ms: at_ms,
            });
        }
        changes.target = Some(TargetChange { expected_generation, row });
        self.commit(changes).await
    }

    /// Marks a release so that nothing rolls back to it, or takes the mark away.
    ///
    /// # Errors
    /// When it is not a person, there is no reason, or no such release.
    pub async fn set_quarantine(
        &self,
        target: &TargetId,
        release_id: &str,
        quarantined: bool,
        reason: &str,
        actor: Actor,
    ) -> Result<(), EngineError> {
        Self::person(&actor, reason)?;
        let row = self.store().release(target, release_id).await?;
        let row = row.ok_or_else(|| EngineError::not_found("release", release_id))?;
        let mark = Quarantine { reason: reason.to_owned(), since_ms: self.now_ms() };
        let event = AuditEvent::ReleaseQuarantined {
            target: target.to_string(),
            release_id: release_id.to_owned(),
            quarantined,
            reason: reason.to_owned(),
        };
        self.commit(Changes {
            releases: vec![Release { quarantine: quarantined.then_some(mark), ..row }],
            audit: vec![self.entry(target.to_string(), actor, event)],
            ..Changes::default()
        })
        .await
    }

    async fn configured_target(&self, id: &TargetId) -> Result<Target, EngineError> {
        let projects = self.store().projects().await?;
        let project = projects
            .into_iter()
            .find(|project| TargetId::new(&project.id, id.name()) == *id)
            .ok_or_else(|| EngineError::not_found("project of target", id))?;
        let (config, _) = self.project_config(&project.id).await?;
        let target = config.targets.get(id.name()).ok_or_else(|| EngineError::not_found("target", id))?;
        Ok(Target {
            id: id.clone(),
            project: project.id,
            name: id.name().to_owned(),
            deployment_context: target.policy.deployment_context,
            generation: 0,
            current_release_id: None,
            current_digest: None,
            current_deployment_id: None,
            observed_at_ms: None,
        })
    }
}
