//! Both sides of a comparison: the demo server, a bare rmcp client, and a fleet of ours.

use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_mcp::model::ConnectionState;
use att_mcp::{Fleet, FleetDeps, MemoryFleetStore, ServerConfig};
use att_process::{CommandSpec, GuardedChild};
use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// What stops a benchmark: it is told and the program ends.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// Result of a step of a benchmark.
pub type Result<T> = std::result::Result<T, Error>;

/// So long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program beside our own.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.is_file() { Ok(path) } else { Err(format!("{} is missing; see --help", path.display()).into()) }
}

/// The name of the server `number`.
pub fn name(number: usize) -> String {
    format!("s-{number:02}")
}

/// One demo server process over HTTP.
pub struct Peer {
    /// Where it listens.
    pub url: String,
    child: GuardedChild,
}

impl Peer {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self> {
        let program = program("att-demo-server")?.display().to_string();
        let spec = CommandSpec::new([program.as_str(), "--transport", "http", "--profile", "echo"]);
        let mut child = GuardedChild::spawn(&spec)?;
        let stderr = child.take_stderr().ok_or("the demo server has no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let listens = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(url) = line.strip_prefix("listening on ") {
                    return Ok(url.to_owned());
                }
            }
            Err(Error::from("the demo server ended before it listened"))
        };
        let url = tokio::time::timeout(PATIENCE, listens).await??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { url, child })
    }

    /// So many entries that all point at it.
    pub fn configs(&self, count: usize) -> Vec<ServerConfig> {
        (0..count).map(|number| ServerConfig::http(name(number), self.url.clone())).collect()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.child.shutdown(Duration::from_millis(100)).await;
    }
}

/// An rmcp client as its documentation would have it, with a shared HTTP client.
pub struct BareClient(RunningService<RoleClient, ClientConfig>);

impl BareClient {
    /// Connects and initializes.
    pub async fn connect(http: reqwest::Client, url: &str) -> Result<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(url);
        let transport = StreamableHttpClientTransport::with_client(http, config);
        let own = ClientConfig::new(ClientCapabilities::default(), Implementation::new("bare", "1"))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        Ok(Self(own.serve(transport).await?))
    }

    /// Lists its tools.
    pub async fn list_tools(&self) -> Result<usize> {
        Ok(self.0.list_all_tools().await?.len())
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &'static str, arguments: Map<String, Value>) -> Result<()> {
        self.0.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
        Ok(())
    }

    /// Ends the connection.
    pub async fn close(self) {
        // Nothing is measured any more; an end that fails is an end.
        let _ = self.0.cancel().await;
    }
}

/// A fleet over `configs`, its state in memory.
pub async fn fleet_of(configs: Vec<ServerConfig>) -> Result<Fleet> {
    let deps = FleetDeps::new(
        Arc::new(MemoryFleetStore::consenting()),
        Arc::new(SystemClock),
        Arc::new(OsRandomness),
    );
    Ok(Fleet::start(deps, configs).await?)
}

/// Waits until `count` servers are ready.
pub async fn ready(fleet: &Fleet, count: usize) -> Result<()> {
    let mut changed = fleet.subscribe();
    let all_ready = async {
        loop {
            changed.borrow_and_update();
            let states = fleet.servers();
            let is_ready = |state: &&att_mcp::model::ServerState| {
                state.facets.connection.state == ConnectionState::Ready
            };
            if states.iter().filter(is_ready).count() == count {
                return Ok(());
            }
            changed.changed().await?;
        }
    };
    match tokio::time::timeout(PATIENCE, all_ready).await {
        Ok(outcome) => outcome,
        Err(_) => Err("not every server became ready in time".into()),
    }
}
