//! The guard with real processes: nothing survives, output is bounded, ends are reported truly.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

use att_process::{CommandSpec, GuardedChild, ProcessError, RunLimits, run};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const GUARD: &str = env!("CARGO_BIN_EXE_att-guard");

fn limits(ms: u64) -> RunLimits {
    RunLimits { timeout: Duration::from_millis(ms), max_output_bytes: 4096 }
}

fn sh(script: &str) -> CommandSpec {
    CommandSpec::new(["sh", "-c", script])
}

fn alive(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

fn gone_within(pid: i32, limit: Duration) -> bool {
    let started = Instant::now();
    while alive(pid) {
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[tokio::test]
async fn a_guarded_child_speaks_over_its_pipes_and_its_exit_code_comes_through() {
    let mut child = GuardedChild::spawn(&sh("read line; echo got $line; exit 7")).unwrap();
    child.take_stdin().unwrap().write_all(b"hello\n").await.unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).await.unwrap();
    assert_eq!(line, "got hello\n");
    assert_eq!(child.wait().await.code, Some(7));
}

#[tokio::test]
async fn the_signal_that_ended_a_child_is_reported() {
    let outcome = run(&sh("kill -9 $$"), &limits(5_000)).await.unwrap();
    assert_eq!((outcome.exit.code, outcome.exit.signal), (None, Some(9)));
}

#[tokio::test]
async fn shutdown_ends_a_child_that_ignores_term_and_its_grandchild_in_a_session_of_its_own() {
    let mut child =
        GuardedChild::spawn(&sh("trap '' TERM; setsid sleep 1000 & echo $!; while :; do sleep 1; done"))
            .unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).await.unwrap();
    let grandchild: i32 = line.trim().parse().unwrap();
    assert!(alive(grandchild));
    child.shutdown(Duration::from_millis(50)).await;
    assert!(!alive(grandchild));
}

#[tokio::test]
async fn a_child_that_ends_by_itself_leaves_no_grandchild_behind() {
    let outcome = run(&sh("setsid sleep 1000 >/dev/null 2>&1 & echo $!"), &limits(5_000)).await.unwrap();
    let grandchild: i32 = outcome.stdout.trim().parse().unwrap();
    assert!(gone_within(grandchild, Duration::from_secs(3)));
}

#[test]
fn when_the_parent_is_killed_the_child_and_its_grandchildren_go_too() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let inner = format!(
        "setsid sleep 1000 & echo $! >> {0}; sleep 1000 & echo $! >> {0}; echo $$ >> {0}; wait",
        pids.display()
    );
    let outer = format!("{GUARD} child --parent $$ --grace-ms 200 -- sh -c '{inner}'; true");
    let mut parent = std::process::Command::new("sh").args(["-c", &outer]).spawn().unwrap();
    let started = Instant::now();
    let found = loop {
        let text = std::fs::read_to_string(&pids).unwrap_or_default();
        let found: Vec<i32> = text.lines().filter_map(|l| l.parse().ok()).collect();
        if found.len() == 3 {
            break found;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the child did not start");
        std::thread::sleep(Duration::from_millis(20));
    };
    parent.kill().unwrap();
    parent.wait().unwrap();
    for pid in found {
        assert!(gone_within(pid, Duration::from_secs(5)), "process {pid} survived its operator");
    }
}

#[tokio::test]
async fn when_the_guard_is_killed_the_child_goes_with_it() {
    let mut child = GuardedChild::spawn(&sh("echo $$; exec sleep 1000")).unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).await.unwrap();
    let pid: i32 = line.trim().parse().unwrap();
    let guard = rustix::process::Pid::from_raw(child.pid().cast_signed()).unwrap();
    rustix::process::kill_process(guard, rustix::process::Signal::KILL).unwrap();
    assert!(gone_within(pid, Duration::from_secs(3)));
    assert_eq!(child.wait().await.signal, Some(9));
}

#[tokio::test]
async fn dropping_a_child_ends_it() {
    let mut child = GuardedChild::spawn(&sh("echo $$; exec sleep 1000")).unwrap();
    let mut line = String::new();
    BufReader::new(child.take_stdout().unwrap()).read_line(&mut line).await.unwrap();
    drop(child);
    assert!(gone_within(line.trim().parse().unwrap(), Duration::from_secs(5)));
}

#[tokio::test]
async fn a_command_over_its_time_is_ended_and_says_so() {
    let outcome = run(&sh("echo before; sleep 1000"), &limits(300)).await.unwrap();
    assert!(outcome.timed_out && !outcome.success());
    assert_eq!(outcome.stdout, "before\n");
}

#[tokio::test]
async fn endless_output_is_bounded_and_its_end_is_kept() {
    let outcome = run(&sh("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"), &limits(20_000))
        .await
        .unwrap();
    assert!(outcome.truncated);
    assert!(outcome.stdout.len() < 4096 + 64);
    assert!(outcome.stdout.starts_with("line 0\n") && outcome.stdout.ends_with("line 4999\n"));
}

#[tokio::test]
async fn a_scrubbed_command_sees_no_variable_of_ours_but_the_harmless_ones() {
    let spec = CommandSpec::new(["env"]).scrubbed().env("ATT_TARGET", "shop");
    let outcome = run(&spec, &limits(5_000)).await.unwrap();
    let mut names: Vec<&str> =
        outcome.stdout.lines().filter_map(|l| l.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| {
        !["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "TZ", "PWD", "_", "SHLVL"].contains(name)
    });
    assert_eq!(names, ["ATT_TARGET"]);
    assert!(std::env::vars().any(|(name, _)| name == "CARGO_MANIFEST_DIR"), "there was something to scrub");
}

#[tokio::test]
async fn what_cannot_be_started_is_named_before_anything_runs() {
    let missing = run(&CommandSpec::new(["no-such-program"]), &limits(1_000)).await.unwrap_err();
    assert!(matches!(missing, ProcessError::ProgramMissing { ref program } if program == "no-such-program"));
    let folder = run(&CommandSpec::new(["true"]).cwd("/no/such/folder"), &limits(1_000)).await.unwrap_err();
    assert!(matches!(folder, ProcessError::CwdMissing { .. }));
    let empty = run(&CommandSpec::new(Vec::<String>::new()), &limits(1_000)).await.unwrap_err();
    assert!(matches!(empty, ProcessError::EmptyCommand));
}
