//! What the operator wrote: `mcp.json` in its de-facto form, with our settings under the extra key `att` (design 1.7).

mod edit;
mod global;
mod parse;
mod settings;

use std::collections::BTreeMap;

use att_core::{canonical_json, sha256_hex};
use serde::{Deserialize, Serialize};

use crate::auth::AuthConfig;
use crate::model::TransportKind;

pub use edit::{ConfigEdit, EditError, edit};
pub use global::{GlobalSettings, parse_settings};
pub(crate) use parse::options;
pub use parse::{ParsedConfig, parse, parse_with};
pub use settings::{DriftPolicy, Probe, Settings};

/// How a server is reached. Values may hold secret references; they are resolved when a connection is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A child process.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Streamable HTTP.
    Http {
        /// The address.
        url: String,
        /// Headers of every request.
        headers: BTreeMap<String, String>,
        /// A command that ATT keeps running for it (`att.start`).
        start: Option<Vec<String>>,
    },
}

/// One server of `mcp.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerConfig {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub endpoint: Endpoint,
    /// Environment of the command.
    pub env: BTreeMap<String, String>,
    /// Working folder of the command.
    pub cwd: Option<String>,
    /// It speaks the old HTTP+SSE transport (`"type": "sse"`), and nothing else is tried.
    #[serde(default)]
    pub sse: bool,
    /// The operator's equivalence group.
    pub group: Option<String>,
    /// Not to be connected.
    pub disabled: bool,
    /// Tools that the operator says may be repeated.
    pub idempotent: Vec<String>,
    /// Folders that the server is told of when it asks for roots.
    #[serde(default)]
    pub roots: Vec<String>,
    /// What a changed surface leads to.
    pub drift: DriftPolicy,
    /// How a token is come by, where the server wants one.
    #[serde(default)]
    pub auth: Option<AuthConfig>,
    /// Timings and limits.
    pub settings: Settings,
}

impl ServerConfig {
    /// A stdio server with default settings.
    #[must_use]
    pub fn stdio(
        name: impl Into<String>,
        command: impl Into<String>,
        args: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self::with_endpoint(name.into(), Endpoint::Stdio { command: command.into(), args })
    }

    /// A Streamable HTTP server with default settings.
    #[must_use]
    pub fn http(name: impl Into<String>, url: impl Into<String>) -> Self {
        let endpoint = Endpoint::Http { url: url.into(), headers: BTreeMap::new(), start: None };
        Self::with_endpoint(name.into(), endpoint)
    }

    fn with_endpoint(name: String, endpoint: Endpoint) -> Self {
        Self {
            name,
            endpoint,
            env: BTreeMap::new(),
            cwd: None,
            sse: false,
            group: None,
            disabled: false,
            idempotent: Vec::new(),
            roots: Vec::new(),
            drift: DriftPolicy::default(),
            auth: None,
            settings: Settings::default(),
        }
    }

    /// How it is reached, in one word.
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        match self.endpoint {
            Endpoint::Stdio { .. } => TransportKind::Stdio,
            Endpoint::Http { .. } if self.sse => TransportKind::Sse,
            Endpoint::Http { .. } => TransportKind::StreamableHttp,
        }
    }

    /// The command line that ATT runs for it, unresolved; empty when it runs none.
    #[must_use]
    pub fn command_line(&self) -> Vec<String> {
        match &self.endpoint {
            Endpoint::Stdio { command, args } => {
                std::iter::once(command.clone()).chain(args.iter().cloned()).collect()
            }
            Endpoint::Http { start, .. } => start.clone().unwrap_or_default(),
        }
    }

    /// The digest that the operator's consent binds to: SHA-256 over the canonical JSON of command, arguments,
    /// working folder, names of environment variables and `att.start`. None when ATT runs no command for it.
    #[must_use]
    pub fn command_digest(&self) -> Option<String> {
        let names: Vec<&str> = self.env.keys().map(String::as_str).collect();
        let seen = match &self.endpoint {
            Endpoint::Stdio { command, args } => serde_json::json!({
                "command": command, "args": args, "cwd": self.cwd, "env": names, "start": null,
            }),
            Endpoint::Http { start: Some(start), .. } => serde_json::json!({
                "command": null, "args": [], "cwd": self.cwd, "env": names, "start": start,
            }),
            Endpoint::Http { start: None, .. } => return None,
        };
        // A JSON value made of strings always has a canonical form; its plain text is as good a base.
        Some(sha256_hex(canonical_json(&seen).unwrap_or_else(|_| seen.to_string())))
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemLevel {
    /// The file or the server cannot be used.
    Error,
    /// It is used, but something in it is not.
    Warning,
}

/// One thing that is wrong in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigProblem {
    /// The file, when it came from one.
    pub file: Option<String>,
    /// The server it is about.
    pub server: Option<String>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How much it matters.
    pub level: ProblemLevel,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub cure: String,
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.as_deref().unwrap_or("mcp.json");
        write!(f, "{file}:{}:{}: {}", self.line, self.column, self.message)
    }
}
