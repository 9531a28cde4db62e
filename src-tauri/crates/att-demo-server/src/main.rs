//! A real MCP server, over stdio or Streamable HTTP and in both eras, that misbehaves on request.
//!
//! It is the peer of the demo fleet and of ATT's own tests: what a healthy server does is real (rmcp's server), and
//! every fault is done at its edge, on the bytes, as a broken server would do it.

mod asking;
mod control;
mod hostile;
mod http;
mod mischief;
mod schedule;
mod server;
mod sse;
mod stdio;
mod surface;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, ValueEnum};

use control::{Control, Faults};
use server::Demo;

/// What the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Transport {
    Stdio,
    Http,
    /// The old HTTP+SSE transport.
    Sse,
}

/// Which lifecycles it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Era {
    Both,
    Legacy,
    Modern,
}

/// What it offers and how it behaves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Every kind of item.
    Everything,
    /// A few tools.
    Echo,
    /// Answers in 6 s.
    Slow,
    /// Goes down for a while, again and again.
    Flapping,
    /// Changes a tool's schema after a minute.
    Drifting,
    /// Tools that ask back.
    Asking,
    /// A few tools; give it faults.
    Faulty,
}

/// A real MCP server that misbehaves on request.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// What it speaks.
    #[arg(long, value_enum, default_value = "stdio")]
    transport: Transport,
    /// The port for HTTP; 0 takes a free one and says it on stderr.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What it offers and how it behaves by itself.
    #[arg(long, value_enum, default_value = "echo")]
    profile: Profile,
    /// Which lifecycles it knows.
    #[arg(long, value_enum, default_value = "both")]
    era: Era,
    /// A JSON file with faults, read again at each request; it may be absent. State that outlives a restart is
    /// kept beside it, in FILE.state.
    #[arg(long)]
    control: Option<PathBuf>,
    /// Where the `count` tool counts its calls; FILE.calls without it.
    #[arg(long)]
    counter: Option<PathBuf>,
    #[command(flatten)]
    faults: Faults,
}

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("the handshake failed: {0}")]
    Handshake(String),
}

impl DemoError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("att-demo-server: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), DemoError> {
    eprintln!("att-demo-server: profile {:?}, pid {}", arguments.profile, std::process::id());
    let control = Control::new(arguments.control, arguments.faults, arguments.profile, arguments.era);
    if schedule::is_down(&control) {
        return Err(DemoError::Handshake("it is down at the moment".to_owned()));
    }
    if control.faults().grandchild == Some(true) {
        start_grandchild()?;
    }
    let counter = arguments.counter.or_else(|| control.beside("calls"));
    let control = Arc::new(control);
    schedule::run(Arc::clone(&control));
    let demo = Demo::new(Arc::clone(&control), arguments.profile, counter);
    match arguments.transport {
        Transport::Stdio => stdio::serve(demo, control).await,
        Transport::Http => http::serve(demo, control, arguments.port).await,
        Transport::Sse => sse::serve(demo, control, arguments.port).await,
    }
}

#[allow(clippy::disallowed_methods, reason = "a grandchild outside any care is the point of this fault")]
fn start_grandchild() -> Result<(), DemoError> {
    // A session of its own, so that ending the process group misses it; the mark tells whose it was.
    let child = std::process::Command::new("setsid")
        .args(["sleep", "600"])
        .env("ATT_DEMO_GRANDCHILD_OF", std::env::args().collect::<Vec<_>>().join(" "))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .map_err(DemoError::io("starting the grandchild"))?;
    eprintln!("grandchild {}", child.id());
    Ok(())
}
