//! Operations with real processes: once per id, outliving their engine, their outcome found by whoever comes next.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests")]

use att_core::id::OperationId;
use att_process::{CommandSpec, OperationRunner, OperationState, OutputStream, RunLimits};
use std::path::Path;
use std::time::Duration;

fn limits(ms: u64) -> RunLimits {
    RunLimits { timeout: Duration::from_millis(ms), max_output_bytes: 4096 }
}

fn id(text: &str) -> OperationId {
    OperationId::from(text)
}

async fn end(runner: &OperationRunner, id: &OperationId) -> (OperationState, Vec<(OutputStream, String)>) {
    let mut lines = Vec::new();
    let mut keep = |stream: OutputStream, line: &str| lines.push((stream, line.to_owned()));
    let state = tokio::time::timeout(Duration::from_secs(20), runner.follow(id, &mut keep)).await.unwrap();
    (state, lines)
}

fn count(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn an_operation_runs_once_however_often_it_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let effects = dir.path().join("effects");
    let spec = CommandSpec::new(["sh", "-c", &format!("echo done >> {}", effects.display())]);
    let runner = OperationRunner::new(dir.path().join("operations"));
    let id = id("ONCE");
    assert_eq!(runner.state(&id), OperationState::NeverStarted);
    for _ in 0..3 {
        runner.start(&id, &spec, &limits(5_000)).await.unwrap();
    }
    let (first, second) = (OperationRunner::new(dir.path().join("operations")), runner.clone());
    let five = limits(5_000);
    let (a, b) = tokio::join!(first.start(&id, &spec, &five), second.start(&id, &spec, &five));
    a.unwrap();
    b.unwrap();
    assert!(matches!(end(&runner, &id).await.0, OperationState::Finished(outcome) if outcome.success()));
    assert_eq!(count(&effects), 1);
}

#[tokio::test]
async fn two_that_start_an_operation_at_the_same_moment_make_one_effect() {
    let dir = tempfile::tempdir().unwrap();
    let effects = dir.path().join("effects");
    let spec = CommandSpec::new(["sh", "-c", &format!("echo done >> {}", effects.display())]);
    let runner = OperationRunner::new(dir.path().join("operations"));
    for round in 0..8 {
        let id = id(&format!("RACE{round}"));
        let (limits_a, limits_b) = (limits(5_000), limits(5_000));
        let (a, b) = tokio::join!(runner.start(&id, &spec, &limits_a), runner.start(&id, &spec, &limits_b));
        a.unwrap();
        b.unwrap();
        assert!(matches!(end(&runner, &id).await.0, OperationState::Finished(_)));
        assert_eq!(count(&effects), round + 1);
    }
}

#[tokio::test]
async fn its_output_is_seen_live_and_by_a_second_follower_and_secrets_are_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    let runner = OperationRunner::new(dir.path().join("operations"));
    let id = id("OUTPUT");
    let spec = CommandSpec::new(["sh", "-c", "echo one; echo two >&2; echo password=hunter22; exit 3"]);
    runner.start(&id, &spec, &limits(5_000)).await.unwrap();
    let (state, lines) = end(&runner, &id).await;
    assert!(matches!(state, OperationState::Finished(outcome) if outcome.exit.code == Some(3)));
    assert!(lines.contains(&(OutputStream::Stdout, "one".into())));
    assert!(lines.contains(&(OutputStream::Stderr, "two".into())));
    assert!(lines.contains(&(OutputStream::Stdout, "password=[redacted]".into())));
    assert_eq!(end(&runner, &id).await.1.len(), 3);
}

#[tokio::test]
async fn a_hanging_operation_is_ended_by_its_own_time() {
    let dir = tempfile::tempdir().unwrap();
    let runner = OperationRunner::new(dir.path().join("operations"));
    let id = id("HANGS");
    runner.start(&id, &CommandSpec::new(["sleep", "1000"]), &limits(200)).await.unwrap();
    assert!(matches!(end(&runner, &id).await.0, OperationState::Finished(outcome) if outcome.timed_out));
}

#[tokio::test]
async fn a_cancelled_operation_ends_and_leaves_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let runner = OperationRunner::new(dir.path().join("operations"));
    let id = id("CANCELLED");
    runner.start(&id, &CommandSpec::new(["sleep", "1000"]), &limits(60_000)).await.unwrap();
    runner.cancel(&id).unwrap();
    assert!(
        matches!(end(&runner, &id).await.0, OperationState::Finished(outcome) if outcome.exit.signal == Some(15))
    );
}

#[tokio::test]
async fn an_operation_whose_runner_was_killed_is_lost_and_not_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let effects = dir.path().join("effects");
    let script = format!("echo done >> {}; exec sleep 3", effects.display());
    let runner = OperationRunner::new(dir.path().join("operations"));
    let id = id("LOST");
    runner.start(&id, &CommandSpec::new(["sh", "-c", &script]), &limits(60_000)).await.unwrap();
    while count(&effects) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pid: i32 =
        std::fs::read_to_string(dir.path().join("operations/LOST/started")).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    assert!(matches!(end(&runner, &id).await.0, OperationState::Lost { .. }));
    runner.start(&id, &CommandSpec::new(["sh", "-c", &script]), &limits(1_000)).await.unwrap();
    assert_eq!(count(&effects), 1);
}

#[tokio::test]
async fn an_id_that_is_a_path_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let runner = OperationRunner::new(dir.path().to_path_buf());
    assert!(runner.start(&id("../escape"), &CommandSpec::new(["true"]), &limits(1_000)).await.is_err());
    assert_eq!(runner.state(&id("../escape")), OperationState::NeverStarted);
}
