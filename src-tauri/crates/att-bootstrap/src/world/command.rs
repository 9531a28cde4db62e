//! The project's own commands: tests, CI and what `att.toml` says about a target (design 2.7).

use super::{MAX_OUTPUT_BYTES, OutputSink, World};
use crate::config::ConfiguredCommand;
use crate::observe::Observed;
use att_process::{CommandSpec, RunLimits, RunOutcome};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a target's command is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCommand {
    /// Where it runs: the checkout of the base commit.
    pub cwd: PathBuf,
    /// `ATT_RELEASE_ID`: the release that is deployed, brought back or asked for.
    pub release_id: Option<String>,
    /// `ATT_PREVIOUS_RELEASE_ID`: what ran, or runs, before it.
    pub previous_release_id: Option<String>,
    /// `ATT_TARGET`.
    pub target: String,
    /// `ATT_OPERATION_ID`.
    pub operation_id: Option<String>,
    /// `ATT_EXPECTED_GENERATION`.
    pub expected_generation: Option<u64>,
    /// `ATT_COMMIT`: the commit of the release.
    pub commit: Option<String>,
    /// `ATT_WORKTREE`: a checkout of that commit.
    pub worktree: Option<PathBuf>,
    /// `ATT_HEALTH_TARGET`.
    pub health_target: Option<String>,
}

impl TargetCommand {
    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([
            ("ATT_TARGET".to_owned(), self.target.clone()),
            ("ATT_RELEASE_ID".to_owned(), self.release_id.clone().unwrap_or_default()),
            ("ATT_PREVIOUS_RELEASE_ID".to_owned(), self.previous_release_id.clone().unwrap_or_default()),
        ]);
        let optional = [
            ("ATT_OPERATION_ID", self.operation_id.clone()),
            ("ATT_EXPECTED_GENERATION", self.expected_generation.map(|n| n.to_string())),
            ("ATT_COMMIT", self.commit.clone()),
            ("ATT_WORKTREE", self.worktree.as_ref().map(|dir| dir.to_string_lossy().into_owned())),
            ("ATT_HEALTH_TARGET", self.health_target.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
        }
        variables
    }

    /// The whole command.
    #[must_use]
    pub fn spec(&self, command: &ConfiguredCommand) -> CommandSpec {
        let mut spec = CommandSpec::new(command.argv.iter().cloned()).cwd(self.cwd.clone());
        spec.env = self.variables();
        spec
    }
}

/// How a command came out, in the engine's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandRun {
    /// Exit code 0; what it printed on standard output.
    Passed(String),
    /// Another exit code: a clear no.
    Failed(String),
    /// It could not be started, was ended by a signal, or ran out of time: no verdict.
    NoVerdict(String),
}

impl CommandRun {
    pub(crate) fn from_outcome(what: &str, timeout_ms: i64, outcome: &RunOutcome) -> Self {
        let said = super::git::last_lines(if outcome.stderr.trim().is_empty() {
            &outcome.stdout
        } else {
            &outcome.stderr
        });
        let said: String = att_core::redact(&said).chars().take(500).collect();
        let tail = if said.is_empty() { String::new() } else { format!(": {said}") };
        if outcome.timed_out {
            Self::NoVerdict(format!("the {what} command ran longer than {timeout_ms} ms{tail}"))
        } else if outcome.exit.success() {
            Self::Passed(outcome.stdout.clone())
        } else if outcome.exit.code.is_some() {
            Self::Failed(format!("the {what} command ended with {}{tail}", outcome.exit))
        } else {
            Self::NoVerdict(format!("the {what} command was ended by {}{tail}", outcome.exit))
        }
    }

    /// One sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(detail) | Self::NoVerdict(detail) => detail,
        }
    }
}

pub(crate) fn limits(timeout_ms: i64) -> RunLimits {
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(1).max(1));
    RunLimits { timeout, max_output_bytes: MAX_OUTPUT_BYTES }
}

impl World {
    /// Runs a command that ends with us, should we die.
    pub async fn run(
        &self,
        what: &str,
        spec: &CommandSpec,
        timeout_ms: i64,
        output: Option<&mut OutputSink>,
    ) -> CommandRun {
        let limits = limits(timeout_ms);
        let result = match output {
            Some(sink) => {
                sink.line(&format!("$ {}", spec.argv.join(" ")));
                let mut on_line = |_, line: &str| sink.line(line);
                Box::pin(att_process::run_streaming(spec, &limits, &mut on_line)).await
            }
            None => Box::pin(att_process::run(spec, &limits)).await,
        };
        match result {
            Ok(outcome) => CommandRun::from_outcome(what, timeout_ms, &outcome),
            Err(error) => CommandRun::NoVerdict(format!("the {what} command could not be run: {error}")),
        }
    }

    /// Runs the project's tests in `dir`, without our environment: no tokens, no keyring.
    pub async fn run_scrubbed(
        &self,
        what: &str,
        command: &ConfiguredCommand,
        dir: &Path,
        variables: &[(&str, &str)],
        output: &mut OutputSink,
    ) -> CommandRun {
        let mut spec = CommandSpec::new(command.argv.iter().cloned()).cwd(dir).scrubbed();
        for (name, value) in variables {
            spec = spec.env(*name, *value);
        }
        self.run(what, &spec, command.timeout_ms, Some(output)).await
    }

    /// Asks what runs on the target.
    ///
    /// # Errors
    /// One sentence: why it could not be told.
    pub async fn observe(
        &self,
        command: &ConfiguredCommand,
        told: &TargetCommand,
    ) -> Result<Observed, Unobserved> {
        match self.run("observe", &told.spec(command), command.timeout_ms, None).await {
            CommandRun::Passed(printed) => {
                let observed: Observed = serde_json::from_str(printed.trim()).map_err(|error| {
                    Unobserved(format!("the observe command printed no usable JSON: {error}"))
                })?;
                if observed.release_id.is_empty() {
                    return Err(Unobserved("the observe command names no release".to_owned()));
                }
                Ok(observed)
            }
            other => Err(Unobserved(other.detail().to_owned())),
        }
    }
}

/// Why nobody can tell what runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unobserved(pub String);
