//! What a client is told to do and what it reports: the same JSON for each, whatever it is written in.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A client that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Plain HTTP: the floor.
    Raw,
    /// Bare rmcp over one shared HTTP client: what the ratios refer to.
    Rmcp,
    /// ATT's fleet over a journal in a file, nothing known of the servers.
    AttCold,
    /// The same after an earlier run, every server's surface changed since.
    AttWarm,
    /// As the cold one, but nothing is kept in a file: what the journal costs.
    AttMemory,
    /// The TypeScript SDK.
    Typescript,
    /// The Python SDK, its certificates loaded once.
    PythonShared,
    /// The Python SDK as its documentation has it.
    Python,
    /// FastMCP's client.
    Fastmcp,
}

impl Subject {
    /// Its name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw HTTP",
            Self::Rmcp => "bare rmcp",
            Self::AttCold => "ATT, cold",
            Self::AttWarm => "ATT, warm",
            Self::AttMemory => "ATT, cold, no journal",
            Self::Typescript => "TypeScript SDK",
            Self::PythonShared => "Python SDK, certificates once",
            Self::Python => "Python SDK",
            Self::Fastmcp => "FastMCP",
        }
    }
}

/// One endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where it is.
    pub url: String,
    /// It is waited for.
    pub healthy: bool,
}

/// What to do: connect all at once, report when the last healthy one is listed, then call the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The servers.
    pub servers: Vec<Endpoint>,
    /// Calls one after the other; none when zero.
    pub calls: usize,
    /// Calls with 64 at once.
    pub calls_at_once: usize,
    /// A folder of its own, kept between the runs of a warm client.
    pub home: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measured {
    /// From nothing to the lists of the last healthy server.
    pub ready_ms: f64,
    /// Memory of the process that the servers took.
    pub memory_kib: Option<f64>,
    /// Half of the calls took less.
    pub p50_us: Option<f64>,
    /// 99 of 100 calls took less.
    pub p99_us: Option<f64>,
    /// Calls a second with 64 at once.
    pub per_second: Option<f64>,
}
