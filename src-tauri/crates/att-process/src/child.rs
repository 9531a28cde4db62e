//! A child that lives as long as we do, and not a moment longer.

#![allow(clippy::disallowed_methods, reason = "this room spawns")]

use crate::command::{CommandSpec, Exit, ProcessError};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How long the guard itself is given, beyond the grace, before it is killed too.
const GUARD_MARGIN: Duration = Duration::from_secs(2);

/// A program under the guard, with piped stdin, stdout and stderr. Dropping it ends the program, its whole
/// process group and every descendant; so does our own death, however we die.
#[derive(Debug)]
pub struct GuardedChild {
    guard: Child,
    pid: u32,
    ended: Option<Exit>,
}

impl GuardedChild {
    /// Starts `spec`.
    ///
    /// # Errors
    /// See [`CommandSpec::check`]; [`ProcessError::GuardMissing`]; [`ProcessError::Io`].
    pub fn spawn(spec: &CommandSpec) -> Result<Self, ProcessError> {
        Self::spawn_with(spec, Stdio::piped(), Duration::from_secs(2))
    }

    pub(crate) fn spawn_with(
        spec: &CommandSpec,
        stdin: Stdio,
        grace: Duration,
    ) -> Result<Self, ProcessError> {
        spec.check()?;
        let mut command = Command::new(crate::locate::guard_binary()?);
        command
            .arg("child")
            .arg("--parent")
            .arg(std::process::id().to_string())
            .arg("--grace-ms")
            .arg(grace.as_millis().to_string())
            .arg("--")
            .args(&spec.argv)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        spec.apply(&mut command);
        let guard = command.spawn().map_err(ProcessError::io("starting the guard"))?;
        let pid = guard.id().unwrap_or(0);
        Ok(Self { guard, pid, ended: None })
    }

    /// The guard's process id; the program is its one child.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The writing end of the program's stdin; once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.guard.stdin.take()
    }

    /// The reading end of the program's stdout; once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.guard.stdout.take()
    }

    /// The reading end of the program's stderr; once.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.guard.stderr.take()
    }

    /// Waits until the program and all its descendants are gone. May be called again.
    pub async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        let exit = match self.guard.wait().await {
            Ok(status) => Exit::from_guard(status),
            Err(_) => Exit { code: None, signal: None },
        };
        self.ended = Some(exit);
        exit
    }

    /// Ends the program: waits `grace` for it to go by itself (its stdin should be closed by now), then TERM to the
    /// group, then KILL to the group and to every descendant.
    pub async fn shutdown(mut self, grace: Duration) -> Exit {
        drop(self.guard.stdin.take());
        if let Ok(exit) = tokio::time::timeout(grace, self.wait()).await {
            return exit;
        }
        self.terminate().await
    }

    /// TERM, the guard's own grace, KILL.
    pub(crate) async fn terminate(&mut self) -> Exit {
        self.signal(Signal::TERM);
        if let Ok(exit) = tokio::time::timeout(GUARD_MARGIN * 3, self.wait()).await {
            return exit;
        }
        self.signal(Signal::KILL);
        self.wait().await
    }

    fn signal(&self, signal: Signal) {
        if self.ended.is_none()
            && let Some(pid) = self.guard.id().and_then(|id| Pid::from_raw(id.cast_signed()))
        {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for GuardedChild {
    fn drop(&mut self) {
        // The guard sees to the group and the descendants; it does not need us for that.
        self.signal(Signal::TERM);
    }
}
