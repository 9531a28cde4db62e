//! `att-bench`: what ATT's fleet costs, measured against other clients in the same run.

mod fleet;
mod measure;
mod peers;
mod quick;

use clap::{Args, Parser, Subcommand};
use peers::{Peer, Result};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Measure ATT's fleet against other MCP clients.
///
/// Build what it starts in the same profile first: `cargo build --release -p att-demo-server -p att-process`.
/// Without a command: `connect`, `call` and `idle`, in one process, against att-demo-server.
/// Figures depend on the machine; ratios are for comparing two builds on one machine.
#[derive(Debug, Parser)]
#[command(name = "att-bench", version)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

/// The measurements.
#[derive(Debug, Subcommand)]
enum What {
    /// 50 servers: connect, initialize, list tools; ATT and bare rmcp in turn.
    Connect {
        /// Rounds, of which the median counts.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// One server: a tool call, p50 and p99; ATT and bare rmcp in turn.
    Call {
        /// Calls on each side.
        #[arg(long, default_value_t = 2_000)]
        calls: usize,
    },
    /// 50 idle servers, stdio and HTTP: CPU time and memory of this process.
    Idle {
        /// A server is probed every 30 s: in less than that, some probes are not seen.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Many servers of one process, some of them faulty: the time until all are ready, calls, memory; ATT against
    /// raw HTTP, bare rmcp and the SDKs that `export $(scripts/install-peers)` names.
    Fleet(FleetArguments),
    /// The servers of `fleet`.
    #[command(hide = true)]
    Farm,
    /// One client of `fleet`.
    #[command(hide = true)]
    Subject {
        /// Which.
        name: fleet::job::Subject,
        /// A file with what it has to do.
        job: PathBuf,
    },
}

/// Options of `fleet`.
#[derive(Debug, Args)]
pub struct FleetArguments {
    /// How many servers, one run after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1_000])]
    servers: Vec<usize>,
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Calls one after the other.
    #[arg(long, default_value_t = 3_000)]
    calls: usize,
    /// Only these clients.
    #[arg(long, value_delimiter = ',')]
    only: Vec<fleet::job::Subject>,
    /// The servers answer with events instead of plain JSON, as most servers do.
    #[arg(long)]
    events: bool,
    /// The servers keep a stream open for what they may have to say, as most servers do.
    #[arg(long)]
    streams: bool,
    /// Also write all figures to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().what).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("att-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(what: Option<What>) -> Result<()> {
    match what {
        None => {
            // First, while nothing else has grown the heap.
            quick::idle(Duration::from_secs(20)).await?;
            let peer = Peer::start().await?;
            quick::connect(&peer, 5).await?;
            quick::call(&peer, 2_000).await?;
            peer.stop().await;
            Ok(())
        }
        Some(What::Idle { seconds }) => quick::idle(Duration::from_secs(seconds)).await,
        Some(What::Connect { rounds }) => {
            let peer = Peer::start().await?;
            quick::connect(&peer, rounds.max(1)).await?;
            peer.stop().await;
            Ok(())
        }
        Some(What::Call { calls }) => {
            let peer = Peer::start().await?;
            quick::call(&peer, calls.max(1)).await?;
            peer.stop().await;
            Ok(())
        }
        Some(What::Fleet(arguments)) => fleet::run(&arguments).await,
        Some(What::Farm) => fleet::farm::serve().await,
        Some(What::Subject { name, job }) => fleet::subjects::run(name, &job).await,
    }
}
