//! A fleet of one locked server, and its person with a browser.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_core::secret::{MemorySecrets, SecretStore};
use att_mcp::config::ServerConfig;
use att_mcp::model::{ConnectionState, ServerState, SuggestedAction};
use att_mcp::{
    Fleet, FleetDeps, FleetStore, InvokeAnswer, InvokeFailure, InvokeRequest, MemoryFleetStore, Operation,
};

pub const SOON: Duration = Duration::from_secs(15);
pub const SERVER: &str = "locked";

pub struct Bench {
    pub fleet: Fleet,
    pub store: Arc<MemoryFleetStore>,
}

impl Bench {
    pub async fn new(config: ServerConfig) -> Self {
        Self::sharing(config, Arc::new(MemorySecrets::default()), None).await
    }

    /// A fleet with a place of secrets and a folder of locks that others may use too.
    pub async fn sharing(
        config: ServerConfig,
        secrets: Arc<dyn SecretStore>,
        lock_dir: Option<&Path>,
    ) -> Self {
        let store = Arc::new(MemoryFleetStore::new());
        let deps = FleetDeps {
            secrets,
            lock_dir: lock_dir.map(Path::to_path_buf),
            ..FleetDeps::new(
                Arc::clone(&store) as Arc<dyn FleetStore>,
                Arc::new(SystemClock),
                Arc::new(OsRandomness),
            )
        };
        Self { fleet: Fleet::start(deps, vec![config]).await.unwrap(), store }
    }

    pub fn state(&self) -> ServerState {
        self.fleet.server(SERVER).unwrap()
    }

    pub async fn until(&self, is: impl Fn(&ServerState) -> bool) -> ServerState {
        let mut changed = self.fleet.subscribe();
        let begun = Instant::now();
        loop {
            changed.borrow_and_update();
            let state = self.state();
            if is(&state) {
                return state;
            }
            let left = SOON.saturating_sub(begun.elapsed());
            if tokio::time::timeout(left, changed.changed()).await.is_err() {
                panic!("not within {SOON:?}: {state:#?}");
            }
        }
    }

    pub async fn connection(&self, wanted: ConnectionState) -> ServerState {
        self.until(|state| state.facets.connection.state == wanted).await
    }

    /// Waits for the button.
    pub async fn waits_for_a_person(&self) -> ServerState {
        self.until(|state| state.suggested_action == SuggestedAction::Authorize).await
    }

    /// The person agrees; the server is connected after.
    pub async fn authorized(&self) {
        self.waits_for_a_person().await;
        let page = self.fleet.authorize(SERVER).await.unwrap();
        browse(&page.url).await;
        self.connection(ConnectionState::Ready).await;
    }

    pub async fn call(&self) -> Result<InvokeAnswer, InvokeFailure> {
        let operation = Operation::CallTool { name: "open".into(), arguments: Default::default() };
        let request = InvokeRequest {
            request_id: None,
            correlation_id: None,
            client: "test".into(),
            server: Some(SERVER.into()),
            group: None,
            prefer: Vec::new(),
            operation,
            timeout_ms: Some(10_000),
        };
        self.fleet.invoke(request).await
    }
}

/// Opens `url` as a browser does and follows it; answers the last status.
pub async fn browse(url: &str) -> u16 {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    browser.get(url).send().await.unwrap().status().as_u16()
}
