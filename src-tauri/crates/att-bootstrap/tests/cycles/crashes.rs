//! The driver dies at any instant; a new one brings the cycle to the same end, and nothing happens twice.

use crate::house::{House, Setup, ann, assert_state};
use att_bootstrap::model::{CycleState, InterruptionKind, OperationPhase};
use att_bootstrap::store::{CycleStore as _, LeaseFence, LeaseOwner};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Drives until the cycle stands in `state`, then drops the driver in the middle of what it does.
async fn drop_in(house: &House, state: CycleState) {
    let stop = CancellationToken::new();
    let mut notices = house.engine.notices();
    let reached = async {
        loop {
            let live = house.store.live_cycles().await.unwrap();
            if live.iter().any(|cycle| cycle.state == state) {
                return;
            }
            let _ = notices.recv().await;
        }
    };
    tokio::select! {
        biased;
        () = reached => {}
        rest = Box::pin(house.engine.run_until_idle(&stop)) => { rest.unwrap(); }
    }
}

async fn dies_in(state: CycleState) {
    let mut house = House::new("self_hosted").await;
    let id = house.submit("sick").await;
    drop_in(&house, state).await;
    house.restart();
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_eq!(cycle.state, CycleState::RolledBack, "{:?}", cycle.failure);
    assert_eq!(house.effects(), ["deploy r3", "rollback r2"]);
    assert_eq!(house.running(), "r2");
    let operations = house.store.operations_of(&id).await.unwrap();
    assert!(operations.iter().all(|row| row.phase == OperationPhase::Finished));
    assert_eq!(house.remote(&["log", "--format=%s", "-2", "main"]), "Make it sick\nTwo");
}

macro_rules! dies_in {
    ($($name:ident: $state:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            dies_in(CycleState::$state).await;
        }
    )+};
}

// A driver that dies in any stage is replaced, nothing happens twice, and the cycle ends the same.
dies_in! {
    a_driver_that_dies_while_preparing_is_replaced: Preparing,
    a_driver_that_dies_while_testing_is_replaced: Testing,
    a_driver_that_dies_while_committing_is_replaced: Committing,
    a_driver_that_dies_while_pushing_is_replaced: Pushing,
    a_driver_that_dies_while_merging_is_replaced: Merging,
    a_driver_that_dies_while_readying_is_replaced: Readying,
    a_driver_that_dies_while_deploying_is_replaced: Deploying,
    a_driver_that_dies_while_watching_is_replaced: Watching,
    a_driver_that_dies_while_checking_health_is_replaced: HealthChecking,
    a_driver_that_dies_while_deciding_is_replaced: Deciding,
    a_driver_that_dies_while_rolling_back_is_replaced: RollingBack,
    a_driver_that_dies_while_verifying_is_replaced: VerifyingRollback,
}

#[tokio::test]
async fn when_the_deploys_runner_dies_too_nobody_guesses_and_a_person_is_asked() {
    let mut house = House::new("external").await;
    house.set("deploy-hangs");
    let id = house.submit("three").await;
    let stop = CancellationToken::new();
    let began = async {
        while house.effects().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = began => {}
        rest = Box::pin(house.engine.run_until_idle(&stop)) => panic!("it ended early: {rest:?}"),
    }
    let operation = house.cycle(&id).await.operation_id.unwrap();
    let started = house.path("home/run/operations").join(operation.as_str()).join("started");
    let pid = std::fs::read_to_string(started).unwrap();
    crate::house::sh(&house.path("live"), &format!("kill -9 {}", pid.trim()));
    house.restart();
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::NeedsOperator);
    assert_eq!(house.store.open_interruptions().await.unwrap()[0].kind, InterruptionKind::OperatorNeeded);
    let operation = house.store.operation(&operation).await.unwrap().unwrap();
    assert!(operation.outcome.unwrap().unknown);
    let reason = "I looked: r2 answers";
    let next = CycleState::Deciding;
    house.engine.state_outside(&id, Some("r2".into()), next, reason, ann()).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::Denied);
    assert_eq!(house.effects(), ["deploy r3"]);
}

#[tokio::test]
async fn a_driver_that_lost_its_lease_writes_nothing_any_more() {
    let house = House::new("external").await;
    let id = house.submit("three").await;
    let owner = |pid| LeaseOwner { pid, face: "cli".into(), host: "here".into() };
    let now_ms = house.clock.now_ms();
    let lease = house.store.acquire_lease("engine", &owner(1), now_ms, 60_000, false).await.unwrap().unwrap();
    let mine = LeaseFence { name: lease.name, epoch: lease.epoch };
    let fenced = crate::house::engine_with(&house.store, &house.clock, &house.path("home"), Some(mine));
    house.store.acquire_lease("engine", &owner(2), now_ms, 60_000, true).await.unwrap().unwrap();
    let error = Box::pin(fenced.run_until_idle(&CancellationToken::new())).await.unwrap_err();
    assert!(error.is_lease_lost(), "{error}");
    assert_state(&house.cycle(&id).await, CycleState::Queued);
}

#[tokio::test]
async fn a_deploy_outlives_its_driver_and_is_followed_by_the_next_one() {
    let mut house = House::new("external").await;
    house.set("deploy-slow");
    let id = house.submit("three").await;
    let stop = CancellationToken::new();
    let began = async {
        while house.effects().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = began => {}
        rest = Box::pin(house.engine.run_until_idle(&stop)) => panic!("it ended early: {rest:?}"),
    }
    assert_eq!(house.cycle(&id).await.state, CycleState::Deploying);
    house.restart();
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Succeeded);
    assert_eq!(house.effects(), ["deploy r3"]);
    assert_eq!(cycle.resumes, 1);
}

#[tokio::test]
async fn a_cycle_that_is_taken_up_too_often_is_given_to_a_person() {
    let mut house = House::new("external").await;
    house.set("deploy-slow");
    let id = house.submit("three").await;
    drop_in(&house, CycleState::Testing).await;
    let at = house.cycle(&id).await;
    let mut tired = at.clone();
    tired.version += 1;
    tired.resumes = 28;
    let change = att_bootstrap::store::CycleChange { expected_version: Some(at.version), row: tired };
    let changes = att_bootstrap::store::Changes { cycle: Some(change), ..Default::default() };
    house.store.commit(changes).await.unwrap();
    house.restart();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::NeedsOperator);
    let engine = &house.engine;
    let reason = "nothing was deployed";
    engine.state_outside(&id, Some("r2".into()), CycleState::Failed, reason, ann()).await.unwrap();
    assert_state(&house.cycle(&id).await, CycleState::Failed);
    assert!(house.store.open_interruptions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cycle_stopped_before_its_deploy_is_cancelled_and_one_stopped_during_it_is_decided_about() {
    for (at, wanted) in
        [(CycleState::Testing, CycleState::Cancelled), (CycleState::Deploying, CycleState::Denied)]
    {
        let tests = "sleep 1";
        let house = House::build(&Setup { tests, ..Setup::default() }).await;
        house.set("deploy-hangs");
        let id = house.submit("three").await;
        let stop = CancellationToken::new();
        let began = std::time::Instant::now();
        // Another process of the operator's: it shares only the journal.
        let other = crate::house::engine(&house.store, &house.clock, &house.path("home"));
        let canceller = async {
            loop {
                let state = house.cycle(&id).await.state;
                if state == at && (at == CycleState::Testing || !house.effects().is_empty()) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    return other.cancel(&id, ann(), "wrong branch").await;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (rest, cancelled) = tokio::join!(Box::pin(house.engine.run_until_idle(&stop)), canceller);
        rest.unwrap();
        cancelled.unwrap();
        let cycle = house.cycle(&id).await;
        assert_state(&cycle, wanted);
        if wanted == CycleState::Denied {
            assert_eq!(cycle.failure.unwrap().cause, "operator_cancel");
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(house.running(), "r2");
    }
}

#[tokio::test]
async fn a_home_that_lost_its_clone_asks_a_person_instead_of_going_in_circles() {
    let mut house = House::new("external").await;
    let id = house.submit("three").await;
    drop_in(&house, CycleState::Testing).await;
    std::fs::remove_dir_all(house.path("home/worktrees/shop.git")).unwrap();
    house.restart();
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::NeedsOperator);
    assert_eq!(house.store.open_interruptions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn faces_that_fetch_at_once_do_not_fail_each_other() {
    let house = House::new("external").await;
    let project = house.store.projects().await.unwrap().remove(0);
    let world = house.engine.world();
    let fetches = (0..6).map(|_| Box::pin(world.fetch(&project)));
    for fetched in futures::future::join_all(fetches).await {
        fetched.unwrap();
    }
}
