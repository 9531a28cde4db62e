//! What the `att-guard` binary does in its `child` and `exec` modes.

#![allow(clippy::disallowed_methods, reason = "this room spawns")]

use crate::command::Exit;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long descendants are hunted after KILL before the guard gives up and leaves.
const HUNT: Duration = Duration::from_secs(5);

/// Why the child came to its end.
enum End {
    Child(Exit),
    ParentGone,
    Asked,
}

/// Runs `argv` as our one child, in a process group of its own, until it ends, `parent` is gone, or we are told to
/// stop; then ends whatever is left of it. Returns the code to exit with.
///
/// # Errors
/// When the child cannot be started or the parent cannot be watched.
pub async fn guard_child(parent: u32, grace: Duration, argv: &[OsString]) -> std::io::Result<u8> {
    become_subreaper()?;
    let mut parent = ParentWatch::open(parent)?;
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    // The child is started through ourselves in `exec` mode, which sets the parent-death signal on itself:
    // should the guard be killed, the program goes with it.
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .arg("exec")
        .arg("--guard")
        .arg(std::process::id().to_string())
        .arg("--")
        .args(argv)
        .process_group(0)
        .spawn()?;
    // The pipes belong to the program now. Held open here, the other end would never see the end of file.
    close_standard_streams();
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let end = tokio::select! {
        status = child.wait() => End::Child(status.map_or(Exit { code: None, signal: None }, Exit::from_status)),
        () = parent.gone() => End::ParentGone,
        _ = term.recv() => End::Asked,
        _ = int.recv() => End::Asked,
        _ = hup.recv() => End::Asked,
    };
    let exit = match end {
        End::Child(exit) => exit,
        End::ParentGone | End::Asked => {
            signal_all(group, Signal::TERM);
            let ended = tokio::time::timeout(grace, child.wait()).await;
            if ended.is_err() {
                signal_all(group, Signal::KILL);
            }
            child.wait().await.map_or(Exit { code: None, signal: None }, Exit::from_status)
        }
    };
    end_descendants(group, grace).await;
    Ok(exit.as_code())
}

/// Becomes `argv`, with KILL as parent-death signal. Returns only when that fails.
#[must_use]
pub fn exec_child(guard: u32, argv: &[OsString]) -> std::io::Error {
    #[cfg(target_os = "linux")]
    {
        if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
            return error.into();
        }
        // The guard may have died before the signal was set.
        let still_ours = rustix::process::getppid()
            .is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(guard));
        if !still_ours {
            return std::io::Error::other("the guard is gone");
        }
    }
    let Some((program, arguments)) = argv.split_first() else {
        return std::io::Error::new(std::io::ErrorKind::InvalidInput, "the command is empty");
    };
    std::process::Command::new(program).args(arguments).exec()
}

fn become_subreaper() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

fn close_standard_streams() {
    if let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

fn signal_all(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
    for pid in descendants() {
        let _ = kill_process(pid, signal);
    }
}

/// TERM to what the child left behind, then KILL until nothing is left. A process that left the group (`setsid`)
/// was reparented to us, the subreaper, and is found by that.
async fn end_descendants(group: Option<Pid>, grace: Duration) {
    let started = Instant::now();
    let mut sent_term = false;
    loop {
        reap();
        if descendants().is_empty() {
            return;
        }
        let signal = if started.elapsed() < grace.min(Duration::from_millis(500)) {
            Signal::TERM
        } else {
            Signal::KILL
        };
        if signal == Signal::KILL || !sent_term {
            signal_all(group, signal);
            sent_term = true;
        }
        if started.elapsed() > grace + HUNT {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

/// Every process below us, by `/proc`; empty where there is none.
fn descendants() -> Vec<Pid> {
    let own = rustix::process::getpid();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(i32, i32)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The program's name, in brackets, may hold blanks and brackets itself.
            let (state, rest) = stat.rsplit_once(')')?.1.trim_start().split_once(' ')?;
            if state == "Z" {
                return None;
            }
            Some((pid, rest.split(' ').next()?.parse::<i32>().ok()?))
        })
        .collect();
    let mut found = Vec::new();
    let mut frontier = vec![own.as_raw_nonzero().get()];
    while let Some(parent) = frontier.pop() {
        for &(pid, its_parent) in &parents {
            if its_parent == parent && !found.contains(&pid) {
                found.push(pid);
                frontier.push(pid);
            }
        }
    }
    found.into_iter().filter_map(Pid::from_raw).collect()
}

/// Tells when the parent is gone.
struct ParentWatch {
    gone: tokio::sync::oneshot::Receiver<()>,
}

impl ParentWatch {
    /// Watches from a thread of its own: the child is spawned, and its parent-death signal bound, on the main one.
    fn open(parent: u32) -> std::io::Result<Self> {
        let (tell, gone) = tokio::sync::oneshot::channel();
        let wait = wait_for_end(parent)?;
        std::thread::Builder::new().name("parent-watch".into()).spawn(move || {
            wait();
            let _ = tell.send(());
        })?;
        Ok(Self { gone })
    }

    async fn gone(&mut self) {
        let _ = (&mut self.gone).await;
    }
}

fn is_our_parent(pid: u32) -> bool {
    rustix::process::getppid().is_some_and(|own| u32::try_from(own.as_raw_nonzero().get()) == Ok(pid))
}

/// A function that blocks until process `pid` is gone. The pidfd is opened first and the parenthood checked after,
/// for the number may have been given away in between.
#[cfg(target_os = "linux")]
fn wait_for_end(pid: u32) -> std::io::Result<impl FnOnce() + Send> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{PidfdFlags, pidfd_open};
    let raw = Pid::from_raw(pid.cast_signed()).ok_or(std::io::ErrorKind::InvalidInput)?;
    let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(fd) => Some(fd),
        Err(rustix::io::Errno::SRCH) => None,
        Err(error) => return Err(error.into()),
    };
    let pidfd = pidfd.filter(|_| is_our_parent(pid));
    Ok(move || {
        let Some(pidfd) = pidfd else { return };
        let mut watched = [PollFd::new(&pidfd, PollFlags::IN)];
        while matches!(poll(&mut watched, None), Ok(0) | Err(rustix::io::Errno::INTR)) {}
    })
}

#[cfg(not(target_os = "linux"))]
fn wait_for_end(pid: u32) -> std::io::Result<impl FnOnce() + Send> {
    Ok(move || {
        while is_our_parent(pid) {
            std::thread::sleep(Duration::from_millis(500));
        }
    })
}
