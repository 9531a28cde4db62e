//! Worktrees of our own clone: laid out at a commit, changed, never shared with the operator.

use super::git::GitError;
use super::{Checkout, World};
use crate::model::{Cycle, Project};
use crate::request::ChangeKind;
use std::path::{Path, PathBuf};

impl World {
    /// Lays out a clean, detached checkout of `commit`; one that is there and at that commit is kept as it is.
    ///
    /// # Errors
    /// When the commit is not in our clone or the folder cannot be written.
    pub async fn lay_out(&self, project: &Project, commit: &str, dir: &Path) -> Result<(), GitError> {
        if let Ok(head) = self.head_of(dir)
            && head == commit
        {
            return Ok(());
        }
        self.lay_out_anew(project, commit, dir).await
    }

    /// The same, and whatever was there goes.
    ///
    /// # Errors
    /// As [`World::lay_out`].
    pub async fn lay_out_anew(&self, project: &Project, commit: &str, dir: &Path) -> Result<(), GitError> {
        let clone = self.clone_dir(&project.id);
        if dir.exists() {
            std::fs::remove_dir_all(dir).map_err(GitError::io(format!("clearing {}", dir.display())))?;
        }
        let parent = dir.parent().unwrap_or(&self.home);
        std::fs::create_dir_all(parent).map_err(GitError::io(format!("making {}", parent.display())))?;
        self.git(&clone, &["worktree", "prune"]).await?;
        let place = dir.to_string_lossy();
        self.git(&clone, &["worktree", "add", "--quiet", "--detach", "--force", "--", &place, commit])
            .await?;
        Ok(())
    }

    /// The commit that a checkout stands on.
    ///
    /// # Errors
    /// When it is no checkout.
    pub fn head_of(&self, dir: &Path) -> Result<String, GitError> {
        Ok(git2::Repository::open(dir)?.head()?.peel_to_commit()?.id().to_string())
    }

    /// Puts the request's change into the worktree of `cycle`, from a clean start. Answers what the head is now.
    ///
    /// # Errors
    /// When the change does not apply, or the branch or commit is not there.
    pub async fn apply_change(
        &self,
        project: &Project,
        cycle: &Cycle,
        base: &str,
    ) -> Result<PathBuf, GitError> {
        let dir = self.checkout_dir(&cycle.id, Checkout::Change);
        let change = cycle.request.change().map_err(|refusal| GitError::Unfit(refusal.to_string()))?;
        match change {
            ChangeKind::Files(files) => {
                self.lay_out_anew(project, base, &dir).await?;
                for (path, content) in files {
                    write_inside(&dir, path, content)?;
                }
                // What was asked for goes in, also where .gitignore covers it.
                self.git(&dir, &["add", "--all", "--force", "."]).await?;
            }
            ChangeKind::Patch(patch) => {
                self.lay_out_anew(project, base, &dir).await?;
                let file = dir.with_extension("patch");
                std::fs::write(&file, patch).map_err(GitError::io("writing the patch"))?;
                let applied = self.git(&dir, &["apply", "--index", &file.to_string_lossy()]).await;
                let _ = std::fs::remove_file(&file);
                applied?;
            }
            ChangeKind::Branch(branch) => {
                let commit = self
                    .branch_commit(project, branch)?
                    .ok_or_else(|| GitError::Unfit(format!("the remote has no branch `{branch}`")))?;
                self.lay_out_anew(project, &commit, &dir).await?;
            }
            ChangeKind::Commit(commit) => self.lay_out_anew(project, commit, &dir).await?,
        }
        Ok(dir)
    }
}

/// Writes a file of the change. A link on the way, put there by an earlier commit, must not lead out.
fn write_inside(dir: &Path, path: &str, content: &str) -> Result<(), GitError> {
    let mut folder = dir.to_owned();
    let mut parts: Vec<_> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    for part in parts {
        folder.push(part);
        match std::fs::symlink_metadata(&folder) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(GitError::Unfit(format!("`{path}`: {} is no folder", folder.display()))),
            Err(_) => {
                std::fs::create_dir(&folder).map_err(GitError::io(format!("making {}", folder.display())))?;
            }
        }
    }
    let file = folder.join(name);
    if std::fs::symlink_metadata(&file).is_ok_and(|meta| !meta.is_file()) {
        return Err(GitError::Unfit(format!("`{path}` is not a plain file")));
    }
    std::fs::write(&file, content).map_err(GitError::io(format!("writing {}", file.display())))
}
