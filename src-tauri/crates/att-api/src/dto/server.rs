//! One server in depth: capabilities, snapshots, diffs, calls, stderr, events.

use super::fleet::{AttemptDto, ServerRowDto};
use serde::{Deserialize, Serialize};
use specta::Type;

/// One offered item of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ItemDto {
    /// `tool` `resource` `resource_template` `prompt`.
    pub kind: String,
    /// Name, or URI for resources and templates.
    pub name: String,
    /// Title, when given.
    pub title: Option<String>,
    /// Description, when given; hostile text.
    pub description: Option<String>,
    /// Why the item is malformed; null for a sound one.
    pub malformed: Option<String>,
    /// The item as it came, as JSON text.
    pub raw: String,
    /// The input schema as JSON text, for tools.
    pub input_schema: Option<String>,
    /// SHA-256 over the whole item.
    pub hash: String,
}

/// How one list of the server went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ListStatusDto {
    /// `tool` `resource` `resource_template` `prompt`.
    pub kind: String,
    /// `ok` `unsupported` `failed`.
    pub status: String,
    /// Why it failed.
    pub reason: Option<String>,
}

/// One snapshot in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SnapshotSummaryDto {
    /// Content address.
    pub id: String,
    /// The snapshot before.
    pub parent: Option<String>,
    /// First seen, Unix ms.
    #[specta(type = u32)]
    pub taken_at_ms: i64,
    /// Last seen unchanged, Unix ms.
    #[specta(type = u32)]
    pub last_seen_at_ms: i64,
    /// Item counts.
    pub tools: u32,
    /// Resources.
    pub resources: u32,
    /// Resource templates.
    pub resource_templates: u32,
    /// Prompts.
    pub prompts: u32,
}

/// One snapshot in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SnapshotDto {
    /// The summary.
    pub summary: SnapshotSummaryDto,
    /// `legacy` or `modern`.
    pub era: String,
    /// Protocol version.
    pub protocol_version: String,
    /// Server info as JSON text.
    pub server_info: String,
    /// Capabilities as JSON text.
    pub capabilities: String,
    /// Instructions; hostile text.
    pub instructions: Option<String>,
    /// How the lists went.
    pub lists: Vec<ListStatusDto>,
    /// Every item.
    pub items: Vec<ItemDto>,
}

/// One change between two snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ChangeDto {
    /// `tool` `resource` `resource_template` `prompt` `server`.
    pub kind: String,
    /// The item's name.
    pub name: String,
    /// `added` `removed` `renamed` `changed`.
    pub change: String,
    /// What changed, such as `description`, `input_schema: breaking`.
    pub fields: Vec<String>,
    /// `info` `notice` `warning` `alarm`.
    pub severity: String,
    /// The item before, as JSON text.
    pub before: Option<String>,
    /// The item after, as JSON text.
    pub after: Option<String>,
}

/// The difference between two snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SnapshotDiffDto {
    /// The older one.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// The worst severity, null when nothing changed.
    pub severity: Option<String>,
    /// The changes, worst first.
    pub changes: Vec<ChangeDto>,
}

/// The exact command that waits for consent, or was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConsentDto {
    /// Digest that an approval names.
    pub digest: String,
    /// The argument list to be run.
    pub argv: Vec<String>,
    /// Names of the environment variables set for it; values are never shown.
    pub env_names: Vec<String>,
    /// True when it was approved.
    pub approved: bool,
}

/// One server in depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ServerDetailDto {
    /// Its row.
    pub row: ServerRowDto,
    /// The connection's generation.
    pub generation: u32,
    /// The operator's equivalence group.
    pub group: Option<String>,
    /// The URL, for http; without credentials.
    pub url: Option<String>,
    /// The command that runs, or waits for consent.
    pub command: Option<ConsentDto>,
    /// The newest good snapshot.
    pub snapshot: Option<SnapshotDto>,
    /// Every snapshot kept, newest first, at most 50.
    pub snapshots: Vec<SnapshotSummaryDto>,
    /// The last lines of stderr, oldest first, at most 200.
    pub stderr: Vec<String>,
}

/// What to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CallRequestDto {
    /// The server. Without server, group and order: allowed when exactly one server has the item.
    pub server: Option<String>,
    /// An equivalence group of mcp.json, instead of a server.
    #[serde(default)]
    pub group: Option<String>,
    /// Servers in the order in which to ask them, instead of a server.
    #[serde(default)]
    pub prefer: Vec<String>,
    /// `tools/call` `resources/read` `prompts/get`.
    pub method: String,
    /// Tool or prompt name, or the resource's URI.
    pub name: String,
    /// Arguments as JSON text: an object, or null.
    pub arguments: Option<String>,
    /// Total time allowed, ms; null for the default.
    pub timeout_ms: Option<u32>,
    /// The caller's own id of this call, so that it can be cancelled.
    pub request_id: String,
}

/// The failure payload of design 1.5; key order is fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct FailureDto {
    /// Closed code, such as `no_server_available`.
    pub code: String,
    /// Status number, such as 503.
    pub status: u32,
    /// One sentence.
    pub message: String,
    /// The MCP method.
    pub method: String,
    /// The id of the request.
    pub request_id: String,
    /// Every attempt.
    pub attempts: Vec<AttemptDto>,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CallAnswerDto {
    /// The id of the request.
    pub request_id: String,
    /// Joins what the operator clicked with all that it caused.
    pub correlation_id: Option<String>,
    /// The server's answer as JSON text: its result, or its error for `application_error`.
    pub result: Option<String>,
    /// The failure, null on success.
    pub failure: Option<FailureDto>,
    /// Every attempt.
    pub attempts: Vec<AttemptDto>,
    /// Where the answer does not fit the tool's own output schema.
    #[serde(default)]
    pub output_problems: Vec<String>,
}

/// What to show of the events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Type)]
pub struct EventFilterDto {
    /// Of this server.
    pub server: Option<String>,
    /// Of this kind, such as `HealthChanged`.
    pub kind: Option<String>,
    /// With this correlation id.
    pub correlation_id: Option<String>,
    /// About this method, such as `tools/call`.
    #[serde(default)]
    pub method: Option<String>,
    /// Of this invocation.
    #[serde(default)]
    pub request_id: Option<String>,
    /// `initialize_start` `initialize_success` `initialize_failure` `invoke_start` `invoke_success` `invoke_failure`.
    #[serde(default)]
    pub phase: Option<String>,
    /// Not before, Unix ms.
    #[specta(type = Option<u32>)]
    pub since_ms: Option<i64>,
    /// At most so many, newest first; at most 1,000.
    pub limit: Option<u32>,
}

/// One event of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct EventDto {
    /// ULID.
    pub id: String,
    /// `ConnectionChanged` `HealthChanged` `InvocationPhase` `SnapshotTaken` `DriftFound` `ServerStderr`.
    pub kind: String,
    /// The server.
    pub server: String,
    /// The connection's generation.
    pub generation: u32,
    /// When, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// W3C trace id.
    pub correlation_id: Option<String>,
    /// One sentence.
    pub text: String,
    /// The body as JSON text.
    pub body: String,
}

/// The session of one server (design 1.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SessionDto {
    /// The server.
    pub server: String,
    /// The connection it belongs to.
    pub generation: u32,
    /// It can be used now.
    pub active: bool,
    /// The handshake is done.
    pub initialized: bool,
    /// When the server last answered anything, Unix ms.
    #[specta(type = Option<u32>)]
    pub last_activity_at_ms: Option<i64>,
    /// `unknown` `active_recent` `stale`.
    pub freshness: String,
}

/// The answer of an `att check` for one or all servers (design 4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CheckDto {
    /// `ok` `partial` `failed`.
    pub status: String,
    /// Those that reached `ready`, sorted by name.
    pub results: Vec<ServerRowDto>,
    /// The others, sorted by name.
    pub failures: Vec<ServerRowDto>,
    /// Problems in the configuration.
    pub problems: Vec<ConfigProblemDto>,
}

use super::fleet::ConfigProblemDto;
