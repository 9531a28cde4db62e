//! Projects, their approved `att.toml`, and safe mode.

use super::Engine;
use crate::config::Config;
use crate::error::EngineError;
use crate::model::{AuditEvent, ConfigApproval, Project, ProjectId, SafeMode};
use crate::store::Changes;
use crate::world::GitError;
use att_core::{Actor, ActorKind};
use std::path::Path;

impl Engine {
    /// Adds the repository at `path` (a checkout with an `origin`, or a bare repository) as a project, under the
    /// name that its `att.toml` on the remote's default branch gives it. Adding it again brings it up to date.
    ///
    /// # Errors
    /// When it is no repository, has no remote that can be fetched, or no sound `att.toml`.
    pub async fn register_project(
        &self,
        path: &Path,
        actor: Actor,
    ) -> Result<(Project, Config), EngineError> {
        let remote = remote_of(path)?;
        let at_ms = self.now_ms();
        let head = self.world().default_branch(self.world().home(), &remote).await?;
        let mut project = Project {
            id: ProjectId::new("new-project"),
            path: path.to_string_lossy().into_owned(),
            remote,
            base: head,
            added_at_ms: at_ms,
        };
        let commit = self.world().fetch(&project).await?;
        let config = self.config_at(&project, &commit)?;
        if config.base != project.base {
            project.base.clone_from(&config.base);
        }
        project.id = ProjectId::new(config.project.clone());
        let commit = self.world().fetch(&project).await?;
        let config = self.config_at(&project, &commit)?;
        if config.project != project.id.as_str() {
            return Err(EngineError::Git(GitError::Unfit(format!(
                "att.toml names the project `{}` on its default branch and `{}` on `{}`",
                project.id, config.project, project.base
            ))));
        }
        if let Some(known) = self.store().project(&project.id).await? {
            project.added_at_ms = known.added_at_ms;
            if known.remote != project.remote {
                return Err(EngineError::blocked(
                    format!("another repository is known as `{}`: {}", known.id, known.remote),
                    "give one of them another name in its att.toml",
                ));
            }
        }
        let event = AuditEvent::ProjectRegistered {
            project: project.id.to_string(),
            remote: project.remote.clone(),
            base: project.base.clone(),
        };
        self.commit(Changes {
            project: Some(project.clone()),
            audit: vec![self.entry(project.id.to_string(), actor, event)],
            ..Changes::default()
        })
        .await?;
        Ok((project, config))
    }

    /// The `att.toml` of a project's base branch as of now, and whether a person approved it.
    ///
    /// # Errors
    /// When it cannot be fetched or is broken.
    pub async fn project_config(&self, id: &ProjectId) -> Result<(Config, bool), EngineError> {
        let project = self.store().project(id).await?.ok_or_else(|| EngineError::not_found("project", id))?;
        let commit = self.world().fetch(&project).await?;
        let config = self.config_at(&project, &commit)?;
        let approved = self.store().config_approval(id, &config.digest).await?.is_some();
        Ok((config, approved))
    }

    /// Approves the `att.toml` of a project's base branch by its digest. A person's act; the set-up of the demo
    /// home approves its own.
    ///
    /// # Errors
    /// When the digest is not that of the base branch's file.
    pub async fn approve_config(
        &self,
        id: &ProjectId,
        digest: &str,
        reason: &str,
        actor: Actor,
    ) -> Result<(), EngineError> {
        if actor.kind != ActorKind::Demo {
            Self::person(&actor, reason)?;
        }
        let (config, _) = self.project_config(id).await?;
        if config.digest != digest {
            return Err(EngineError::blocked(
                format!("the att.toml of `{id}` has the digest {}, not {digest}", config.digest),
                "look at the file again",
            ));
        }
        let event = AuditEvent::ConfigApproved {
            project: id.to_string(),
            digest: digest.to_owned(),
            reason: reason.to_owned(),
        };
        self.commit(Changes {
            config_approvals: vec![ConfigApproval {
                project: id.clone(),
                digest: digest.to_owned(),
                actor: actor.clone(),
                reason: reason.to_owned(),
                at_ms: self.now_ms(),
            }],
            audit: vec![self.entry(id.to_string(), actor, event)],
            ..Changes::default()
        })
        .await
    }

    /// Sets or lifts safe mode.
    ///
    /// # Errors
    /// When it is not a person, or there is no reason.
    pub async fn set_safe_mode(&self, active: bool, reason: &str, actor: Actor) -> Result<(), EngineError> {
        Self::person(&actor, reason)?;
        let event = AuditEvent::SafeModeSet { active, reason: reason.to_owned() };
        self.commit(Changes {
            safe_mode: Some(SafeMode {
                active,
                reason: reason.to_owned(),
                actor: actor.clone(),
                at_ms: self.now_ms(),
            }),
            audit: vec![self.entry("safe_mode", actor, event)],
            ..Changes::default()
        })
        .await
    }
}

/// What a repository's changes are fetched from and pushed to.
fn remote_of(path: &Path) -> Result<String, EngineError> {
    let unfit = |text: String| EngineError::Git(GitError::Unfit(text));
    let repository = git2::Repository::open(path)
        .map_err(|_| unfit(format!("{} is not a git repository", path.display())))?;
    if repository.is_bare() {
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        return Ok(whole.to_string_lossy().into_owned());
    }
    let origin = repository
        .find_remote("origin")
        .map_err(|_| unfit(format!("{} has no remote `origin` to fetch from and push to", path.display())))?;
    let url = origin.url().map_err(|error| EngineError::Git(GitError::Read(error)))?.to_owned();
    // A relative path means something only inside that checkout.
    let local = path.join(&url);
    let is_path = !url.contains(':') && local.is_dir();
    let whole = if is_path { local.canonicalize().ok() } else { None };
    Ok(whole.map_or(url, |whole| whole.to_string_lossy().into_owned()))
}
