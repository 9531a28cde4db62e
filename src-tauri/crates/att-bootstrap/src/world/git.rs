//! Git work through the `git` program, so that credentials and hooks of the operator's work; reading through git2.

use super::World;
use crate::model::{Operation, Project};
use att_core::id::OperationId;
use att_process::{CommandSpec, ProcessError, RunLimits, RunOutcome};
use std::path::Path;
use std::time::Duration;

/// The trailer by which a commit is known to be an operation's.
pub(super) const TRAILER: &str = "ATT-Operation";
/// So many tries while another process holds git's locks.
const MAX_FETCHES: u32 = 5;
const GIT_TIMEOUT: Duration = Duration::from_secs(120);

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// git could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// git said no.
    #[error("git {what} failed ({exit}): {said}")]
    Failed {
        /// Which command.
        what: String,
        /// How it ended.
        exit: String,
        /// The end of what it said.
        said: String,
    },
    /// The repository could not be read.
    #[error("reading the repository: {0}")]
    Read(#[from] git2::Error),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// Not what a release cycle needs.
    #[error("{0}")]
    Unfit(String),
}

impl GitError {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// How a commit came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// There is a commit.
    Made(String),
    /// The change changes nothing.
    NothingToCommit,
}

/// How a push came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// The remote has it.
    Pushed,
    /// The remote refused: it is not where it was expected to be, or a hook said no.
    Refused(String),
}

impl World {
    /// Runs git in `dir`.
    pub(super) async fn git(&self, dir: &Path, args: &[&str]) -> Result<String, GitError> {
        let outcome = self.git_outcome(dir, args).await?;
        if outcome.success() { Ok(outcome.stdout) } else { Err(failed(args, &outcome)) }
    }

    pub(super) async fn git_outcome(&self, dir: &Path, args: &[&str]) -> Result<RunOutcome, GitError> {
        let argv = std::iter::once("git").chain(args.iter().copied());
        let spec = CommandSpec::new(argv)
            .cwd(dir)
            // Never wait for a password that nobody can type.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C");
        let limits = RunLimits { timeout: GIT_TIMEOUT, max_output_bytes: super::MAX_OUTPUT_BYTES };
        Ok(Box::pin(att_process::run(&spec, &limits)).await?)
    }

    /// Brings our clone up to date and answers the base branch's commit.
    ///
    /// # Errors
    /// When the remote cannot be fetched, or has no such branch.
    pub async fn fetch(&self, project: &Project) -> Result<String, GitError> {
        let dir = self.clone_dir(&project.id);
        if !dir.join("HEAD").is_file() {
            std::fs::create_dir_all(&dir).map_err(GitError::io(format!("making {}", dir.display())))?;
            self.git(&dir, &["init", "--quiet", "--bare", "."]).await?;
            // Objects are shared with worktrees whose commits no ref names yet; they must not be collected.
            self.git(&dir, &["config", "gc.auto", "0"]).await?;
        }
        let refspec = "+refs/heads/*:refs/remotes/origin/*";
        let args = ["fetch", "--quiet", "--prune", "--no-tags", "--", &project.remote, refspec];
        let mut tries = 1;
        // Another face may be fetching at this very moment; its locks are short.
        while let Err(error) = self.git(&dir, &args).await {
            let locked = matches!(&error, GitError::Failed { said, .. } if said.contains("lock"));
            if !locked || tries == MAX_FETCHES {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.base_commit(project)
    }

    /// The name of a remote's default branch.
    ///
    /// # Errors
    /// When the remote cannot be asked, or is empty.
    pub async fn default_branch(&self, dir: &Path, remote: &str) -> Result<String, GitError> {
        let listed = self.git(dir, &["ls-remote", "--symref", "--", remote, "HEAD"]).await?;
        listed
            .lines()
            .find_map(|line| line.strip_prefix("ref: refs/heads/")?.split_whitespace().next())
            .map(str::to_owned)
            .ok_or_else(|| GitError::Unfit(format!("the remote {remote} is empty: it has no default branch")))
    }

    /// The base branch's commit as of the last fetch.
    ///
    /// # Errors
    /// When there is no such branch.
    pub fn base_commit(&self, project: &Project) -> Result<String, GitError> {
        self.branch_commit(project, &project.base)?.ok_or_else(|| {
            GitError::Unfit(format!("the remote {} has no branch `{}`", project.remote, project.base))
        })
    }

    /// A branch's commit as of the last fetch.
    ///
    /// # Errors
    /// When the clone cannot be read.
    pub fn branch_commit(&self, project: &Project, branch: &str) -> Result<Option<String>, GitError> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id))?;
        match repository.refname_to_id(&format!("refs/remotes/origin/{branch}")) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A file of a commit.
    ///
    /// # Errors
    /// When the commit is not there or the file is none.
    pub fn file_at(&self, project: &Project, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let repository = git2::Repository::open_bare(self.clone_dir(&project.id))?;
        let tree = repository.find_commit(git2::Oid::from_str(commit)?)?.tree()?;
        let entry = match tree.get_path(Path::new(path)) {
            Ok(entry) => entry,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(repository.find_blob(entry.id())?.content().to_vec()))
    }

    /// Commits what is in the worktree's index (what tests leave behind is not), with the operation's trailer; a commit that carries it already is taken.
    ///
    /// # Errors
    /// When git fails, for instance by a commit hook.
    pub async fn commit_all(
        &self,
        dir: &Path,
        base: &str,
        message: &str,
        operation: &OperationId,
    ) -> Result<CommitOutcome, GitError> {
        if let Some(made) = self.commit_of_operation(dir, operation)? {
            return Ok(CommitOutcome::Made(made));
        }
        let clean = self.git_outcome(dir, &["diff", "--cached", "--quiet"]).await?;
        let head = self.git(dir, &["rev-parse", "HEAD"]).await?.trim().to_owned();
        if clean.success() {
            return Ok(if head == base { CommitOutcome::NothingToCommit } else { CommitOutcome::Made(head) });
        }
        let trailer = format!("{TRAILER}: {operation}");
        let name = "user.name=ATT";
        let args = ["-c", name, "-c", "user.email=att@localhost", "commit", "--quiet", "--no-gpg-sign", "-m"];
        let args = [&args[..], &[message, "--trailer", &trailer]].concat();
        self.git(dir, &args).await?;
        let made = self.git(dir, &["rev-parse", "HEAD"]).await?;
        Ok(CommitOutcome::Made(made.trim().to_owned()))
    }

    /// The commit that an operation left at the head of a worktree, if it did.
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn commit_of_operation(
        &self,
        dir: &Path,
        operation: &OperationId,
    ) -> Result<Option<String>, GitError> {
        let repository = git2::Repository::open(dir)?;
        let head = repository.head()?.peel_to_commit()?;
        let wanted = format!("{TRAILER}: {operation}");
        let message = head.message().unwrap_or_default();
        Ok(message.lines().any(|line| line.trim() == wanted).then(|| head.id().to_string()))
    }

    /// What the remote has under a branch right now; none: nothing.
    ///
    /// # Errors
    /// When the remote cannot be asked.
    pub async fn remote_commit(&self, project: &Project, branch: &str) -> Result<Option<String>, GitError> {
        let name = format!("refs/heads/{branch}");
        let dir = self.clone_dir(&project.id);
        let listed = self.git(&dir, &["ls-remote", "--", &project.remote, &name]).await?;
        let line = listed.lines().find(|line| line.split_whitespace().nth(1) == Some(&name));
        Ok(line.and_then(|line| line.split_whitespace().next()).map(str::to_owned))
    }

    /// Pushes `commit` to `branch`, if the remote's branch is still at `expected` (empty: is not there).
    ///
    /// # Errors
    /// When git could not be run or the remote not be reached.
    pub async fn push(
        &self,
        project: &Project,
        commit: &str,
        branch: &str,
        expected: &str,
        operation: &Operation,
    ) -> Result<PushOutcome, GitError> {
        let dir = self.clone_dir(&project.id);
        let lease = format!("--force-with-lease=refs/heads/{branch}:{expected}");
        let refspec = format!("{commit}:refs/heads/{branch}");
        tracing::debug!(operation = %operation.id, branch, "pushing");
        let args = ["push", "--quiet", "--porcelain", &lease, "--", &project.remote, &refspec];
        let outcome = self.git_outcome(&dir, &args).await?;
        if outcome.success() {
            return Ok(PushOutcome::Pushed);
        }
        let said = format!("{}\n{}", outcome.stdout, outcome.stderr);
        if said.contains("rejected") || said.contains("stale info") || said.contains("declined") {
            return Ok(PushOutcome::Refused(last_lines(&said)));
        }
        Err(failed(&args, &outcome))
    }
}

fn failed(args: &[&str], outcome: &RunOutcome) -> GitError {
    let exit = if outcome.timed_out { "its time ran out".to_owned() } else { outcome.exit.to_string() };
    let said = if outcome.stderr.trim().is_empty() { &outcome.stdout } else { &outcome.stderr };
    let what =
        args.iter().find(|arg| !arg.starts_with('-') && !arg.contains('=')).copied().unwrap_or_default();
    GitError::Failed { what: what.to_owned(), exit, said: att_core::redact(&last_lines(said)) }
}

pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" / ")
}
