//! Several connections on one file: nobody is refused, and of several who want the same thing one gets it.

use crate::support::{draft, home, open};
use att_core::{Actor, Face};
use att_journal::{NewRequest, RequestState};
use std::collections::BTreeSet;

fn request(id: &str) -> NewRequest {
    NewRequest {
        id: id.into(),
        kind: "run_cycle".into(),
        body: serde_json::json!({"project": "shop"}),
        actor: Actor::person("ann", Face::Cli, 3),
        at_ms: 10,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_on_many_connections_are_never_refused_and_leave_one_chain() {
    let home = home();
    open(home.path()).await.close().await;
    let writers = (0..6).map(|writer| {
        let home = home.path().to_path_buf();
        tokio::spawn(async move {
            let journal = open(&home).await;
            let mut taken = Vec::new();
            for n in 0..25 {
                taken.push(journal.record(draft(writer * 100 + n)).await.unwrap());
            }
            taken
        })
    });
    let mut numbers = BTreeSet::new();
    for writer in writers.collect::<Vec<_>>() {
        numbers.extend(writer.await.unwrap());
    }
    assert_eq!(numbers, (1..=150).collect());
    let report = open(home.path()).await.verify().await.unwrap();
    assert!(report.ok && report.entries == 150, "{report:?}");
    let head = std::fs::read_to_string(home.path().join("journal.head")).unwrap();
    assert!(head.contains("\"sequence\":150"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_takers_of_one_request_one_gets_it() {
    let home = home();
    let journal = open(home.path()).await;
    for round in 0..5 {
        let id = format!("r{round}");
        assert!(journal.ask(request(&id)).await.unwrap());
        let takers = (1..=8_u64).map(|epoch| {
            let home = home.path().to_path_buf();
            tokio::spawn(async move { open(&home).await.take_request(epoch, 20).await.unwrap() })
        });
        let mut winners = Vec::new();
        for taker in takers.collect::<Vec<_>>() {
            winners.extend(taker.await.unwrap());
        }
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!((winners[0].id.as_str(), winners[0].state), (id.as_str(), RequestState::Taken));
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_tear_its_transaction() {
    let home = home();
    let journal = open(home.path()).await;
    for n in 0..40 {
        let write = journal.record(draft(n));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(50 * (n as u64 % 8)), write).await;
    }
    let last = journal.record(draft(99)).await.unwrap();
    let report = journal.verify().await.unwrap();
    assert!(report.ok && report.entries == last, "{report:?}");
}

#[tokio::test]
async fn a_verification_that_is_given_up_pins_no_old_moment() {
    let home = home();
    let journal = open(home.path()).await;
    for n in 1..=40 {
        journal.record(draft(n)).await.unwrap();
        for step in 0..4 {
            let given_up = std::time::Duration::from_micros(40 * step);
            let _ = tokio::time::timeout(given_up, journal.verify()).await;
        }
        for _ in 0..6 {
            let seen = journal.audit_entries(None, 0, 100).await.unwrap().len();
            assert_eq!(i64::try_from(seen).unwrap(), n);
        }
    }
}
