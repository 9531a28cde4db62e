//! `att check`: connect to every server once, over connections of its own, and tell what was found.

use std::sync::Arc;
use std::time::Duration;

use att_core::Clock;
use att_core::id::Randomness;
use att_core::secret::SecretStore;

use crate::config::ServerConfig;
use crate::fleet::{Fleet, FleetDeps, FleetError};
use crate::model::{AdminState, ConnectionState, ServerState, Snapshot};
use crate::store::MemoryFleetStore;

/// Longest wait for the slowest server.
const LONGEST: Duration = Duration::from_secs(120);

/// One server as it was found.
#[derive(Debug, Clone)]
pub struct CheckedServer {
    /// Its state: ready, or failed once.
    pub state: ServerState,
    /// What it offered, if it got that far.
    pub snapshot: Option<Arc<Snapshot>>,
}

impl CheckedServer {
    /// True when the server reached `ready`.
    #[must_use]
    pub fn reached_ready(&self) -> bool {
        self.state.facets.connection.state == ConnectionState::Ready
    }
}

/// Connects to all of `configs` at once, by name, one attempt each. `consented` says which commands
/// (server, digest) may run. Live facets are never touched.
///
/// # Errors
/// [`FleetError::HttpClient`].
pub async fn check_once(
    configs: Vec<ServerConfig>,
    consented: impl Fn(&str, &str) -> bool,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    secrets: Arc<dyn SecretStore>,
) -> Result<Vec<CheckedServer>, FleetError> {
    let store = MemoryFleetStore::new();
    for config in &configs {
        if let Some(digest) = config.command_digest().filter(|digest| consented(&config.name, digest)) {
            store.give_consent(&config.name, &digest);
        }
    }
    let deps = FleetDeps { secrets, ..FleetDeps::new(Arc::new(store), clock, randomness) };
    let fleet = Fleet::start(deps, configs).await?;
    let mut changed = fleet.subscribe();
    let settled = async {
        while !fleet.servers().iter().all(is_settled) {
            if changed.changed().await.is_err() {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST, settled).await;
    let found = fleet
        .servers()
        .into_iter()
        .map(|state| CheckedServer { snapshot: fleet.snapshot(&state.server), state })
        .collect();
    fleet.shutdown().await;
    Ok(found)
}

/// Ready, failed once, or not to be connected at all.
fn is_settled(state: &ServerState) -> bool {
    let waiting_for_operator = state.facets.admin.state != AdminState::Enabled;
    let connected = matches!(
        state.facets.connection.state,
        ConnectionState::Ready | ConnectionState::AuthRequired | ConnectionState::Stopped
    );
    waiting_for_operator
        || connected
        || state.facets.connection.state == ConnectionState::Backoff
        || state.generation > 1
}
