//! What many servers cost.

use std::time::Duration;

use att_mcp::ServerConfig;
use att_mcp::config::{Endpoint, Settings};

use crate::bench::{Bench, http, is_ready};

/// CPU time of this process, in clock ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn fifty_idle_servers_cost_less_than_two_percent_of_a_core() {
    let first = http("s-0", &[]);
    let Endpoint::Http { url, .. } = first.endpoint.clone() else { panic!("not HTTP") };
    let bench = Bench::new(vec![first.clone()]).await;
    bench.ready("s-0").await;
    let mut configs = vec![first];
    configs.extend((1..50).map(|index| ServerConfig::http(format!("s-{index}"), url.clone())));
    for config in &mut configs[1..] {
        config.settings = Settings::default();
    }
    bench.fleet.reload(configs).await;
    for index in 0..50 {
        bench.until(&format!("s-{index}"), Duration::from_secs(20), is_ready).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = ticks();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let spent_ms = (ticks() - before) * 10;
    assert!(spent_ms < 100, "{spent_ms} ms of CPU in 5 s");
    eprintln!("50 idle servers: {spent_ms} ms of CPU in 5000 ms");
    bench.fleet.shutdown().await;
}
