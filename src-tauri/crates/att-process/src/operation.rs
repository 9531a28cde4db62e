//! Outside effects that must not die with us: started once per operation id, their outcome kept on disk.
//!
//! A runner (`att-guard operation`) in a session of its own holds a file lock for as long as it lives, so that
//! "is it still running?" is asked of the lock, never of a process number that may have been given away.
//! In the folder of an operation: `spec.json` (what to run), `lock`, `started` (the runner's pid, written under
//! the lock before the command is spawned), `output.log` (live, bounded), `outcome.json` (written last, atomically).

#![allow(clippy::disallowed_methods, reason = "this room spawns")]

mod runner;

pub use runner::run_operation;

use crate::command::{CommandSpec, ProcessError};
use crate::run::{OutputStream, RunLimits, RunOutcome};
use att_core::id::OperationId;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// How often the output and the lock are looked at while following.
const LOOK: Duration = Duration::from_millis(50);
/// How long a runner is given to say that it started.
const START: Duration = Duration::from_secs(10);

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationState {
    /// Its command was never spawned: starting it is safe.
    NeverStarted,
    /// Its runner is alive.
    Running,
    /// It came to an end.
    Finished(RunOutcome),
    /// Its runner died (power, SIGKILL) after spawning the command: whether the effect happened must be looked up.
    Lost {
        /// One sentence.
        reason: String,
    },
}

/// What the runner is asked to do.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    spec: CommandSpec,
    timeout_ms: u64,
    max_output_bytes: usize,
}

/// Starts operations and finds out what became of them. All state is under one folder.
#[derive(Debug, Clone)]
pub struct OperationRunner {
    dir: PathBuf,
}

impl OperationRunner {
    /// A runner that keeps its operations under `dir`, which is made when missing.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Starts `spec` under `id`, once: for an id that was started before this does nothing.
    ///
    /// # Errors
    /// When it cannot be started; nothing was run then.
    pub async fn start(
        &self,
        id: &OperationId,
        spec: &CommandSpec,
        limits: &RunLimits,
    ) -> Result<(), ProcessError> {
        let dir = self.folder(id)?;
        if self.state(id) != OperationState::NeverStarted {
            return Ok(());
        }
        spec.check()?;
        let guard = crate::locate::guard_binary()?;
        fs::create_dir_all(&dir).map_err(ProcessError::io(format!("making {}", dir.display())))?;
        let order = Order {
            spec: spec.clone(),
            timeout_ms: u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
            max_output_bytes: limits.max_output_bytes,
        };
        write_atomically(&dir.join("spec.json"), &to_json(&order))
            .map_err(ProcessError::io("writing the order"))?;
        let mut command = tokio::process::Command::new(guard);
        command.arg("operation").arg("--dir").arg(&dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        // The runner passes its environment on, so the scrubbing is done here, the additions by the order.
        CommandSpec { env: std::collections::BTreeMap::new(), cwd: None, ..spec.clone() }.apply(&mut command);
        let mut runner = command.spawn().map_err(ProcessError::io("starting the operation's runner"))?;
        let began = tokio::time::Instant::now();
        loop {
            if dir.join("started").is_file() {
                // Reaped when it ends, should we live that long.
                tokio::spawn(async move { runner.wait().await });
                return Ok(());
            }
            // One that ends well without having started lost the race for the lock: the other one says so soon.
            if let Ok(Some(status)) = runner.try_wait()
                && !status.success()
            {
                let why = std::io::Error::other(format!("the runner ended with {status}"));
                return Err(ProcessError::io("starting the operation's runner")(why));
            }
            if began.elapsed() > START {
                let _ = runner.kill().await;
                let why = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Err(ProcessError::io("starting the operation's runner")(why));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is known of `id`.
    #[must_use]
    pub fn state(&self, id: &OperationId) -> OperationState {
        let Ok(dir) = self.folder(id) else { return OperationState::NeverStarted };
        // Asked before the outcome: a runner that ends in between is then seen as finished, not as lost.
        let alive = is_locked(&dir.join("lock"));
        if let Some(outcome) = read_json::<RunOutcome>(&dir.join("outcome.json")) {
            return OperationState::Finished(outcome);
        }
        match (dir.join("started").is_file(), alive) {
            (true, true) => OperationState::Running,
            (true, false) => {
                OperationState::Lost { reason: "its runner ended without leaving an outcome".into() }
            }
            (false, _) => OperationState::NeverStarted,
        }
    }

    /// Waits until `id` is not running, handing out its output from the beginning. Works as well for an operation
    /// that an engine before us started.
    pub async fn follow(
        &self,
        id: &OperationId,
        on_line: &mut (dyn FnMut(OutputStream, &str) + Send),
    ) -> OperationState {
        let Ok(dir) = self.folder(id) else { return OperationState::NeverStarted };
        let mut output = Tail::new(dir.join("output.log"));
        loop {
            let state = self.state(id);
            output.read(on_line);
            if state != OperationState::Running {
                return state;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Asks a running operation to end: TERM to its process group, then KILL. No effect on one that is not running.
    ///
    /// # Errors
    /// For an id that is none.
    pub fn cancel(&self, id: &OperationId) -> Result<(), ProcessError> {
        let dir = self.folder(id)?;
        if self.state(id) == OperationState::Running
            && let Some(pid) =
                fs::read_to_string(dir.join("started")).ok().and_then(|text| text.trim().parse().ok())
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, Signal::TERM);
        }
        Ok(())
    }

    fn folder(&self, id: &OperationId) -> Result<PathBuf, ProcessError> {
        let text = id.as_str();
        let plain = !text.is_empty()
            && text.len() <= 64
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if plain {
            Ok(self.dir.join(text))
        } else {
            Err(ProcessError::BadOperationId { id: text.to_owned() })
        }
    }
}

/// Reads the lines that were added to a growing file.
struct Tail {
    path: PathBuf,
    at: u64,
    pending: Vec<u8>,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        Self { path, at: 0, pending: Vec::new() }
    }

    fn read(&mut self, on_line: &mut (dyn FnMut(OutputStream, &str) + Send)) {
        let Ok(mut file) = File::open(&self.path) else { return };
        if file.seek(SeekFrom::Start(self.at)).is_err() {
            return;
        }
        let mut fresh = Vec::new();
        let Ok(read) = file.read_to_end(&mut fresh) else { return };
        self.at += read as u64;
        self.pending.extend_from_slice(&fresh);
        while let Some(end) = self.pending.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line[..end]);
            match text.split_once(' ') {
                Some(("2", rest)) => on_line(OutputStream::Stderr, rest),
                Some((_, rest)) => on_line(OutputStream::Stdout, rest),
                None => on_line(OutputStream::Stdout, &text),
            }
        }
    }
}

fn is_locked(path: &Path) -> bool {
    match File::open(path).map(|file| file.try_lock_shared()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => false,
    }
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let temporary = path.with_extension("tmp");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
