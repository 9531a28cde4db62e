//! The clients that are written in Rust: each connects to every server at once, lists its tools, and then calls.

use super::job::{Job, Measured, Subject};
use crate::measure::rss_kib;
use crate::peers::{BareClient, Error, Result};
use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_journal::{Journal, OpenOptions};
use att_mcp::model::ConnectionState;
use att_mcp::{Fleet, FleetDeps, FleetStore, InvokeRequest, MemoryFleetStore, Operation, ServerConfig};
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Calls under way at the same time.
const AT_ONCE: usize = 64;

/// Does the job in the file and prints what came of it.
pub async fn run(subject: Subject, job: &Path) -> Result<()> {
    let job: Job = serde_json::from_slice(&std::fs::read(job)?)?;
    let measured = match subject {
        Subject::Raw => raw(&job).await?,
        Subject::Rmcp => rmcp(&job).await?,
        Subject::AttMemory => att(&job, Arc::new(MemoryFleetStore::new())).await?,
        Subject::AttCold | Subject::AttWarm => {
            att(&job, Arc::new(Journal::open(&job.home, OpenOptions::default()).await?)).await?
        }
        other => return Err(format!("{} is not written in Rust", other.as_str()).into()),
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&measured)?)?)
}

/// Connects everything; answers when the last healthy one is listed. The faulty ones are left behind.
async fn connect_all<C: Send + 'static, F: Future<Output = Result<C>> + Send + 'static>(
    job: &Job,
    connect: impl Fn(String) -> F,
) -> Result<Vec<C>> {
    let (mut healthy, mut faulty) = (JoinSet::new(), JoinSet::new());
    for server in &job.servers {
        if server.healthy {
            healthy.spawn(connect(server.url.clone()));
        } else {
            faulty.spawn(connect(server.url.clone()));
        }
    }
    let mut clients = Vec::with_capacity(healthy.len());
    while let Some(client) = healthy.join_next().await {
        clients.push(client??);
    }
    Ok(clients)
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

async fn raw(job: &Job) -> Result<Measured> {
    let before = rss_kib()?;
    let begun = Instant::now();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let clients = connect_all(job, |url| RawClient::connect(http.clone(), url)).await?;
    let ready_ms = millis(begun);
    let mut measured = Measured { ready_ms, memory_kib: grown(before).await?, ..Measured::default() };
    if let Some(first) = clients.into_iter().next() {
        let first = Arc::new(first);
        time_calls(job, &mut measured, move || {
            let client = Arc::clone(&first);
            async move {
                client
                    .request("tools/call", json!({"name": "echo", "arguments": arguments()}))
                    .await
                    .map(drop)
            }
        })
        .await?;
    }
    Ok(measured)
}

async fn rmcp(job: &Job) -> Result<Measured> {
    let before = rss_kib()?;
    let begun = Instant::now();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let clients = connect_all(job, |url| {
        let http = http.clone();
        async move {
            let client = BareClient::connect(http, &url).await?;
            client.list_tools().await?;
            Ok(client)
        }
    })
    .await?;
    let ready_ms = millis(begun);
    let mut measured = Measured { ready_ms, memory_kib: grown(before).await?, ..Measured::default() };
    // All of them stay connected: the memory of an idle server is that of its client.
    let clients = Arc::new(clients);
    time_calls(job, &mut measured, move || {
        let clients = Arc::clone(&clients);
        async move { clients.first().ok_or("no server")?.call("echo", arguments()).await }
    })
    .await?;
    Ok(measured)
}

async fn att(job: &Job, store: Arc<dyn FleetStore>) -> Result<Measured> {
    let mut configs = Vec::with_capacity(job.servers.len());
    let mut healthy = BTreeSet::new();
    for (number, server) in job.servers.iter().enumerate() {
        let name = format!("s-{number:04}");
        configs.push(ServerConfig::http(name.clone(), server.url.clone()));
        if server.healthy {
            healthy.insert(name);
        }
    }
    let before = rss_kib()?;
    let begun = Instant::now();
    let deps = FleetDeps::new(Arc::clone(&store), Arc::new(SystemClock), Arc::new(OsRandomness));
    let fleet = Fleet::start(deps, configs).await?;
    let mut changed = fleet.subscribe();
    let ready = |name: &String| {
        fleet.server(name).is_some_and(|state| state.facets.connection.state == ConnectionState::Ready)
    };
    let mut pending = healthy.iter().peekable();
    while let Some(name) = pending.peek() {
        changed.borrow_and_update();
        match ready(name) {
            true => drop(pending.next()),
            false => changed.changed().await?,
        }
    }
    let ready_ms = millis(begun);
    for name in &healthy {
        let kept = store.latest_snapshot(name).await?;
        let shown = fleet.server(name).and_then(|state| state.snapshot_id);
        if kept.is_none() || kept.map(|snapshot| snapshot.id) != shown {
            return Err(format!("{name} was ready, but its snapshot was not kept").into());
        }
    }
    let mut measured = Measured { ready_ms, memory_kib: grown(before).await?, ..Measured::default() };
    if let Some(first) = healthy.into_iter().next() {
        let calling = fleet.clone();
        time_calls(job, &mut measured, move || {
            let (fleet, server) = (calling.clone(), first.clone());
            async move {
                let request = InvokeRequest {
                    request_id: None,
                    correlation_id: None,
                    client: "bench".into(),
                    server: Some(server),
                    group: None,
                    prefer: Vec::new(),
                    operation: Operation::CallTool { name: "echo".into(), arguments: arguments() },
                    timeout_ms: None,
                };
                fleet.invoke(request).await.map(drop).map_err(|failure| Error::from(failure.message))
            }
        })
        .await?;
    }
    fleet.shutdown().await;
    Ok(measured)
}

/// Memory that came in addition, once the work of connecting has settled.
async fn grown(before_kib: u64) -> Result<Option<f64>> {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    Ok(Some(rss_kib()?.saturating_sub(before_kib) as f64))
}

async fn time_calls<F: Future<Output = Result<()>> + Send + 'static>(
    job: &Job,
    measured: &mut Measured,
    call: impl Fn() -> F + Clone + Send + 'static,
) -> Result<()> {
    if job.calls == 0 {
        return Ok(());
    }
    let mut times = Histogram::<u64>::new(3)?;
    for number in 0..job.calls + job.calls / 10 {
        let begun = Instant::now();
        call().await?;
        // The first tenth warms up.
        if number >= job.calls / 10 {
            times.record(u64::try_from(begun.elapsed().as_nanos())?)?;
        }
    }
    measured.p50_us = Some(times.value_at_quantile(0.5) as f64 / 1_000.0);
    measured.p99_us = Some(times.value_at_quantile(0.99) as f64 / 1_000.0);
    let left = Arc::new(AtomicUsize::new(job.calls_at_once));
    let mut callers = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..AT_ONCE {
        let (left, call) = (Arc::clone(&left), call.clone());
        callers.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                call().await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    measured.per_second = Some(job.calls_at_once as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

fn arguments() -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), json!("hello"))])
}

/// The least that speaks MCP over HTTP.
struct RawClient {
    http: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl RawClient {
    async fn connect(http: reqwest::Client, url: String) -> Result<Self> {
        let mut client = Self { http, url, session: None };
        let own = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}});
        let response =
            client.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": own})).await?;
        client.session =
            response.headers().get("mcp-session-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
        response.bytes().await?;
        client.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?.bytes().await?;
        client.request("tools/list", json!({})).await?;
        Ok(client)
    }

    async fn request(&self, method: &str, params: Value) -> Result<bytes::Bytes> {
        let message = json!({"jsonrpc": "2.0", "id": 2, "method": method, "params": params});
        Ok(self.post(&message).await?.bytes().await?)
    }

    async fn post(&self, message: &Value) -> Result<reqwest::Response> {
        let mut request =
            self.http.post(&self.url).header("accept", "application/json, text/event-stream").json(message);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        Ok(request.send().await?.error_for_status()?)
    }
}
