//! Servers that leave what the operator accepted.

use std::sync::Arc;
use std::time::Duration;

use att_core::id::OsRandomness;
use att_core::{Actor, Face, SystemClock};
use att_mcp::config::{DriftPolicy, ServerConfig};
use att_mcp::model::{
    AdminState, Baseline, ChangeKind, EventKind, FieldChange, ListKind, Severity, Status, SuggestedAction,
};
use att_mcp::{FailureCode, Fleet, FleetDeps, FleetStore};
use serde_json::json;

use crate::bench::{Bench, http, stdio};

const LIMIT: Duration = Duration::from_secs(10);

fn drifting(mut config: ServerConfig, policy: DriftPolicy) -> ServerConfig {
    config.drift = policy;
    config
}

async fn accept(bench: &Bench, server: &str) -> String {
    let snapshot_id = bench.state(server).snapshot_id.unwrap();
    bench.store.accept_baseline(Baseline {
        server: server.into(),
        snapshot_id: snapshot_id.clone(),
        at_ms: 1,
        actor: Actor::person("ann", Face::Cli, 1),
        reason: "looked at it".into(),
        released_surface: None,
    });
    bench.fleet.baseline_changed(server).await.unwrap();
    snapshot_id
}

#[tokio::test]
async fn an_item_that_left_the_baseline_is_not_callable_until_it_is_accepted_and_its_neighbours_are() {
    let arguments = ["--profile", "drifting", "--drift-after-ms", "1500"];
    let bench = Bench::new(vec![
        drifting(stdio("stdio", &arguments), DriftPolicy::QuarantineItems),
        drifting(http("http", &arguments), DriftPolicy::QuarantineItems),
    ])
    .await;
    let mut accepted = Vec::new();
    for name in ["stdio", "http"] {
        bench.ready(name).await;
        accepted.push(accept(&bench, name).await);
        bench.until(name, LIMIT, |s| s.baseline_id.is_some()).await;
        let search = bench.call(name, "search", json!({"query": "x"})).await;
        assert_ne!(search.err().map(|failure| failure.code), Some(FailureCode::ItemQuarantined));
    }
    for (name, accepted) in ["stdio", "http"].into_iter().zip(accepted) {
        let state = bench.until(name, LIMIT, |s| s.drift.is_some()).await;
        let drift = state.drift.unwrap();
        assert_eq!((&drift.baseline_id, drift.severity), (&accepted, Severity::Alarm));
        assert_eq!((drift.quarantined, drift.quarantined_items[0].key.as_str()), (1, "search"));
        assert_eq!(drift.quarantined_items[0].list, ListKind::Tools);
        assert_eq!(
            (state.suggested_action, state.facets.admin.state),
            (SuggestedAction::ReviewDrift, AdminState::Enabled)
        );
        let refused = bench.call(name, "search", json!({"query": "x"})).await.unwrap_err();
        assert_eq!((refused.code, refused.status), (FailureCode::ItemQuarantined, 409));
        assert_eq!(refused.attempts.len(), 1, "nothing was sent: {:?}", refused.attempts);
        assert_eq!(
            bench.call(name, "echo", json!({"text": "hi"})).await.unwrap().result["content"][0]["text"],
            "hi"
        );
        accept(&bench, name).await;
        bench.until(name, LIMIT, |s| s.drift.is_none()).await;
        let lifted = bench.call(name, "search", json!({"query": "x", "limit": 1})).await;
        assert_ne!(lifted.err().map(|failure| failure.code), Some(FailureCode::ItemQuarantined));
    }
    bench.fleet.shutdown().await;
    let found =
        |event: &att_mcp::model::Event| matches!(event.kind, EventKind::DriftFound { baseline: true, .. });
    assert_eq!(bench.store.events().iter().filter(|event| found(event)).count(), 2);
}

#[tokio::test]
async fn a_quarantined_server_is_closed_stays_so_over_a_restart_and_goes_on_when_the_operator_says_so() {
    let arguments = ["--profile", "drifting", "--drift-after-ms", "1200"];
    let config = drifting(stdio("s", &arguments), DriftPolicy::QuarantineServer);
    let bench = Bench::new(vec![config.clone()]).await;
    bench.ready("s").await;
    accept(&bench, "s").await;
    let state = bench.until("s", LIMIT, |s| s.status == Status::Quarantined).await;
    assert_eq!((state.suggested_action, state.pid), (SuggestedAction::ReviewDrift, None));
    assert!(state.summary.contains("baseline"), "{}", state.summary);
    let refused = bench.call("s", "echo", json!({"text": "hi"})).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::NoServerAvailable);
    bench.fleet.shutdown().await;

    let store = Arc::clone(&bench.store) as Arc<dyn FleetStore>;
    let deps = FleetDeps::new(store, Arc::new(SystemClock), Arc::new(OsRandomness));
    let again = Bench { fleet: Fleet::start(deps, vec![config]).await.unwrap(), ..bench };
    let state = again.until("s", LIMIT, |s| s.status == Status::Quarantined).await;
    assert_eq!(state.generation, 0, "nothing was started to find out");
    again.fleet.set_enabled("s", true).await.unwrap();
    // A process that starts anew has the accepted surface at first, and the other one a moment later.
    again.until("s", LIMIT, |s| s.status == Status::Healthy && s.drift.is_none()).await;
    let state = again.until("s", LIMIT, |s| s.drift.is_some()).await;
    assert_eq!(state.facets.admin.state, AdminState::Enabled, "this surface was let be: {state:#?}");
    again.fleet.shutdown().await;
}

#[tokio::test]
async fn without_a_baseline_a_change_is_told_and_nothing_is_forbidden() {
    let arguments = ["--profile", "drifting", "--drift-after-ms", "600"];
    let bench = Bench::new(vec![drifting(stdio("s", &arguments), DriftPolicy::QuarantineServer)]).await;
    let first = bench.ready("s").await.snapshot_id;
    let state = bench.until("s", LIMIT, |s| s.snapshot_id != first).await;
    assert_eq!((state.drift, state.facets.admin.state), (None, AdminState::Enabled));
    bench.fleet.shutdown().await;
    let snapshots = bench.store.snapshots("s", 5).await.unwrap();
    let fields = vec![FieldChange::Description, FieldChange::InputSchemaBreaking];
    assert_eq!(att_mcp::diff(&snapshots[1], &snapshots[0]).changes[0].kind, ChangeKind::Changed { fields });
}
