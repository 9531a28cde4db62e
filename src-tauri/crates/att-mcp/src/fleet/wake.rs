//! What the whole fleet does when the machine wakes up or its network changes.

use std::sync::{PoisonError, Weak};

use super::Inner;
use crate::connection::Ask;
use crate::facets::Input;
use crate::wake;

/// Asks every server anew, each time the world may have changed, for as long as the fleet lives. Probes keep to the
/// fleet's limit.
pub(super) async fn wake_up(fleet: Weak<Inner>) {
    let mut network = wake::watch_network().await;
    loop {
        let Some(clock) = fleet.upgrade().map(|inner| inner.shared.clock.clone()) else { return };
        let why = wake::woken(&*clock, &mut network).await;
        let Some(inner) = fleet.upgrade() else { return };
        tracing::info!(why, "every server is asked anew");
        let correlation = att_core::id::CorrelationId::mint(&*inner.shared.randomness);
        let servers: Vec<_> =
            inner.servers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for server in servers {
            server.ask(Ask::Input { input: Input::Woken, correlation: correlation.clone() }).await;
        }
    }
}
