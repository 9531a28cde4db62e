//! A fleet with its store, and servers to put into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_mcp::config::{Endpoint, ServerConfig};
use att_mcp::model::{HealthState, ReasonCode, ServerState};
use att_mcp::{Fleet, FleetDeps, InvokeAnswer, InvokeFailure, InvokeRequest, MemoryFleetStore, Operation};
use serde_json::Value;

pub struct Bench {
    pub fleet: Fleet,
    pub store: Arc<MemoryFleetStore>,
    pub dir: tempfile::TempDir,
}

impl Bench {
    pub async fn new(configs: Vec<ServerConfig>) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), configs).await
    }

    pub async fn in_dir(dir: tempfile::TempDir, configs: Vec<ServerConfig>) -> Self {
        let store = Arc::new(MemoryFleetStore::consenting());
        let deps = FleetDeps::new(
            Arc::clone(&store) as Arc<dyn att_mcp::FleetStore>,
            Arc::new(SystemClock),
            Arc::new(OsRandomness),
        );
        Self { fleet: Fleet::start(deps, configs).await.unwrap(), store, dir }
    }

    pub fn state(&self, name: &str) -> ServerState {
        self.fleet.server(name).unwrap()
    }

    pub fn health(&self, name: &str) -> (HealthState, ReasonCode) {
        let health = self.state(name).facets.health;
        (health.state, health.reason.code)
    }

    /// Waits until `is` holds and gives the state that made it so; panics with what was seen after `limit`.
    pub async fn until(&self, name: &str, limit: Duration, is: impl Fn(&ServerState) -> bool) -> ServerState {
        let mut changed = self.fleet.subscribe();
        let begun = Instant::now();
        loop {
            changed.borrow_and_update();
            let state = self.state(name);
            if is(&state) {
                return state;
            }
            let left = limit.saturating_sub(begun.elapsed());
            if tokio::time::timeout(left, changed.changed()).await.is_err() {
                panic!("not within {limit:?}: {state:#?}\nstderr: {:#?}", self.fleet.stderr(name));
            }
        }
    }

    pub async fn ready(&self, name: &str) -> ServerState {
        self.until(name, Duration::from_secs(15), is_ready).await
    }

    pub async fn call(
        &self,
        server: &str,
        tool: &str,
        arguments: Value,
    ) -> Result<InvokeAnswer, InvokeFailure> {
        self.call_within(server, tool, arguments, None).await
    }

    pub async fn call_within(
        &self,
        server: &str,
        tool: &str,
        arguments: Value,
        timeout_ms: Option<i64>,
    ) -> Result<InvokeAnswer, InvokeFailure> {
        let operation =
            Operation::CallTool { name: tool.into(), arguments: arguments.as_object().cloned().unwrap() };
        self.invoke(Some(server), operation, timeout_ms).await
    }

    /// Calls a tool of whichever server of `group` is the fittest.
    pub async fn call_group(
        &self,
        group: &str,
        tool: &str,
        arguments: Value,
        timeout_ms: i64,
    ) -> Result<InvokeAnswer, InvokeFailure> {
        let arguments = arguments.as_object().cloned().unwrap();
        let operation = Operation::CallTool { name: tool.into(), arguments };
        let request = InvokeRequest {
            group: Some(group.to_owned()),
            timeout_ms: Some(timeout_ms),
            ..InvokeRequest::new("test", operation)
        };
        self.fleet.invoke(request).await
    }

    pub async fn invoke(
        &self,
        server: Option<&str>,
        operation: Operation,
        timeout_ms: Option<i64>,
    ) -> Result<InvokeAnswer, InvokeFailure> {
        let request = InvokeRequest {
            request_id: None,
            correlation_id: None,
            client: "test".into(),
            server: server.map(str::to_owned),
            group: None,
            prefer: Vec::new(),
            operation,
            timeout_ms,
        };
        self.fleet.invoke(request).await
    }
}

pub fn is_ready(state: &ServerState) -> bool {
    state.facets.connection.state == att_mcp::model::ConnectionState::Ready
}

/// The demo server over stdio.
pub fn stdio(name: &str, arguments: &[&str]) -> ServerConfig {
    quick(ServerConfig::stdio(name, demo_server(), arguments.iter().copied()))
}

/// The demo server over HTTP on a free port, started by the fleet.
pub fn http(name: &str, arguments: &[&str]) -> ServerConfig {
    let port = free_port();
    let mut argv =
        vec![demo_server(), "--transport".into(), "http".into(), "--port".into(), port.to_string()];
    argv.extend(arguments.iter().map(|a| (*a).to_owned()));
    let mut config = ServerConfig::http(name, format!("http://127.0.0.1:{port}/mcp"));
    if let Endpoint::Http { start, .. } = &mut config.endpoint {
        *start = Some(argv);
    }
    quick(config)
}

/// A demo server over the old HTTP+SSE transport; that it is the old one is for ATT to find out.
pub fn sse(name: &str, arguments: &[&str]) -> ServerConfig {
    let mut config = http(name, arguments);
    if let Endpoint::Http { url, start: Some(argv), .. } = &mut config.endpoint {
        argv[2] = "sse".into();
        *url = url.replace("/mcp", "/sse");
    }
    config
}

/// Demo timings: everything that waits, waits less.
pub fn quick(mut config: ServerConfig) -> ServerConfig {
    let settings = &mut config.settings;
    settings.probe_interval_ms = 300;
    settings.probe_timeout_ms = 1_000;
    settings.backoff_base_ms = 100;
    settings.backoff_cap_ms = 300;
    settings.connect_timeout_ms = 5_000;
    settings.discover_timeout_ms = 1_500;
    settings.list_timeout_ms = 3_000;
    settings.list_debounce_ms = 50;
    config
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The demo server's binary, built if it is missing.
pub fn demo_server() -> String {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(Path::parent).unwrap().to_owned();
    let found = ["att-demo-server", "att-guard"].map(|name| target.join(name));
    if !found.iter().all(|path| path.is_file()) {
        build();
    }
    found[0].to_str().unwrap().to_owned()
}

#[allow(clippy::disallowed_methods, reason = "a test builds what it needs")]
fn build() {
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "-p", "att-demo-server", "-p", "att-process"])
        .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the demo server could not be built");
}

/// All processes whose command line holds `text`.
pub fn processes_with(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let zombie = std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|s| s.contains(") Z "));
        if !zombie && String::from_utf8_lossy(&line).replace('\0', " ").contains(text) {
            found.push(pid);
        }
    }
    found
}

/// The demo server processes of one test, by its folder's name on their command line, without their guards.
pub fn servers_with(text: &str) -> Vec<u32> {
    processes_with(text)
        .into_iter()
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|c| c.starts_with("att-demo-serve"))
        })
        .collect()
}

/// Kills one process that this test started.
pub fn kill(pid: u32) {
    signal(pid, "KILL");
}

/// Sends a signal to one process that this test started.
#[allow(clippy::disallowed_methods, reason = "a test kills what it started")]
pub fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "process {pid} could not be sent {name}");
}
