//! The fleet as a list: one row a server, and the state of the home.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One facet: its state, since when, why, and what happens next by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FacetDto {
    /// The state's word, such as `backoff`.
    pub state: String,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// Closed reason code, such as `slow`.
    pub reason_code: Option<String>,
    /// The reason as a sentence.
    pub reason: Option<String>,
    /// When something will happen by itself, Unix ms.
    #[specta(type = Option<u32>)]
    pub next_action_at_ms: Option<i64>,
    /// The attempt number, in `backoff`.
    pub attempt: Option<u32>,
}

/// The four facets (design 1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FacetsDto {
    /// `enabled` `disabled` `quarantined` `consent_required`.
    pub admin: FacetDto,
    /// `idle` `connecting` ... `ready` `backoff` `draining` `stopped`.
    pub connection: FacetDto,
    /// `unknown` `healthy` `degraded` `unreachable`.
    pub health: FacetDto,
    /// `closed` `open` `half_open`.
    pub breaker: FacetDto,
}

/// One attempt (design 4, "Attempt").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct AttemptDto {
    /// The server tried.
    pub server: String,
    /// The connection's generation.
    pub generation: u32,
    /// `legacy` or `modern`, when known.
    pub era: Option<String>,
    /// `initialize` or `invoke`.
    pub stage: String,
    /// `not_sent` `sent_no_reply` `replied_error` `replied_ok`.
    pub outcome: String,
    /// The error's text.
    pub error: Option<String>,
    /// One of the closed categories of design 1.2.
    pub error_category: Option<String>,
    /// Why the server was not tried at all.
    pub excluded_reason: Option<String>,
    /// Time in the queue.
    #[specta(type = Option<u32>)]
    pub queue_ms: Option<i64>,
    /// Time to connect and initialize.
    #[specta(type = Option<u32>)]
    pub connect_ms: Option<i64>,
    /// Time to the first byte of the answer.
    #[specta(type = Option<u32>)]
    pub first_byte_ms: Option<i64>,
    /// Time in all.
    #[specta(type = Option<u32>)]
    pub total_ms: Option<i64>,
    /// Breaker state before.
    pub breaker_before: String,
    /// Breaker state after.
    pub breaker_after: String,
}

/// One server of the fleet: ROW of design 4 with what `att servers` adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ServerRowDto {
    /// The name in `mcp.json`.
    pub server: String,
    /// `stdio` or `http`.
    pub transport: String,
    /// `legacy` or `modern`, when known.
    pub era: Option<String>,
    /// The protocol version in use.
    pub protocol_version: Option<String>,
    /// One word (design 4, "Status words").
    pub status: String,
    /// One sentence.
    pub summary: String,
    /// The four facets.
    pub facets: FacetsDto,
    /// Number of tools, null where not offered.
    pub tools: Option<u32>,
    /// Number of resources.
    pub resources: Option<u32>,
    /// Number of resource templates.
    pub resource_templates: Option<u32>,
    /// Number of prompts.
    pub prompts: Option<u32>,
    /// How long connecting took.
    #[specta(type = Option<u32>)]
    pub connect_ms: Option<i64>,
    /// The last error's text, redacted.
    pub error: Option<String>,
    /// The last error's stable code, `ATT-MCP-nnn`, with its cure.
    pub error_code: Option<String>,
    /// The cure that belongs to `error_code`.
    pub error_cure: Option<String>,
    /// The newest connection attempt, as a record; empty before the first.
    pub attempts: Vec<AttemptDto>,
    /// Since when the status holds, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// When something will happen by itself.
    #[specta(type = Option<u32>)]
    pub next_action_at_ms: Option<i64>,
    /// `none` `retry_now` `approve_command` ... (design 1.1).
    pub suggested_action: String,
    /// The newest snapshot's id.
    pub snapshot_id: Option<String>,
    /// The newest probe's latency.
    #[specta(type = Option<u32>)]
    pub latency_ms: Option<i64>,
    /// The last probe latencies, oldest first, at most 60.
    #[specta(type = Vec<u32>)]
    pub latency_history_ms: Vec<i64>,
    /// Process id of the child, for stdio and started servers.
    pub pid: Option<u32>,
    /// True when the newest snapshot differs from the first one kept.
    pub drifted: bool,
}

/// Who drives the engine of this home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EngineDto {
    /// True while some process owns the engine.
    pub running: bool,
    /// Its process id.
    pub pid: Option<u32>,
    /// Its face.
    pub face: Option<String>,
}

/// The whole fleet at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FleetDto {
    /// Who drives.
    pub engine: EngineDto,
    /// When this was true, Unix ms.
    #[specta(type = u32)]
    pub as_of_ms: i64,
    /// Sorted by name.
    pub servers: Vec<ServerRowDto>,
}

/// A problem in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConfigProblemDto {
    /// The file.
    pub file: String,
    /// The server's or target's name, when the problem is inside one.
    pub subject: Option<String>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub cure: String,
    /// True when the entry is used all the same.
    pub warning: bool,
}

/// Safe mode, when on: who, why, since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SafeModeDto {
    /// The reason given.
    pub reason: String,
    /// Who switched it on.
    pub by: String,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
}

/// The home as a whole: what a window's frame shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SystemDto {
    /// ATT's version.
    pub version: String,
    /// `ATT_HOME`.
    pub home: String,
    /// True for a demo home.
    pub demo: bool,
    /// Who drives the engine.
    pub engine: EngineDto,
    /// Now, as the backend sees it, Unix ms.
    #[specta(type = u32)]
    pub now_ms: i64,
    /// Problems in `mcp.json` and `att.toml`.
    pub config_problems: Vec<ConfigProblemDto>,
    /// The journal cannot be used: why and what to do. The fleet is watched all the same.
    pub journal_problem: Option<ErrorDto>,
    /// Safe mode, when on.
    pub safe_mode: Option<SafeModeDto>,
    /// Open interruptions.
    pub open_interruptions: u32,
    /// True when acting operations are refused (see design 2.6, web view automation).
    pub acting_refused: bool,
}

use super::notice::ErrorDto;
