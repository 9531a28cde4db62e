//! A server's process and what it says on stderr, bounded and redacted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use att_process::{CommandSpec, GuardedChild, ProcessError};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Lines of stderr kept per server.
const RING_LINES: usize = 500;
/// Longest line kept, in bytes.
const LINE_BYTES: usize = 4_000;
/// How long a server may take to go by itself once its input is closed.
const GRACE: Duration = Duration::from_millis(1_500);

/// The last lines that a server wrote to stderr.
#[derive(Debug, Clone, Default)]
pub(crate) struct StderrRing(Arc<Mutex<VecDeque<String>>>);

impl StderrRing {
    /// Redacts, bounds, cleans and keeps `line`; the kept form is returned.
    pub fn push(&self, line: &str) -> String {
        let mut cut = line.len().min(LINE_BYTES);
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        let kept = att_core::visible(&att_core::redact(line[..cut].trim_end()));
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() >= RING_LINES {
            ring.pop_front();
        }
        ring.push_back(kept.clone());
        kept
    }

    /// All kept lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The newest line that is not blank.
    pub fn last(&self) -> Option<String> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().rev().find(|line| !line.trim().is_empty()).cloned()
    }
}

/// A running process of ours. Dropping it ends it with all its descendants.
#[derive(Debug)]
pub(crate) struct Process {
    pub pid: u32,
    stop: CancellationToken,
    exited: watch::Receiver<Option<String>>,
}

/// The ends of a process that a transport speaks to.
pub(crate) struct Pipes {
    pub stdin: ChildStdin,
    pub stdout: ChildStdout,
}

impl Process {
    /// Starts `spec`; its stderr lines go to `stderr`.
    ///
    /// `children` tracks it until it and all its descendants are gone.
    pub fn spawn(
        spec: &CommandSpec,
        stderr: mpsc::Sender<String>,
        children: &TaskTracker,
    ) -> Result<(Self, Pipes), ProcessError> {
        let mut child = GuardedChild::spawn(spec)?;
        let pid = child.pid();
        let (Some(stdin), Some(stdout)) = (child.take_stdin(), child.take_stdout()) else {
            return Err(ProcessError::EmptyCommand);
        };
        if let Some(pipe) = child.take_stderr() {
            tokio::spawn(read_lines(pipe, stderr));
        }
        let stop = CancellationToken::new();
        let (tell, exited) = watch::channel(None);
        let stopped = stop.clone();
        children.spawn(async move {
            let ended = tokio::select! {
                exit = child.wait() => Some(exit),
                () = stopped.cancelled() => None,
            };
            let exit = match ended {
                Some(exit) => exit,
                None => child.shutdown(GRACE).await,
            };
            let _ = tell.send(Some(exit.to_string()));
        });
        Ok((Self { pid, stop, exited }, Pipes { stdin, stdout }))
    }

    /// True while it runs.
    pub fn runs(&self) -> bool {
        self.exited.borrow().is_none()
    }

    /// Ends with how the process ended, in words.
    pub fn exited(&self) -> impl Future<Output = String> + Send + 'static {
        let mut exited = self.exited.clone();
        async move {
            match exited.wait_for(Option::is_some).await {
                Ok(exit) => exit.clone().unwrap_or_default(),
                Err(_) => "ended".to_owned(),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Sends every line of `pipe`, cutting endless ones.
pub(crate) async fn read_lines(pipe: impl AsyncRead + Unpin, lines: mpsc::Sender<String>) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        let (used, ended) = match reader.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(bytes) => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let used = end.map_or(bytes.len(), |at| at + 1);
                let room = LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&bytes[..used.min(room)]);
                (used, end.is_some())
            }
        };
        reader.consume(used);
        if ended {
            // A server that floods stderr loses lines, never stalls.
            let _ = lines.try_send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }
    if !line.is_empty() {
        let _ = lines.try_send(String::from_utf8_lossy(&line).into_owned());
    }
}
