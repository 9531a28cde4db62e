//! The outside world of the engine: git, the project's commands, the places under `ATT_HOME`.
//!
//! **Invariant:** the operator's checkout is never written to; every command of a target runs in a checkout of the
//! base commit, so that a change cannot alter the commands that judge and deploy it.

mod checkout;
mod command;
mod git;
mod history;
mod output;

pub(crate) use command::limits;
pub use command::{CommandRun, TargetCommand, Unobserved};
pub use git::{CommitOutcome, GitError, PushOutcome};
pub use output::{OutputLine, OutputSink};

use crate::model::ProjectId;
use att_core::Clock;
use att_core::id::CycleId;
use att_process::OperationRunner;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most bytes kept of what one command prints.
pub(crate) const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// Handles to everything outside.
#[derive(Debug, Clone)]
pub struct World {
    home: PathBuf,
    clock: Arc<dyn Clock>,
    operations: OperationRunner,
    lines: tokio::sync::broadcast::Sender<OutputLine>,
}

/// A checkout of a cycle's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkout {
    /// The base commit: where the target's commands run.
    Base,
    /// The change: what is tested and deployed.
    Change,
    /// The release that is brought back.
    Rollback,
}

impl World {
    /// The world around `home`.
    #[must_use]
    pub fn new(home: &Path, clock: Arc<dyn Clock>) -> Self {
        let operations = OperationRunner::new(home.join("run").join("operations"));
        let (lines, _) = tokio::sync::broadcast::channel(1024);
        Self { home: home.to_owned(), clock, operations, lines }
    }

    /// The runner of deploys and rollbacks.
    #[must_use]
    pub fn operations(&self) -> &OperationRunner {
        &self.operations
    }

    /// What the stages print, as they print it; bounded, a slow reader loses lines.
    #[must_use]
    pub fn lines(&self) -> tokio::sync::broadcast::Receiver<OutputLine> {
        self.lines.subscribe()
    }

    /// `ATT_HOME`.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Our own bare clone of a project.
    #[must_use]
    pub fn clone_dir(&self, project: &ProjectId) -> PathBuf {
        self.home.join("worktrees").join(format!("{project}.git"))
    }

    /// A checkout of a cycle's.
    #[must_use]
    pub fn checkout_dir(&self, cycle: &CycleId, checkout: Checkout) -> PathBuf {
        let name = match checkout {
            Checkout::Base => "base",
            Checkout::Change => "change",
            Checkout::Rollback => "rollback",
        };
        self.home.join("worktrees").join(cycle.as_str()).join(name)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}
