//! `att.toml`: what a project is, how it is tested, and how its targets are deployed, observed and rolled back
//! (design 2.2 and 4). Read from the base commit, never from an operator's checkout.

mod read;

pub use read::ConfigError;

use crate::model::SourceKind;
use std::collections::BTreeMap;

/// The file's name in the repository.
pub const FILE: &str = "att.toml";

/// One command of the project's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredCommand {
    /// What is run.
    pub argv: Vec<String>,
    /// For how long at most.
    pub timeout_ms: i64,
}

/// How the pushed commit is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ci {
    /// Explicitly none.
    None,
    /// The project's own command, in the checkout of the base commit; `ATT_WORKTREE` is the commit that is judged.
    Command(ConfiguredCommand),
}

/// How releases are learned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// In which order they are asked.
    pub order: Vec<SourceKind>,
    /// How long each may take.
    pub timeout_ms: i64,
    /// The operator's own program.
    pub command: Option<ConfiguredCommand>,
}

/// A target's own values of the request's fields; see [`crate::model::ResolvedPolicy`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Its name.
    pub name: String,
    /// Its policy, every field filled in.
    pub policy: crate::model::ResolvedPolicy,
    /// Puts a release live.
    pub deploy: Option<ConfiguredCommand>,
    /// Tells what runs: prints `{"release_id", "digest"?, "commit"?}`.
    pub observe: Option<ConfiguredCommand>,
    /// The health gate.
    pub health: Option<ConfiguredCommand>,
    /// The restart watchdog's probe.
    pub watchdog: Option<ConfiguredCommand>,
    /// Brings a release back.
    pub rollback: Option<ConfiguredCommand>,
    /// Tells whether a release can be brought back.
    pub preflight: Option<ConfiguredCommand>,
    /// The runtime's log, for the source `runtime_log`; relative to the checkout of the base commit.
    pub runtime_log: Option<String>,
}

/// A whole `att.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The project's name.
    pub project: String,
    /// The base branch.
    pub base: String,
    /// The tests; none: the stage is skipped.
    pub tests: Option<ConfiguredCommand>,
    /// CI; none: nothing is merged.
    pub ci: Option<Ci>,
    /// The release sources.
    pub sources: Sources,
    /// The targets.
    pub targets: BTreeMap<String, TargetConfig>,
    /// SHA-256 of the file's bytes: what a person approves.
    pub digest: String,
}

impl Config {
    /// Reads `bytes`; `file` is how the file is named in an error.
    ///
    /// # Errors
    /// With line and column, what is wrong and what would be right.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, ConfigError> {
        read::read(bytes, file)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
