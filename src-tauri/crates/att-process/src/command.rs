//! What to run, how it ended, and why it could not be started.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables that a scrubbed environment keeps: enough to find programs, nothing that could be a token.
const KEPT: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "TZ"];

/// A command line with its folder and environment. Never a shell string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Working folder; ours when absent.
    pub cwd: Option<PathBuf>,
    /// Variables set on top.
    pub env: BTreeMap<String, String>,
    /// False: of our own environment only `PATH`, `HOME`, `LANG`, `LC_ALL`, `TMPDIR`, `USER` and `TZ` are passed on.
    pub inherit_env: bool,
}

impl CommandSpec {
    /// A command with our environment and folder.
    #[must_use]
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: None,
            env: BTreeMap::new(),
            inherit_env: true,
        }
    }

    /// The same in the folder `cwd`.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// The same with the variable `name` set.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// The same without our environment: no tokens, no keyring, no agent sockets.
    #[must_use]
    pub fn scrubbed(mut self) -> Self {
        self.inherit_env = false;
        self
    }

    /// Checks what can be checked before spawning, so that the error names the cause.
    ///
    /// # Errors
    /// [`ProcessError::EmptyCommand`], [`ProcessError::CwdMissing`] or [`ProcessError::ProgramMissing`].
    pub fn check(&self) -> Result<(), ProcessError> {
        let program = self.argv.first().filter(|p| !p.is_empty()).ok_or(ProcessError::EmptyCommand)?;
        if let Some(cwd) = &self.cwd
            && !cwd.is_dir()
        {
            return Err(ProcessError::CwdMissing { cwd: cwd.clone() });
        }
        let found = if program.contains('/') {
            let path = Path::new(program);
            let base = self.cwd.as_deref().unwrap_or(Path::new(""));
            is_executable(&base.join(path)) || (path.is_absolute() && is_executable(path))
        } else {
            let path = self
                .env
                .get("PATH")
                .cloned()
                .or_else(|| std::env::var("PATH").ok())
                .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
            std::env::split_paths(&path).any(|dir| is_executable(&dir.join(program)))
        };
        if found { Ok(()) } else { Err(ProcessError::ProgramMissing { program: program.clone() }) }
    }

    /// Puts folder and environment on `command`.
    pub(crate) fn apply(&self, command: &mut tokio::process::Command) {
        if !self.inherit_env {
            command.env_clear();
            for name in KEPT {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
        }
        command.envs(&self.env);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// How a process ended: an exit code, or the signal that ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, when it ended by itself.
    pub code: Option<i32>,
    /// The signal, when one ended it.
    pub signal: Option<i32>,
}

impl Exit {
    /// True for exit code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// From what the guard exited with: it passes codes on and, as shells do, adds 128 to a signal's number.
    pub(crate) fn from_guard(status: std::process::ExitStatus) -> Self {
        match status.code() {
            Some(code @ 129..=192) => Self { code: None, signal: Some(code - 128) },
            _ => Self::from_status(status),
        }
    }

    pub(crate) fn from_status(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        Self { code: status.code(), signal: status.signal() }
    }

    /// The code a parent process passes on for this exit.
    pub(crate) fn as_code(self) -> u8 {
        let code = self.code.unwrap_or_else(|| 128 + self.signal.unwrap_or(0));
        u8::try_from(code & 0xff).unwrap_or(1)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("an unknown end"),
        }
    }
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no program to run.
    #[error("the command is empty")]
    EmptyCommand,
    /// The program is neither a file that may be run nor on the `PATH`.
    #[error("the program `{program}` was not found; install it, or give its full path")]
    ProgramMissing {
        /// As it was given.
        program: String,
    },
    /// The working folder does not exist.
    #[error("the folder {} does not exist", cwd.display())]
    CwdMissing {
        /// The folder.
        cwd: PathBuf,
    },
    /// The guard binary is not beside ours.
    #[error("the program `att-guard` was not found beside {}; build or reinstall ATT, or set ATT_GUARD", near.display())]
    GuardMissing {
        /// Where it was looked for.
        near: PathBuf,
    },
    /// An operation id that cannot name a folder.
    #[error("`{id}` is not an operation id")]
    BadOperationId {
        /// The id.
        id: String,
    },
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl ProcessError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
