//! Which lifecycle a server speaks, found out by our own rules and with our own timeouts (facts: "Era per server").
//!
//! Modern first: `server/discover`. A server that answers it with an error is asked to `initialize` on the same
//! connection. One that stays silent or ends is given a fresh connection and `initialize` alone. The verdict is
//! remembered, and forgotten when it fails twice, or when the server was down many times.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::ProtocolVersion;
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, RunningService, serve_client_with_lifecycle,
};
use rmcp::transport::Transport;
use serde_json::Value;

use crate::client::FleetClient;
use crate::facets::Greeting;
use crate::model::{Era, ErrorCategory, TransportKind};
use crate::wire::{Wire, WireFault};

/// How a connection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// `server/discover`, then `initialize` if it is refused.
    DiscoverFirst,
    /// `initialize` only.
    InitializeOnly,
    /// `initialize` over the old HTTP+SSE transport.
    OldTransport,
}

/// What a server was found to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Met {
    pub era: Era,
    /// None where only the era is remembered.
    pub transport: Option<TransportKind>,
}

/// The openings to try, in order, given how the server is configured and what is remembered of it.
pub(crate) fn openings(configured: TransportKind, met: Option<Met>) -> &'static [Opening] {
    use Opening::{DiscoverFirst, InitializeOnly, OldTransport};
    let era = met.map(|met| met.era);
    match (configured, era, met.and_then(|met| met.transport)) {
        (TransportKind::Sse, ..) | (_, _, Some(TransportKind::Sse)) => &[OldTransport],
        (_, Some(Era::Modern), _) => &[DiscoverFirst],
        (TransportKind::StreamableHttp, Some(Era::Legacy), None) => &[InitializeOnly, OldTransport],
        (_, Some(Era::Legacy), _) => &[InitializeOnly],
        (TransportKind::StreamableHttp, None, _) => &[DiscoverFirst, InitializeOnly, OldTransport],
        (TransportKind::Stdio, None, _) => &[DiscoverFirst, InitializeOnly],
    }
}

/// True when `opening` is worth a try after `fault`.
pub(crate) fn is_worth(opening: Opening, fault: &WireFault) -> bool {
    match opening {
        Opening::DiscoverFirst => true,
        // A status says that the address takes no `initialize`; asking it again would change nothing.
        Opening::InitializeOnly => may_be_legacy(fault) && !may_be_old_transport(fault),
        Opening::OldTransport => may_be_old_transport(fault),
    }
}

/// True for the statuses by which a server of the old transport refuses a POST to its stream's address.
fn may_be_old_transport(fault: &WireFault) -> bool {
    fault.category == ErrorCategory::HttpStatus && matches!(fault.status, Some(400 | 404 | 405))
}

/// True when a failed `server/discover` may be how a legacy server behaves, so that `initialize` is worth a try.
fn may_be_legacy(fault: &WireFault) -> bool {
    fault.sent
        && !matches!(
            fault.category,
            ErrorCategory::AuthRequired | ErrorCategory::Throttled | ErrorCategory::ProtocolMismatch
        )
}

/// So many failures of a server that is down make its era be asked for anew.
const FORGET_AT: u32 = 12;

/// What the era of a connection was found to be, kept over its failures.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    met: Option<Met>,
    failures: u32,
}

impl Verdict {
    /// A verdict from an earlier run.
    pub fn remembered(era: Option<Era>) -> Self {
        Self { met: era.map(|era| Met { era, transport: None }), failures: 0 }
    }

    pub fn met(self) -> Option<Met> {
        self.met
    }

    pub fn succeeded(&mut self, era: Era, transport: TransportKind) {
        *self = Self { met: Some(Met { era, transport: Some(transport) }), failures: 0 };
    }

    /// An attempt failed. A server that is merely down says nothing about its era, so that only many such failures
    /// make the verdict be forgotten; two are enough of a server that spoke, or kept silent.
    pub fn failed(&mut self, category: ErrorCategory) {
        let down = matches!(category, ErrorCategory::ProcessExit | ErrorCategory::TransportError);
        self.failures += if down { 1 } else { FORGET_AT / 2 };
        if self.failures >= FORGET_AT {
            *self = Self::default();
        }
    }
}

/// Does the handshake of `opening` over `transport`, within `timeout`.
pub(crate) async fn greet<T>(
    transport: T,
    wire: &Arc<Wire>,
    client: FleetClient,
    opening: Opening,
    timeout: Duration,
) -> Result<(RunningService<RoleClient, FleetClient>, Greeting), WireFault>
where
    T: Transport<RoleClient> + Send + 'static,
{
    let mode = match opening {
        Opening::DiscoverFirst => ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        },
        Opening::InitializeOnly | Opening::OldTransport => ClientLifecycleMode::Initialize,
    };
    // Boxed: the handshake's future is large and would be copied through every caller.
    let handshake = Box::pin(serve_client_with_lifecycle(client, transport, mode));
    let outcome = tokio::select! {
        biased;
        outcome = tokio::time::timeout(timeout, handshake) => outcome,
        fault = wire.failed(None) => return Err(fault),
    };
    match outcome {
        Ok(Ok(service)) => {
            let greeting = greeting(&service, wire)?;
            Ok((service, greeting))
        }
        Ok(Err(error)) => Err(judge(&error, wire)),
        Err(_) => {
            let text = format!("no answer to the handshake within {} ms", timeout.as_millis());
            Err(WireFault::new(ErrorCategory::NetworkTimeout, text))
        }
    }
}

fn greeting(service: &RunningService<RoleClient, FleetClient>, wire: &Wire) -> Result<Greeting, WireFault> {
    let Some(info) = service.peer().peer_info() else {
        return Err(WireFault::new(
            ErrorCategory::InitializeError,
            "the handshake told nothing of the server",
        ));
    };
    if !ProtocolVersion::KNOWN_VERSIONS.contains(&info.protocol_version) {
        let version = att_core::visible(info.protocol_version.as_str()).chars().take(40).collect::<String>();
        let text = format!("the server speaks protocol version {version}, which ATT does not know");
        return Err(WireFault::new(ErrorCategory::ProtocolMismatch, text));
    }
    let raw = wire.greeting().unwrap_or(Value::Null);
    let typed_info = || serde_json::to_value(&info.server_info).unwrap_or(Value::Null);
    let typed_capabilities = || serde_json::to_value(&info.capabilities).unwrap_or(Value::Null);
    let in_meta = raw.get("_meta").and_then(|m| m.get("io.modelcontextprotocol/serverInfo"));
    Ok(Greeting {
        transport: None,
        era: if info.protocol_version.has_initialize() { Era::Legacy } else { Era::Modern },
        protocol_version: info.protocol_version.to_string(),
        server_info: raw.get("serverInfo").or(in_meta).cloned().unwrap_or_else(typed_info),
        capabilities: raw.get("capabilities").cloned().unwrap_or_else(typed_capabilities),
        instructions: info.instructions.clone(),
    })
}

fn judge(error: &ClientInitializeError, wire: &Wire) -> WireFault {
    if let Some(fault) = wire.cause() {
        return fault;
    }
    let (category, text) = match error {
        ClientInitializeError::JsonRpcError(error) => (
            ErrorCategory::InitializeError,
            format!("the server refused the handshake: {} (JSON-RPC error {})", error.message, error.code.0),
        ),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => return judge(fallback, wire),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let versions: Vec<_> = server_supported.iter().map(ToString::to_string).collect();
            (
                ErrorCategory::ProtocolMismatch,
                format!("no protocol version in common; the server offers {}", versions.join(", ")),
            )
        }
        ClientInitializeError::ConnectionClosed(_) => (
            ErrorCategory::TransportError,
            "the server closed the connection during the handshake".to_owned(),
        ),
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_)
        | ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. } => (
            ErrorCategory::InvalidPayload,
            "the server answered the handshake with something else than it was asked".to_owned(),
        ),
        ClientInitializeError::TransportError { error, .. } => {
            (ErrorCategory::TransportError, format!("the handshake could not be sent: {error}"))
        }
        other => (ErrorCategory::InitializeError, other.to_string()),
    };
    WireFault::new(category, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_era_is_tried_alone_and_forgotten_after_two_failures() {
        let stdio = |verdict: Verdict| openings(TransportKind::Stdio, verdict.met());
        let mut verdict = Verdict::default();
        assert_eq!(stdio(verdict), [Opening::DiscoverFirst, Opening::InitializeOnly]);
        verdict.succeeded(Era::Legacy, TransportKind::Stdio);
        assert_eq!(stdio(verdict), [Opening::InitializeOnly]);
        verdict.failed(ErrorCategory::InvalidPayload);
        assert_eq!(stdio(verdict), [Opening::InitializeOnly]);
        verdict.failed(ErrorCategory::NetworkTimeout);
        assert_eq!(verdict.met(), None);
    }

    #[test]
    fn a_server_that_is_down_for_a_while_keeps_its_era() {
        let mut verdict = Verdict::remembered(Some(Era::Modern));
        for _ in 0..10 {
            verdict.failed(ErrorCategory::ProcessExit);
        }
        assert_eq!(verdict.met().map(|met| met.era), Some(Era::Modern));
        for _ in 0..10 {
            verdict.failed(ErrorCategory::TransportError);
        }
        assert_eq!(verdict.met(), None, "in the end it is asked again");
    }

    #[test]
    fn the_old_transport_is_tried_where_a_post_is_refused_and_remembered_where_it_worked() {
        let http = |verdict: Verdict| openings(TransportKind::StreamableHttp, verdict.met());
        let mut verdict = Verdict::default();
        assert_eq!(http(verdict), [Opening::DiscoverFirst, Opening::InitializeOnly, Opening::OldTransport]);
        let mut refused = WireFault::new(ErrorCategory::HttpStatus, "the server answered HTTP 405");
        for (status, worth) in [(400, true), (404, true), (405, true), (500, false), (403, false)] {
            refused.status = Some(status);
            assert_eq!(is_worth(Opening::OldTransport, &refused), worth, "{status}");
            assert_eq!(is_worth(Opening::InitializeOnly, &refused), !worth, "{status}");
        }
        verdict.succeeded(Era::Legacy, TransportKind::Sse);
        assert_eq!(http(verdict), [Opening::OldTransport]);
        verdict = Verdict::remembered(Some(Era::Legacy));
        assert_eq!(http(verdict), [Opening::InitializeOnly, Opening::OldTransport], "of an earlier run");
        assert_eq!(openings(TransportKind::Sse, None), [Opening::OldTransport]);
    }

    #[test]
    fn a_refused_port_or_a_missing_token_is_no_sign_of_a_legacy_server() {
        assert!(!may_be_legacy(&WireFault::new(ErrorCategory::TransportError, "refused").unsent()));
        assert!(!may_be_legacy(&WireFault::new(ErrorCategory::AuthRequired, "401")));
        assert!(may_be_legacy(&WireFault::new(ErrorCategory::NetworkTimeout, "silence")));
        assert!(may_be_legacy(&WireFault::new(ErrorCategory::TransportError, "closed")));
    }
}
