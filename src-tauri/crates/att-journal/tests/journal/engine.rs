//! Who drives, and what the others ask of it.

use crate::support::{draft, home, open};
use att_bootstrap::store::{CycleStore, LeaseFence, LeaseOwner};
use att_core::{Actor, Face};
use att_journal::{NewRequest, RequestState};

fn owner(pid: u32) -> LeaseOwner {
    LeaseOwner { pid, face: "desktop".into(), host: "here".into() }
}

fn request(id: &str, at_ms: i64) -> NewRequest {
    NewRequest {
        id: id.into(),
        kind: "approve".into(),
        body: serde_json::json!({"decision": id}),
        actor: Actor::person("ann", Face::Cli, 3),
        at_ms,
    }
}

#[tokio::test]
async fn the_version_moves_when_another_process_commits_and_only_then() {
    let home = home();
    let (mine, theirs) = (open(home.path()).await, open(home.path()).await);
    let before = mine.data_version().await.unwrap();
    assert_eq!(mine.data_version().await.unwrap(), before);
    theirs.record(draft(1)).await.unwrap();
    let after = mine.data_version().await.unwrap();
    assert_ne!(after, before);
    assert_eq!(mine.data_version().await.unwrap(), after);
}

#[tokio::test]
async fn a_look_that_was_given_up_misses_no_commit() {
    let home = home();
    let (mine, theirs) = (open(home.path()).await, open(home.path()).await);
    for n in 1..=10 {
        let before = mine.data_version().await.unwrap();
        let _ = tokio::time::timeout(std::time::Duration::ZERO, mine.data_version()).await;
        theirs.record(draft(n)).await.unwrap();
        assert_ne!(mine.data_version().await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_lease_given_back_is_free_and_its_old_holder_is_fenced() {
    let home = home();
    let journal = open(home.path()).await;
    let first = journal.acquire_lease("engine", &owner(1), 100, 1_000, false).await.unwrap().unwrap();
    let fence = LeaseFence { name: "engine".into(), epoch: first.epoch };
    journal.release_lease(&fence, 200).await.unwrap();
    assert!(!journal.renew_lease(&fence, 201, 1_000).await.unwrap());
    let second = journal.acquire_lease("engine", &owner(2), 202, 1_000, false).await.unwrap().unwrap();
    assert_eq!(second.epoch, first.epoch + 1);
    assert_eq!(journal.lease("engine").await.unwrap().unwrap(), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_that_want_the_lease_one_gets_it() {
    let home = home();
    open(home.path()).await.close().await;
    let wanting = (1..=8).map(|pid| {
        let home = home.path().to_path_buf();
        tokio::spawn(async move {
            open(&home).await.acquire_lease("engine", &owner(pid), 100, 1_000, false).await.unwrap()
        })
    });
    let mut holders = Vec::new();
    for one in wanting.collect::<Vec<_>>() {
        holders.extend(one.await.unwrap());
    }
    assert_eq!(holders.len(), 1);
}

#[tokio::test]
async fn a_request_goes_from_asker_to_owner_and_back() {
    let home = home();
    let (asker, driver) = (open(home.path()).await, open(home.path()).await);
    assert!(asker.ask(request("b", 20)).await.unwrap());
    assert!(asker.ask(request("a", 10)).await.unwrap());
    assert!(!asker.ask(request("a", 30)).await.unwrap(), "one id asks once");
    let taken = driver.take_request(4, 40).await.unwrap().unwrap();
    assert_eq!((taken.id.as_str(), taken.taken_by), ("a", Some(4)));
    let answer = serde_json::json!({"cycle_id": "c1"});
    assert!(!driver.answer_request("a", 3, RequestState::Done, answer.clone(), 50).await.unwrap());
    assert!(driver.answer_request("a", 4, RequestState::Done, answer.clone(), 50).await.unwrap());
    assert!(!driver.answer_request("a", 4, RequestState::Refused, answer.clone(), 60).await.unwrap());
    let seen = asker.request("a").await.unwrap().unwrap();
    assert_eq!((seen.state, seen.answer, seen.ended_at_ms), (RequestState::Done, Some(answer), Some(50)));
    let open: Vec<_> = asker.open_requests().await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(open, ["b"]);
    assert_eq!(asker.forget_requests(51).await.unwrap(), 1);
    assert_eq!(asker.request("a").await.unwrap(), None);
    assert!(asker.answer_request("b", 4, RequestState::Pending, serde_json::json!(null), 60).await.is_err());
}

#[tokio::test]
async fn what_a_dead_owner_took_is_asked_again_of_the_next() {
    let home = home();
    let journal = open(home.path()).await;
    journal.ask(request("a", 10)).await.unwrap();
    journal.take_request(1, 20).await.unwrap().unwrap();
    assert_eq!(journal.take_request(2, 30).await.unwrap(), None);
    assert_eq!(journal.return_requests(2).await.unwrap(), 1);
    assert_eq!(journal.take_request(2, 40).await.unwrap().unwrap().id, "a");
}
