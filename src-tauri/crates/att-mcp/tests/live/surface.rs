//! Snapshots of servers that change, or that offer something odd.

use std::time::Duration;

use att_mcp::FleetStore;
use att_mcp::model::{ChangeKind, EventKind, FieldChange, Severity};

use crate::bench::{Bench, http, stdio};

#[tokio::test]
async fn a_changed_schema_is_a_second_snapshot_and_an_alarm_in_every_era_and_transport() {
    let arguments = |era| ["--profile", "drifting", "--drift-after-ms", "1200", "--era", era];
    let bench = Bench::new(vec![
        stdio("stdio-legacy", &arguments("legacy")),
        stdio("stdio-modern", &arguments("modern")),
        http("http-legacy", &arguments("legacy")),
        http("http-modern", &arguments("modern")),
    ])
    .await;
    let names = ["stdio-legacy", "stdio-modern", "http-legacy", "http-modern"];
    let mut firsts = Vec::new();
    for name in names {
        firsts.push(bench.ready(name).await.snapshot_id.unwrap());
    }
    for (name, first) in names.into_iter().zip(firsts) {
        bench.until(name, Duration::from_secs(8), |s| s.snapshot_id.as_ref() != Some(&first)).await;
        let snapshots = bench.store.snapshots(name, 10).await.unwrap();
        assert_eq!(snapshots.len(), 2, "{name}");
        assert_eq!(snapshots[0].parent, Some(first));
        let diff = att_mcp::diff(&snapshots[1], &snapshots[0]);
        assert_eq!(diff.severity, Some(Severity::Alarm));
        assert_eq!((diff.changes.len(), diff.changes[0].key.as_str()), (1, "search"));
        let fields = vec![FieldChange::Description, FieldChange::InputSchemaBreaking];
        assert_eq!(diff.changes[0].kind, ChangeKind::Changed { fields });
    }
    bench.fleet.shutdown().await;
    let drifts = bench.store.events().into_iter().filter(|e| matches!(e.kind, EventKind::DriftFound { .. }));
    assert_eq!(drifts.count(), 4);
}

#[tokio::test]
async fn a_malformed_tool_is_kept_and_marked_and_its_neighbours_can_be_called() {
    let bench =
        Bench::new(vec![stdio("stdio", &["--malformed-tool"]), http("http", &["--malformed-tool"])]).await;
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        let tools = &bench.fleet.snapshot(name).unwrap().lists.tools.items;
        let bad: Vec<_> = tools.iter().filter(|tool| tool.problem.is_some()).collect();
        assert_eq!((tools.len(), bad.len()), (4, 1), "{name}");
        assert_eq!(bad[0].raw["name"], 42, "raw, as the server sent it");
        let answer = bench.call(name, "echo", serde_json::json!({"text": "hi"})).await.unwrap();
        assert_eq!(answer.result["content"][0]["text"], "hi");
    }
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn an_unchanged_surface_adds_no_snapshot_but_is_seen_again() {
    let bench = Bench::new(vec![stdio("s", &[])]).await;
    bench.ready("s").await;
    let first = bench.fleet.snapshot("s").unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.fleet.refresh("s").await.unwrap();
    let again = bench.store.snapshots("s", 10).await.unwrap();
    assert_eq!(again.len(), 1);
    assert!(again[0].last_seen_at_ms > first.last_seen_at_ms);
    bench.fleet.shutdown().await;
}
