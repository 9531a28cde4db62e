//! Three small runs against the demo server: connect, call, idle.

use crate::measure::{Table, cpu_ms, percentile, rss_kib};
use crate::peers::{self, BareClient, Peer, Result, fleet_of, ready};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

use att_mcp::{Fleet, InvokeRequest, Operation, ServerConfig};

/// Servers of the connect and idle runs.
const SERVERS: usize = 50;

/// 50 servers: connect, initialize, list tools.
pub async fn connect(peer: &Peer, rounds: usize) -> Result<()> {
    let (mut bare, mut fleet) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let http = reqwest::Client::new();
        let begun = Instant::now();
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..SERVERS {
            let (http, url) = (http.clone(), peer.url.clone());
            all.spawn(async move {
                let client = BareClient::connect(http, &url).await?;
                client.list_tools().await?;
                Ok::<_, peers::Error>(client)
            });
        }
        let mut clients = Vec::new();
        while let Some(client) = all.join_next().await {
            clients.push(client??);
        }
        bare.push(begun.elapsed());
        for client in clients {
            client.close().await;
        }

        let begun = Instant::now();
        let ours = fleet_of(peer.configs(SERVERS)).await?;
        ready(&ours, SERVERS).await?;
        fleet.push(begun.elapsed());
        ours.shutdown().await;
    }
    let mut table =
        Table::new(&format!("connect + initialize + list, {SERVERS} servers, median of {rounds}"));
    table.compare("all servers", percentile(&mut bare, 50), percentile(&mut fleet, 50));
    table.print()
}

/// One server: a tool call, p50 and p99.
pub async fn call(peer: &Peer, calls: usize) -> Result<()> {
    let client = BareClient::connect(reqwest::Client::new(), &peer.url).await?;
    let fleet = fleet_of(peer.configs(1)).await?;
    ready(&fleet, 1).await?;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    // In turn, so that whatever else the machine does falls on both.
    for number in 0..calls + calls / 10 {
        let begun = Instant::now();
        client.call("echo", arguments()).await?;
        let bare_took = begun.elapsed();
        let begun = Instant::now();
        invoke(&fleet).await?;
        // The first tenth warms up.
        if number >= calls / 10 {
            bare.push(bare_took);
            ours.push(begun.elapsed());
        }
    }
    client.close().await;
    fleet.shutdown().await;
    let mut table = Table::new(&format!("tools/call of one server, {calls} calls one after the other"));
    for percent in [50, 99] {
        table.compare(&format!("p{percent}"), percentile(&mut bare, percent), percentile(&mut ours, percent));
    }
    table.print()
}

fn arguments() -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), json!("hello"))])
}

async fn invoke(fleet: &Fleet) -> Result<()> {
    let request = InvokeRequest {
        request_id: None,
        correlation_id: None,
        client: "bench".into(),
        server: Some("s-00".into()),
        group: None,
        prefer: Vec::new(),
        operation: Operation::CallTool { name: "echo".into(), arguments: arguments() },
        timeout_ms: None,
    };
    fleet.invoke(request).await.map(drop).map_err(|failure| failure.message.into())
}

/// 50 idle servers, stdio and HTTP: CPU time and memory of this process.
pub async fn idle(time: Duration) -> Result<()> {
    let before_kib = rss_kib()?;
    let peer = Peer::start().await?;
    let half = SERVERS / 2;
    let mut configs = peer.configs(half);
    let program = peers::program("att-demo-server")?.display().to_string();
    configs.extend(
        (half..SERVERS).map(|n| ServerConfig::stdio(peers::name(n), program.clone(), ["--profile", "echo"])),
    );
    let fleet = fleet_of(configs).await?;
    ready(&fleet, SERVERS).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = cpu_ms()?;
    tokio::time::sleep(time).await;
    let spent = cpu_ms()? - before;
    let mut table =
        Table::new(&format!("{SERVERS} idle servers ({half} HTTP, {half} stdio), {} s", time.as_secs()));
    let share = spent as f64 / time.as_millis() as f64 * 100.0;
    table.row("CPU time of this process", &format!("{spent} ms, {share:.2} % of one core"));
    let (now_kib, mib) = (rss_kib()?, |kib: u64| kib as f64 / 1024.0);
    table.row(
        "memory (RSS)",
        &format!("{:.1} MiB, {:.1} MiB before the fleet", mib(now_kib), mib(before_kib)),
    );
    fleet.shutdown().await;
    peer.stop().await;
    table.print()
}
