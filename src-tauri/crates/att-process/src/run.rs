//! A command that ends by itself: bounded time, bounded output, nothing left behind.

use crate::capture::{Capture, Lines};
use crate::child::GuardedChild;
use crate::command::{CommandSpec, Exit, ProcessError};
use serde::{Deserialize, Serialize};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How long output is still read after the command itself has ended.
const DRAIN: Duration = Duration::from_millis(300);

/// Which of the two streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Longest time; then the process group is ended.
    pub timeout: Duration,
    /// Most bytes kept of each stream; the middle is left out beyond that.
    pub max_output_bytes: usize,
}

/// How a run came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// How the command ended.
    pub exit: Exit,
    /// True when it was ended because its time was up.
    pub timed_out: bool,
    /// Kept standard output.
    pub stdout: String,
    /// Kept standard error.
    pub stderr: String,
    /// True when output was left out.
    pub truncated: bool,
    /// How long it took.
    pub duration_ms: i64,
}

impl RunOutcome {
    /// True when it ended by itself with exit code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        !self.timed_out && self.exit.success()
    }
}

/// Runs `spec` to its end, under the guard and within `limits`.
///
/// # Errors
/// When it could not be started. A command that fails or runs out of time is an outcome, not an error.
pub async fn run(spec: &CommandSpec, limits: &RunLimits) -> Result<RunOutcome, ProcessError> {
    run_streaming(spec, limits, &mut |_, _| ()).await
}

/// As [`run`], and hands each line to `on_line` as it arrives.
///
/// # Errors
/// As [`run`].
pub async fn run_streaming(
    spec: &CommandSpec,
    limits: &RunLimits,
    on_line: &mut (dyn FnMut(OutputStream, &str) + Send),
) -> Result<RunOutcome, ProcessError> {
    let started = Instant::now();
    let mut child = GuardedChild::spawn_with(spec, Stdio::null(), Duration::from_secs(1))?;
    let mut streams = Streams::new(child.take_stdout(), child.take_stderr(), limits.max_output_bytes);
    let deadline = tokio::time::sleep(limits.timeout);
    tokio::pin!(deadline);
    let (exit, timed_out) = loop {
        tokio::select! {
            exit = child.wait() => break (exit, false),
            () = &mut deadline => break (child.terminate().await, true),
            () = streams.step(on_line), if streams.open() => {}
        }
    };
    streams.drain(on_line).await;
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    Ok(streams.into_outcome(exit, timed_out, duration_ms))
}

/// Both output streams of a child, read side by side.
pub(crate) struct Streams<O, E> {
    stdout: Option<O>,
    stderr: Option<E>,
    stdout_lines: Lines,
    stderr_lines: Lines,
    stdout_kept: Capture,
    stderr_kept: Capture,
    stdout_buffer: Vec<u8>,
    stderr_buffer: Vec<u8>,
}

impl<O: AsyncRead + Unpin, E: AsyncRead + Unpin> Streams<O, E> {
    pub(crate) fn new(stdout: Option<O>, stderr: Option<E>, max_bytes: usize) -> Self {
        Self {
            stdout,
            stderr,
            stdout_lines: Lines::default(),
            stderr_lines: Lines::default(),
            stdout_kept: Capture::new(max_bytes),
            stderr_kept: Capture::new(max_bytes),
            stdout_buffer: vec![0; 8192],
            stderr_buffer: vec![0; 8192],
        }
    }

    pub(crate) fn open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Reads once from whichever stream has something. Cancel-safe: a read that is not awaited to its end took nothing.
    pub(crate) async fn step(&mut self, on_line: &mut (dyn FnMut(OutputStream, &str) + Send)) {
        tokio::select! {
            read = read_some(self.stdout.as_mut(), &mut self.stdout_buffer) => {
                let kept = &mut self.stdout_kept;
                let mut sink = |line: &str| { kept.push(line); on_line(OutputStream::Stdout, line); };
                if read == 0 {
                    self.stdout_lines.end(&mut sink);
                    self.stdout = None;
                } else {
                    self.stdout_lines.feed(&self.stdout_buffer[..read], &mut sink);
                }
            }
            read = read_some(self.stderr.as_mut(), &mut self.stderr_buffer) => {
                let kept = &mut self.stderr_kept;
                let mut sink = |line: &str| { kept.push(line); on_line(OutputStream::Stderr, line); };
                if read == 0 {
                    self.stderr_lines.end(&mut sink);
                    self.stderr = None;
                } else {
                    self.stderr_lines.feed(&self.stderr_buffer[..read], &mut sink);
                }
            }
        }
    }

    /// Reads what is left, for a short while: a service that inherited the pipe may keep it open for ever.
    pub(crate) async fn drain(&mut self, on_line: &mut (dyn FnMut(OutputStream, &str) + Send)) {
        let until = tokio::time::Instant::now() + DRAIN;
        while self.open() {
            if tokio::time::timeout_at(until, self.step(on_line)).await.is_err() {
                break;
            }
        }
    }

    pub(crate) fn into_outcome(mut self, exit: Exit, timed_out: bool, duration_ms: i64) -> RunOutcome {
        let (out, err) = (&mut self.stdout_kept, &mut self.stderr_kept);
        self.stdout_lines.end(&mut |line| out.push(line));
        self.stderr_lines.end(&mut |line| err.push(line));
        RunOutcome {
            exit,
            timed_out,
            truncated: self.stdout_kept.truncated() || self.stderr_kept.truncated(),
            stdout: self.stdout_kept.into_text(),
            stderr: self.stderr_kept.into_text(),
            duration_ms,
        }
    }
}

async fn read_some<R: AsyncRead + Unpin>(stream: Option<&mut R>, buffer: &mut [u8]) -> usize {
    match stream {
        Some(stream) => stream.read(buffer).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}
