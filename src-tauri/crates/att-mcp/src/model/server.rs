//! One server's state: four facets, never one enum (design 1.1), and what is derived from them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::drift::Drift;
use super::failure::{BreakerCount, BreakerState, Fault};

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// A child process, spoken to over its standard input and output.
    Stdio,
    /// Streamable HTTP.
    StreamableHttp,
    /// The old HTTP+SSE transport of 2024-11-05.
    Sse,
}

impl TransportKind {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::StreamableHttp => "streamable_http",
            Self::Sse => "sse",
        }
    }
}

/// Which lifecycle a server speaks: with the `initialize` handshake, or without (2026-07-28 on).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Era {
    /// 2024-11-05 to 2025-11-25: `initialize`, sessions, `ping`.
    Legacy,
    /// 2026-07-28: `server/discover`, metadata in every request.
    Modern,
}

impl Era {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }
}

/// What the operator wants of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminState {
    /// It is to be connected.
    Enabled,
    /// The operator switched it off.
    Disabled,
    /// Drift policy switched it off.
    Quarantined,
    /// Its command line waits for the operator's approval.
    ConsentRequired,
}

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Nothing is tried.
    Idle,
    /// The process is being started or the address dialled.
    Connecting,
    /// The era is being found out.
    Negotiating,
    /// The server wants authorization (401 or 403).
    AuthRequired,
    /// Authorization is under way.
    Authorizing,
    /// The first lists are being read.
    Discovering,
    /// Usable.
    Ready,
    /// Waiting for the next attempt.
    Backoff,
    /// Finishing calls before it stops.
    Draining,
    /// Ended for good: disabled, removed or shut down.
    Stopped,
}

/// How well a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nothing was heard yet.
    Unknown,
    /// It answers in time.
    Healthy,
    /// It answers, but slowly, partly or not every time.
    Degraded,
    /// `fall` failures in a row.
    Unreachable,
}

/// Why a facet is in its state: the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// It says so in the configuration.
    Configured,
    /// The operator asked for it.
    OperatorRequest,
    /// The command line was not approved yet, or changed since.
    ConsentMissing,
    /// The operator approved the command line.
    ConsentGiven,
    /// ATT just started.
    Started,
    /// A connection attempt began.
    AttemptStarted,
    /// The transport is open; the era is being found out.
    TransportOpen,
    /// The era is known; the lists are being read.
    EraKnown,
    /// The first lists were read.
    ListsTaken,
    /// An attempt failed; the text says how.
    ConnectFailed,
    /// The child process ended.
    ProcessExited,
    /// The transport closed.
    TransportClosed,
    /// A probe failed or came too late.
    ProbeFailed,
    /// A call failed on the way.
    CallFailed,
    /// The server answered in time.
    Answered,
    /// The answer took longer than `slow_after_ms`.
    Slow,
    /// First success after `unreachable`.
    Recovering,
    /// Connected, but some list failed.
    PartialCapabilities,
    /// The server asked to wait (429 or 503 with Retry-After).
    Throttled,
    /// 401 or 403.
    AuthRequired,
    /// The server refuses the authorization that it was given.
    AuthRefused,
    /// A person authorizes ATT in a browser.
    Authorizing,
    /// A secret that the configuration refers to is not set.
    SecretMissing,
    /// Too many calls failed on the way.
    BreakerOpened,
    /// One probe is let through.
    BreakerTrial,
    /// The probe was answered.
    BreakerClosed,
    /// The session was silent for longer than `session_window_ms`.
    SessionStale,
    /// ATT is ending.
    Shutdown,
    /// The configuration changed.
    Reconfigured,
    /// The surface left its baseline.
    DriftFound,
}

/// Why, as a code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The closed code.
    pub code: ReasonCode,
    /// One sentence.
    pub text: String,
}

impl Reason {
    /// A reason from its code and its sentence, which is cleaned: a part of it may be a server's.
    #[must_use]
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self { code, text: att_core::visible(&text.into()) }
    }
}

/// One facet: state, since when, why, and when something will happen by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet<S> {
    /// The state.
    pub state: S,
    /// Since when, Unix ms.
    pub since_ms: i64,
    /// Why.
    pub reason: Reason,
    /// When it will change by itself, Unix ms; null when it waits for something outside.
    pub next_action_at_ms: Option<i64>,
}

/// The four facets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// What the operator wants.
    pub admin: Facet<AdminState>,
    /// Where the connection stands.
    pub connection: Facet<ConnectionState>,
    /// How well it answers.
    pub health: Facet<HealthState>,
    /// Whether calls are let through.
    pub breaker: Facet<BreakerState>,
}

/// The word shown in a list (design 4, first that fits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Switched off by the operator.
    Disabled,
    /// Switched off by drift policy.
    Quarantined,
    /// Waits for approval of its command line.
    ConsentRequired,
    /// Waits for authorization.
    AuthRequired,
    /// First connection under way.
    Connecting,
    /// Asked us to wait.
    Throttled,
    /// Fit.
    Healthy,
    /// Usable with reservations.
    Degraded,
    /// Not usable now.
    Unreachable,
    /// Ended.
    Stopped,
}

impl Status {
    /// The word used in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Quarantined => "quarantined",
            Self::ConsentRequired => "consent_required",
            Self::AuthRequired => "auth_required",
            Self::Connecting => "connecting",
            Self::Throttled => "throttled",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
            Self::Stopped => "stopped",
        }
    }
}

/// What the operator could do about it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestedAction {
    /// Nothing.
    None,
    /// Do not wait for the next attempt.
    RetryNow,
    /// Look at the command line and approve it.
    ApproveCommand,
    /// Authorize ATT with the server.
    Authorize,
    /// Set the missing secret.
    SetSecret,
    /// Look at what changed and accept it or not.
    ReviewDrift,
    /// Switch it on.
    Enable,
    /// Look at its stderr and events.
    ViewLogs,
}

/// The counters behind health and reconnection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Failures in a row that count against health.
    pub failures_in_a_row: u32,
    /// Successes in a row.
    pub successes_in_a_row: u32,
    /// Set when `unreachable` was reached and `rise` successes have not yet followed.
    pub fell: bool,
    /// Attempts that failed since the last time it stayed ready long enough; drives the backoff.
    pub backoff_attempts: u32,
    /// Lists that failed in the newest snapshot of this connection.
    pub failed_lists: u32,
    /// The last measured answer took longer than `slow_after_ms`.
    pub slow: bool,
    /// What the breaker counts.
    #[serde(default)]
    pub breaker: BreakerCount,
}

/// How many items of each list; null where the server does not offer the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    /// Tools.
    pub tools: Option<u32>,
    /// Resources.
    pub resources: Option<u32>,
    /// Resource templates.
    pub resource_templates: Option<u32>,
    /// Prompts.
    pub prompts: Option<u32>,
}

/// All that is known of one server at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerState {
    /// Its name in `mcp.json`.
    pub server: String,
    /// How it is reached.
    pub transport: TransportKind,
    /// The operator's equivalence group.
    pub group: Option<String>,
    /// The era found, null before the first success.
    pub era: Option<Era>,
    /// The protocol version agreed.
    pub protocol_version: Option<String>,
    /// Grows with every connection attempt.
    pub generation: u64,
    /// One word, derived.
    pub status: Status,
    /// One sentence, derived.
    pub summary: String,
    /// What to do, derived.
    pub suggested_action: SuggestedAction,
    /// The four facets.
    pub facets: Facets,
    /// The counters behind them.
    pub counters: Counters,
    /// Item counts of the newest lists.
    #[serde(flatten)]
    pub counts: ListCounts,
    /// How long the last successful connect took, from spawn or dial to the first lists.
    pub connect_ms: Option<i64>,
    /// How long the last probe or connect took to answer.
    pub latency_ms: Option<i64>,
    /// The last fault, kept until the next success.
    pub error: Option<Fault>,
    /// Connection attempts that the present connection took, or that were made since the last one was lost.
    pub attempts: u32,
    /// `serverInfo` as the server sent it.
    pub server_info: Option<Value>,
    /// `capabilities` as the server sent them.
    pub capabilities: Option<Value>,
    /// The server's instructions.
    pub instructions: Option<String>,
    /// The newest snapshot.
    pub snapshot_id: Option<String>,
    /// The snapshot that the operator accepted as what the server should offer.
    #[serde(default)]
    pub baseline_id: Option<String>,
    /// How the surface differs from that; null on the baseline, and without one.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// The digest of the command line that needs consent; null where none does.
    pub command_digest: Option<String>,
    /// The exact command line that ATT would run or runs; empty where it runs none.
    pub command_line: Vec<String>,
    /// Names of the environment variables given to that command, in order; never values.
    pub command_env: Vec<String>,
    /// The process ATT runs for it.
    pub pid: Option<u32>,
    /// When it last answered anything, Unix ms.
    #[serde(default)]
    pub last_activity_at_ms: Option<i64>,
    /// Since when `status` stands, Unix ms.
    pub since_ms: i64,
    /// The soonest thing that will happen by itself, Unix ms.
    pub next_action_at_ms: Option<i64>,
    /// When this was true, Unix ms.
    pub as_of_ms: i64,
}
