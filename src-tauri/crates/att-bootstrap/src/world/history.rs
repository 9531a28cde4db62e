//! Reading history: what lies between two commits, and which came before.

use super::World;
use super::git::GitError;
use crate::model::{ChangeSet, CommitLine, FileChange, Project};

const MAX_COMMITS: usize = 50;
const MAX_FILES: usize = 200;

impl World {
    /// Is `ancestor` the same as, or an ancestor of, `commit`?
    ///
    /// # Errors
    /// When one of them is not in our clone.
    pub fn contains(&self, project: &Project, ancestor: &str, commit: &str) -> Result<bool, GitError> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id))?;
        let (ancestor, commit) = (git2::Oid::from_str(ancestor)?, git2::Oid::from_str(commit)?);
        Ok(ancestor == commit || repository.graph_descendant_of(commit, ancestor)?)
    }

    /// The first parent of a commit.
    ///
    /// # Errors
    /// When it is not in our clone.
    pub fn first_parent(&self, project: &Project, commit: &str) -> Result<Option<String>, GitError> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id))?;
        let commit = repository.find_commit(git2::Oid::from_str(commit)?)?;
        Ok(commit.parent_ids().next().map(|id| id.to_string()))
    }

    /// The first line of a commit's message; none when it is not in our clone.
    #[must_use]
    pub fn subject(&self, project: &Project, commit: &str) -> Option<String> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id)).ok()?;
        let commit = repository.find_commit(git2::Oid::from_str(commit).ok()?).ok()?;
        commit.summary().ok().flatten().map(|text| text.chars().take(200).collect())
    }

    /// Commits that going from `deployed` to `target` takes away, and files that differ.
    #[must_use]
    pub fn between(&self, project: &Project, deployed: Option<&str>, target: Option<&str>) -> ChangeSet {
        let (Some(deployed), Some(target)) = (deployed, target) else {
            let unavailable = Some("the commit of one of the releases is not known".to_owned());
            return ChangeSet { unavailable, ..ChangeSet::default() };
        };
        self.compare(project, deployed, target).unwrap_or_else(|error| ChangeSet {
            unavailable: Some(error.to_string()),
            ..ChangeSet::default()
        })
    }

    fn compare(&self, project: &Project, deployed: &str, target: &str) -> Result<ChangeSet, GitError> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id))?;
        let (deployed, target) = (git2::Oid::from_str(deployed)?, git2::Oid::from_str(target)?);
        let mut changes = ChangeSet::default();
        let mut walk = repository.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        walk.push(deployed)?;
        walk.hide(target)?;
        for id in walk {
            if changes.commits.len() == MAX_COMMITS {
                changes.truncated = true;
                break;
            }
            let commit = repository.find_commit(id?)?;
            changes.commits.push(CommitLine {
                id: commit.id().to_string(),
                summary: commit.summary().ok().flatten().unwrap_or_default().chars().take(200).collect(),
                author: commit.author().name().unwrap_or_default().to_owned(),
                at_ms: commit.time().seconds().saturating_mul(1000),
            });
        }
        let from = repository.find_commit(deployed)?.tree()?;
        let to = repository.find_commit(target)?.tree()?;
        let mut diff = repository.diff_tree_to_tree(Some(&from), Some(&to), None)?;
        diff.find_similar(None)?;
        for (index, delta) in diff.deltas().enumerate() {
            if index == MAX_FILES {
                changes.truncated = true;
                break;
            }
            let path = delta.new_file().path().or_else(|| delta.old_file().path());
            let lines = git2::Patch::from_diff(&diff, index)?.map(|patch| patch.line_stats()).transpose()?;
            let (_, insertions, deletions) = lines.unwrap_or_default();
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            changes.files.push(FileChange {
                path: path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
                change: match delta.status() {
                    git2::Delta::Added => "added",
                    git2::Delta::Deleted => "removed",
                    git2::Delta::Renamed => "renamed",
                    _ => "changed",
                }
                .to_owned(),
                insertions: count(insertions),
                deletions: count(deletions),
            });
        }
        Ok(changes)
    }
}
