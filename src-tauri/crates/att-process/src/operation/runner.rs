//! What the `att-guard` binary does in its `operation` mode: one command, once, its outcome kept.

#![allow(clippy::disallowed_methods, reason = "this room spawns")]

use super::{Order, read_json, to_json, write_atomically};
use crate::command::Exit;
use crate::run::{OutputStream, RunOutcome, Streams};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Between TERM and KILL to the command's group.
const GRACE: Duration = Duration::from_secs(2);
/// Exit code for a command that could not be started, as shells have it.
const NOT_STARTED: i32 = 127;

/// Runs the order in `dir`, unless it was run before or another runner is at it.
///
/// # Errors
/// When the order cannot be read or its outcome cannot be kept.
pub async fn run_operation(dir: &Path) -> std::io::Result<()> {
    // A session of its own: the terminal's Ctrl-C and the end of the engine do not concern it.
    let _ = rustix::process::setsid();
    let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("lock"))?;
    if lock.try_lock().is_err() || dir.join("started").is_file() {
        return Ok(());
    }
    let order: Order = read_json(&dir.join("spec.json"))
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "the order cannot be read"))?;
    let mut term = signal(SignalKind::terminate())?;
    write_atomically(&dir.join("started"), std::process::id().to_string().as_bytes())?;
    let mut log = OutputLog::create(&dir.join("output.log"), order.max_output_bytes)?;
    let outcome = tokio::select! {
        outcome = execute(&order, &mut log, &mut term) => outcome,
    };
    write_atomically(&dir.join("outcome.json"), &to_json(&outcome))
}

async fn execute(order: &Order, log: &mut OutputLog, term: &mut tokio::signal::unix::Signal) -> RunOutcome {
    let started = Instant::now();
    let elapsed = || i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let failed = |why: String| RunOutcome {
        exit: Exit { code: Some(NOT_STARTED), signal: None },
        timed_out: false,
        stdout: String::new(),
        stderr: why,
        truncated: false,
        duration_ms: elapsed(),
    };
    let Some((program, arguments)) = order.spec.argv.split_first() else {
        return failed("the command is empty".into());
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).envs(&order.spec.env).process_group(0);
    if let Some(cwd) = &order.spec.cwd {
        command.current_dir(cwd);
    }
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return failed(format!("{program}: {error}")),
    };
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut streams = Streams::new(child.stdout.take(), child.stderr.take(), order.max_output_bytes);
    let mut on_line = |stream: OutputStream, line: &str| log.line(stream, line);
    let deadline = tokio::time::sleep(Duration::from_millis(order.timeout_ms));
    tokio::pin!(deadline);
    let (status, timed_out) = loop {
        tokio::select! {
            status = child.wait() => break (status, false),
            () = &mut deadline => break (end(&mut child, group).await, true),
            _ = term.recv() => break (end(&mut child, group).await, false),
            () = streams.step(&mut on_line), if streams.open() => {}
        }
    };
    streams.drain(&mut on_line).await;
    let exit = status.map_or(Exit { code: None, signal: None }, Exit::from_status);
    streams.into_outcome(exit, timed_out, elapsed())
}

/// Only the group is ended: a service that the deploy put into a session of its own goes on.
async fn end(
    child: &mut tokio::process::Child,
    group: Option<Pid>,
) -> std::io::Result<std::process::ExitStatus> {
    let send = |signal| {
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
    };
    send(Signal::TERM);
    let gone = tokio::time::timeout(GRACE, child.wait()).await;
    send(Signal::KILL);
    match gone {
        Ok(status) => status,
        Err(_) => child.wait().await,
    }
}

/// The live output: lines with a mark for their stream, up to a bound.
struct OutputLog {
    file: File,
    left: usize,
}

impl OutputLog {
    fn create(path: &Path, max_bytes: usize) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)?, left: max_bytes })
    }

    fn line(&mut self, stream: OutputStream, line: &str) {
        if self.left == 0 {
            return;
        }
        let mark = if stream == OutputStream::Stderr { '2' } else { '1' };
        let line = att_core::redact(line);
        let text = match self.left.checked_sub(line.len() + 3) {
            Some(left) => {
                self.left = left;
                format!("{mark} {line}\n")
            }
            None => {
                self.left = 0;
                "2 [... more output is not shown live ...]\n".to_owned()
            }
        };
        let _ = self.file.write_all(text.as_bytes());
    }
}
