//! Snapshots by the thousand, within their budget, and the operator's baseline on the record.

use crate::fleet::{snapshot, state};
use crate::support::{home, lines, open};
use att_core::{Actor, Face};
use att_journal::{Journal, OpenOptions, SnapshotBudget};
use att_mcp::FleetStore;
use att_mcp::model::Baseline;
use std::time::{Duration, Instant};

fn baseline(server: &str, snapshot_id: &str) -> Baseline {
    Baseline {
        server: server.into(),
        snapshot_id: snapshot_id.into(),
        at_ms: 7,
        actor: Actor::person("ann", Face::Cli, 1),
        reason: "looked at it".into(),
        released_surface: None,
    }
}

#[tokio::test]
async fn a_thousand_snapshots_at_once_are_durable_and_share_their_commits() {
    let home = home();
    let journal = open(home.path()).await;
    let begun = Instant::now();
    let puts = (0..1_000).map(|n| {
        let journal = journal.clone();
        async move { journal.put_snapshot(snapshot(&format!("id{n}"), &format!("server{n}"), None, n)).await }
    });
    for put in futures::future::join_all(puts).await {
        put.unwrap();
    }
    let took = begun.elapsed();
    // Opened anew without closing: what was answered is in the file.
    let other = open(home.path()).await;
    for n in [0, 1, 500, 999] {
        let kept = other.latest_snapshot(&format!("server{n}")).await.unwrap().unwrap();
        assert_eq!(kept.id, format!("id{n}"));
    }
    assert!(
        took < Duration::from_secs(5),
        "{took:?}: a commit each takes far longer than this on a slow disk"
    );
    let touches = (0..1_000).map(|n| {
        let journal = journal.clone();
        async move { journal.touch_snapshot(&format!("server{n}"), &format!("id{n}"), 5_000).await }
    });
    for touch in futures::future::join_all(touches).await {
        touch.unwrap();
    }
    assert_eq!(other.latest_snapshot("server7").await.unwrap().unwrap().last_seen_at_ms, 5_000);
}

#[tokio::test]
async fn snapshots_beyond_the_budget_go_the_oldest_first_and_never_the_baseline_or_the_newest() {
    let home = home();
    let options = |count, bytes| OpenOptions {
        snapshot_budget: SnapshotBudget { count, bytes },
        ..OpenOptions::default()
    };
    let ids = async |journal: &Journal| -> Vec<String> {
        journal.snapshots_before("s", None, 100).await.unwrap().into_iter().map(|s| s.id).collect()
    };
    let journal = Journal::open(home.path(), options(3, u64::MAX)).await.unwrap();
    journal.put_snapshot(snapshot("a0", "s", None, 1)).await.unwrap();
    journal.accept_baseline(baseline("s", "a0")).await.unwrap();
    journal.put_snapshot(snapshot("other", "t", None, 1)).await.unwrap();
    for n in 1..=5 {
        journal.put_snapshot(snapshot(&format!("a{n}"), "s", Some("before"), n)).await.unwrap();
    }
    assert_eq!(ids(&journal).await, ["a5", "a4", "a3", "a0"]);
    assert_eq!(journal.snapshots("t", 9).await.unwrap().len(), 1, "another server's are left alone");
    let page = journal.snapshots_before("s", Some("a4"), 1).await.unwrap();
    assert_eq!(page[0].id, "a3");
    journal.close().await;
    let journal = Journal::open(home.path(), options(100, 10)).await.unwrap();
    journal.put_snapshot(snapshot("a6", "s", Some("a5"), 6)).await.unwrap();
    assert_eq!(ids(&journal).await, ["a6", "a0"], "by bytes only the newest and the baseline are left");
}

#[tokio::test]
async fn a_baseline_is_kept_with_its_person_and_on_the_record_and_cleared_likewise() {
    let home = home();
    let journal = open(home.path()).await;
    assert!(journal.accept_baseline(baseline("s", "missing")).await.is_err());
    assert_eq!(journal.baseline("s").await.unwrap(), None);
    journal.put_snapshot(snapshot("one", "s", None, 1)).await.unwrap();
    journal.put_snapshot(snapshot("two", "s", Some("one"), 2)).await.unwrap();
    assert!(journal.accept_baseline(baseline("t", "one")).await.is_err(), "another server's snapshot");
    journal.accept_baseline(baseline("s", "one")).await.unwrap();
    journal.release_surface("s", "surface of two").await.unwrap();
    let released = journal.baseline("s").await.unwrap().unwrap();
    assert_eq!(released.released_surface.as_deref(), Some("surface of two"));
    journal.accept_baseline(baseline("s", "two")).await.unwrap();
    assert_eq!(
        journal.baseline("s").await.unwrap(),
        Some(baseline("s", "two")),
        "a new one forgets releases"
    );
    let actor = || Actor::person("ben", Face::Desktop, 2);
    assert!(journal.clear_baseline("s", actor(), 9, "a mistake".into()).await.unwrap());
    assert!(!journal.clear_baseline("s", actor(), 10, "again".into()).await.unwrap());
    assert_eq!(journal.baseline("s").await.unwrap(), None);
    let told = lines(&journal).await;
    let kinds: Vec<String> = told
        .iter()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["BaselineAccepted", "BaselineAccepted", "BaselineCleared"]);
    assert!(told[1].contains("looked at it") && told[1].contains("\"before\":\"one\""), "{}", told[1]);
}

#[tokio::test]
async fn a_state_of_a_version_that_knew_no_drift_is_still_read() {
    let home = home();
    let journal = open(home.path()).await;
    let old = state("s", 1);
    assert_eq!((&old.drift, &old.baseline_id), (&None, &None), "the row was written without them");
    journal.save_state(old.clone()).await.unwrap();
    let read = journal.states().await.unwrap();
    assert_eq!((read[0].server.as_str(), &read[0].facets), ("s", &old.facets));
}
