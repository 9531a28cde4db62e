//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP on loopback.
    Http,
}

/// What it offers, and its lasting habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Every kind of item.
    Everything,
    /// One tool that answers with its argument.
    Echo,
    /// The same, answering late.
    Slow,
    /// Goes down on a schedule and comes back after a number of attempts.
    Flapping,
    /// Changes a tool after a while.
    Drifting,
    /// Like `everything`; meant for faults by flag.
    Faulty,
}

/// A real MCP server that misbehaves on request.
#[derive(Debug, Clone, Parser)]
#[command(name = "att-demo-server", version)]
pub struct Arguments {
    /// How it is spoken to.
    #[arg(long, value_enum, default_value_t = Transport::Stdio)]
    pub transport: Transport,
    /// Port for HTTP; 0 takes a free one and prints it on stderr.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// What it offers.
    #[arg(long, value_enum, default_value_t = Profile::Everything)]
    pub profile: Profile,
    /// A JSON file with faults, read again at each request; it may be missing.
    #[arg(long, value_name = "FILE")]
    pub control: Option<PathBuf>,
    /// Answer everything but lists this late.
    #[arg(long, default_value_t = 0)]
    pub slow_ms: u64,
    /// Never answer the opening handshake.
    #[arg(long)]
    pub hang_on_connect: bool,
    /// Never answer a call.
    #[arg(long)]
    pub hang_on_call: bool,
    /// Die in the middle of a call.
    #[arg(long)]
    pub die_on_call: bool,
    /// Exit when asked `server/discover`, as some servers do.
    #[arg(long)]
    pub exit_on_discover: bool,
    /// Answer every HTTP request with status 500.
    #[arg(long)]
    pub http_500: bool,
    /// Answer everything with something that is no JSON.
    #[arg(long)]
    pub malformed_json: bool,
    /// Put one broken tool among the good ones.
    #[arg(long)]
    pub malformed_tool: bool,
    /// Leave a grandchild in a session of its own behind; its pid is printed on stderr.
    #[arg(long)]
    pub grandchild: bool,
    /// Speak the legacy era only.
    #[arg(long)]
    pub legacy: bool,
    /// Change a tool's schema so long after the first start; the default of the profile `drifting` is 60,000.
    #[arg(long)]
    pub drift_after_ms: Option<u64>,
    /// How long `flapping` stays up.
    #[arg(long, default_value_t = 20_000)]
    pub flap_up_ms: u64,
    /// How many attempts `flapping` then fails.
    #[arg(long, default_value_t = 4)]
    pub flap_down_attempts: u32,
}
