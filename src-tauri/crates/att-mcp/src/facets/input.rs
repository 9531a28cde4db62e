//! What goes into a transition and what comes out of it.

use crate::model::{AuthNeed, Drift, Era, EventKind, Fault, ListCounts, ReasonCode, TransportKind};

/// What the handshake told.
#[derive(Debug, Clone, PartialEq)]
pub struct Greeting {
    /// The transport it was found to speak, where that is not what its configuration says.
    pub transport: Option<TransportKind>,
    /// The era.
    pub era: Era,
    /// The version agreed.
    pub protocol_version: String,
    /// `serverInfo`, raw.
    pub server_info: serde_json::Value,
    /// `capabilities`, raw.
    pub capabilities: serde_json::Value,
    /// Instructions.
    pub instructions: Option<String>,
}

/// What reading the lists told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surface {
    /// Item counts.
    pub counts: ListCounts,
    /// The lists that failed, as `name: reason`.
    pub failed: Vec<String>,
    /// The snapshot that holds them.
    pub snapshot_id: Option<String>,
}

/// Whatever may change a server's state. `generation` says which connection it comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// ATT begins to look after the server; `consented` tells whether its command may run.
    Start {
        /// True when no consent is needed or it was given.
        consented: bool,
    },
    /// The operator switches it on; `consented` as above.
    Enable {
        /// True when no consent is needed or it was given.
        consented: bool,
    },
    /// The operator switches it off.
    Disable,
    /// The operator approved the command.
    ConsentGiven,
    /// The operator does not want to wait.
    RetryNow,
    /// The planned time of the next attempt has come.
    RetryDue,
    /// The process runs or the address is dialled.
    TransportOpen {
        /// Which connection.
        generation: u64,
        /// The process, where ATT runs one.
        pid: Option<u32>,
    },
    /// The handshake is done.
    Greeted {
        /// Which connection.
        generation: u64,
        /// What it told.
        greeting: Box<Greeting>,
    },
    /// The first lists were read: usable.
    Ready {
        /// Which connection.
        generation: u64,
        /// From the attempt's start to here.
        connect_ms: i64,
        /// How long the handshake's answer took.
        latency_ms: i64,
        /// What was read.
        surface: Surface,
    },
    /// A later reading of the lists.
    SurfaceRead {
        /// Which connection.
        generation: u64,
        /// What was read.
        surface: Surface,
    },
    /// The attempt failed or the connection broke.
    Lost {
        /// Which connection.
        generation: u64,
        /// Why.
        fault: Fault,
    },
    /// A probe was answered.
    ProbeAnswered {
        /// Which connection.
        generation: u64,
        /// How long it took.
        latency_ms: i64,
    },
    /// A probe failed or came too late.
    ProbeFailed {
        /// Which connection.
        generation: u64,
        /// Why.
        fault: Fault,
    },
    /// The next probe is planned.
    ProbePlanned {
        /// Which connection.
        generation: u64,
        /// When, Unix ms.
        at_ms: i64,
    },
    /// A call was answered, whatever the answer.
    CallAnswered {
        /// Which connection.
        generation: u64,
    },
    /// A call failed on the way.
    CallFailed {
        /// Which connection.
        generation: u64,
        /// Why.
        fault: Fault,
    },
    /// A page was opened for a person to agree on.
    AuthorizeBegun {
        /// Until when their answer is waited for, Unix ms.
        until_ms: i64,
    },
    /// The person did not agree, or their answer led to no token.
    AuthorizeFailed {
        /// Who can cure it.
        need: AuthNeed,
        /// Why, with its cure.
        text: String,
    },
    /// There is a token now.
    Authorized,
    /// The token was thrown away: what it opened is closed.
    AuthorizationForgotten,
    /// The newest surface was held against the baseline.
    Judged {
        /// The accepted snapshot, if there is one.
        baseline_id: Option<String>,
        /// How the surface differs.
        drift: Option<Box<Drift>>,
        /// True when the policy forbids the server.
        quarantine: bool,
        /// True when its command may run.
        consented: bool,
    },
    /// A call is worth an attempt at once; nothing to do where the server is connected.
    Wanted,
    /// A call ended: what the breaker counts. It belongs to no connection.
    CallCounted {
        /// Why it failed on the way; none when it was answered.
        failure: Option<String>,
    },
    /// The open breaker's time is over.
    BreakerDue,
    /// It is to stop, and calls under way may finish first.
    Drain {
        /// How long they may, Unix ms.
        until_ms: i64,
    },
    /// Its session is dropped.
    Invalidate {
        /// Why: the operator wants it, or it is stale.
        code: ReasonCode,
    },
    /// The machine slept, or its network changed.
    Woken,
    /// ATT ends, or the server left the configuration.
    Shutdown,
}

impl Input {
    pub(super) fn generation(&self) -> Option<u64> {
        match self {
            Self::TransportOpen { generation, .. }
            | Self::Greeted { generation, .. }
            | Self::Ready { generation, .. }
            | Self::SurfaceRead { generation, .. }
            | Self::Lost { generation, .. }
            | Self::ProbeAnswered { generation, .. }
            | Self::ProbeFailed { generation, .. }
            | Self::ProbePlanned { generation, .. }
            | Self::CallAnswered { generation }
            | Self::CallFailed { generation, .. } => Some(*generation),
            _ => None,
        }
    }
}

/// What the connection's task has to do after a transition.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Record this event.
    Emit(EventKind),
    /// Begin a connection attempt of this generation.
    Connect {
        /// The new generation.
        generation: u64,
    },
    /// Close whatever is open.
    Close,
    /// Come back with [`Input::RetryDue`] at this time.
    RetryAt(i64),
    /// Probe at once.
    ProbeNow,
    /// Come back with [`Input::BreakerDue`] at this time.
    BreakerAt(i64),
    /// Let one probe through, or, where the server is not probed, read its lists once.
    Trial,
}
