//! Many servers at once. Every client runs in a process of its own, one after the other, round after round; the
//! servers are all in one process beside them.

pub mod farm;
pub mod job;
mod report;
mod scripts;
pub mod subjects;

use crate::FleetArguments;
use crate::peers::{Error, Result};
use att_process::{CommandSpec, GuardedChild, RunLimits};
use job::{Endpoint, Job, Measured, Subject};
use report::{Figure, report};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// So long one client may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// A port that refuses, on every machine that has no `tcpmux`.
const REFUSING: u16 = 1;

/// Runs all of it.
pub async fn run(arguments: &FleetArguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let farm = Farm::start(arguments).await?;
    let subjects = scripts::available(folder.path(), &arguments.only)?;
    let mut figures: Vec<Figure> = Vec::new();
    for &servers in &arguments.servers {
        for faulty in [false, true] {
            if faulty && servers < 5 {
                continue;
            }
            for round in 0..arguments.rounds.max(1) {
                for (subject, command) in &subjects {
                    let home = folder.path().join(format!("{subject:?}-{servers}-{faulty}-{round}"));
                    std::fs::create_dir_all(&home)?;
                    let calls = if servers == 1 { arguments.calls } else { 0 };
                    let job = |revision: u32, calls: usize| Job {
                        servers: farm.servers(servers, faulty, revision),
                        calls,
                        calls_at_once: calls * 5,
                        home: home.clone(),
                    };
                    if *subject == Subject::AttWarm {
                        measure(command, &job(0, 0), folder.path()).await?;
                    }
                    eprintln!(
                        "{servers} servers, {}, round {}: {}",
                        fault_word(faulty),
                        round + 1,
                        subject.as_str()
                    );
                    let measured = measure(command, &job(1, calls), folder.path()).await?;
                    figures.push(Figure { subject: *subject, servers, faulty, measured });
                    std::fs::remove_dir_all(&home)?;
                }
            }
        }
    }
    farm.child.shutdown(Duration::from_millis(100)).await;
    report(&figures, arguments.json.as_deref())
}

fn fault_word(faulty: bool) -> &'static str {
    if faulty { "20 % faulty" } else { "all healthy" }
}

async fn measure(command: &CommandSpec, job: &Job, folder: &Path) -> Result<Measured> {
    let file = folder.join("job.json");
    std::fs::write(&file, serde_json::to_vec(job)?)?;
    let mut spec = command.clone();
    spec.argv.push(file.display().to_string());
    let limits = RunLimits { timeout: PATIENCE, max_output_bytes: 1024 * 1024 };
    let outcome = att_process::run(&spec, &limits).await?;
    if !outcome.success() {
        return Err(format!("{:?} failed: {}", spec.argv, outcome.stderr).into());
    }
    let line = outcome.stdout.lines().last().unwrap_or_default();
    Ok(serde_json::from_str(line)?)
}

/// The process that serves.
struct Farm {
    base: String,
    child: GuardedChild,
}

impl Farm {
    async fn start(arguments: &FleetArguments) -> Result<Self> {
        let own = std::env::current_exe()?.display().to_string();
        let mut spec = CommandSpec::new([own.as_str(), "farm"]);
        if arguments.events {
            spec = spec.env("ATT_BENCH_EVENTS", "1");
        }
        if arguments.streams {
            spec = spec.env("ATT_BENCH_STREAMS", "1");
        }
        let mut child = GuardedChild::spawn(&spec)?;
        let stdout = child.take_stdout().ok_or("the servers have no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await??;
        let port: u16 = line.ok_or_else(|| Error::from("the servers did not start"))?.parse()?;
        Ok(Self { base: format!("http://127.0.0.1:{port}"), child })
    }

    /// `count` of them, every fifth in one of four ways faulty.
    fn servers(&self, count: usize, faulty: bool, revision: u32) -> Vec<Endpoint> {
        let base = &self.base;
        (0..count)
            .map(|number| {
                let healthy = !faulty || number % 5 != 4;
                let url = match number / 5 % 4 {
                    _ if healthy => format!("{base}/mcp/{revision}/{number}"),
                    0 => format!("http://127.0.0.1:{REFUSING}/mcp/{revision}/{number}"),
                    1 => format!("{base}/hang/{number}"),
                    2 => format!("{base}/500/{number}"),
                    _ => format!("{base}/broken/{number}"),
                };
                Endpoint { url, healthy }
            })
            .collect()
    }
}
