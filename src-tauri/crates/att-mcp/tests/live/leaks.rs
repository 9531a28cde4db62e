//! What is left after hundreds of connections came and went: nothing.

use std::time::{Duration, Instant};

use crate::bench::{Bench, http, is_ready, processes_with, servers_with, sse, stdio};

/// Servers over stdio, and how often each is killed.
const STDIO: (usize, usize) = (10, 50);
/// Servers behind a URL that ATT starts, and how often each is killed.
const BEHIND_URLS: (usize, usize) = (6, 10);
/// Connections that a pool of HTTP keeps for later are no leak; a descriptor a round would be hundreds.
const POOLED: usize = 24;
/// Rounds before what is held is looked at for the first time.
const WARM_UP: usize = 5;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Kills a process of this test; one that is gone already is what was wanted.
#[allow(clippy::disallowed_methods, reason = "a test kills what it started")]
fn kill_if_there(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-s", "KILL", &pid.to_string()]).output();
    assert!(killed.is_ok(), "kill could not be run");
}

/// Kills each server `rounds` times, all servers at once, and waits until each is ready again.
async fn kill_and_return(bench: &Bench, names: &[String], rounds: usize) {
    let all = names.iter().map(|name| async move {
        for _ in 0..rounds {
            let state = bench.until(name, Duration::from_secs(30), is_ready).await;
            kill_if_there(state.pid.unwrap());
            let generation = state.generation;
            bench.until(name, Duration::from_secs(30), |s| s.generation > generation).await;
        }
        bench.until(name, Duration::from_secs(30), is_ready).await;
    });
    futures::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_killed_connections_leave_no_process_no_descriptor_and_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    let control = dir.path().join("control.json").to_str().unwrap().to_owned();
    let arguments = ["--control", &control];
    let named = |kind: &str, count: usize| (0..count).map(|n| format!("{kind}-{n}")).collect::<Vec<_>>();
    let (lines, urls) = (named("stdio", STDIO.0), named("url", BEHIND_URLS.0));
    let mut configs: Vec<_> = lines.iter().map(|name| stdio(name, &arguments)).collect();
    configs.extend(urls.iter().enumerate().map(|(n, name)| {
        let mut config = if n % 2 == 0 { http(name, &arguments) } else { sse(name, &arguments) };
        config.sse = n % 2 == 1;
        config
    }));
    for config in &mut configs {
        config.settings.backoff_base_ms = 10;
        config.settings.backoff_cap_ms = 10;
        config.settings.connect_timeout_ms = 20_000;
        config.settings.discover_timeout_ms = 9_000;
    }
    let servers = configs.len();
    let bench = Bench::in_dir(dir, configs).await;
    let rounds = |over_lines: usize, behind_urls: usize| {
        futures::future::join(
            kill_and_return(&bench, &lines, over_lines),
            kill_and_return(&bench, &urls, behind_urls),
        )
    };
    rounds(WARM_UP, WARM_UP).await;
    let (before, held) = (descriptors(), resident_kib());

    let begun = Instant::now();
    rounds(STDIO.1, BEHIND_URLS.1).await;
    let took = begun.elapsed();

    let settled = Instant::now();
    while descriptors() > before + POOLED || servers_with(&mark).len() > servers {
        let left = (descriptors(), servers_with(&mark).len());
        assert!(settled.elapsed() < Duration::from_secs(10), "{left:?} left of {before} and {servers}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let grown = resident_kib().saturating_sub(held);
    let count = STDIO.0 * STDIO.1 + BEHIND_URLS.0 * BEHIND_URLS.1;
    eprintln!(
        "{count} rounds in {took:?}: {before} descriptors before, {} after, {grown} KiB more",
        descriptors()
    );
    assert!(grown < 24 * 1024, "{grown} KiB more after {count} connections");
    bench.fleet.shutdown().await;
    assert_eq!(processes_with(&mark), Vec::<u32>::new());
}
