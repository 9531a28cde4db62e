//! SIGKILL once in each stage: a restart brings the cycle to the same end, and nothing happens twice.

use crate::shop::{A_CYCLE, Shop};
use att_process::Exit;
use std::os::unix::process::ExitStatusExt as _;

const REASON: &str = "the checkout is down";

/// Runs `att` until SIGKILL ends it at `point`; a point that is never met fails the test.
async fn dies_at(shop: &Shop, arguments: &[&str], point: &str) {
    let mut driver = shop.start(arguments, &[("ATT_CRASH_AT", point)]);
    let ended = tokio::time::timeout(A_CYCLE, driver.wait()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{point} was never met")).unwrap();
    assert_eq!(ended.signal(), Some(9), "{point} was never met: {ended}");
}

/// Dies at each of `moments` of `state` while `att release run` drives, each time in a home of its own.
async fn killed_while_releasing(state: &str, moments: &[&str]) {
    futures::future::join_all(moments.iter().map(async |moment| {
        let shop = Shop::open().await;
        let point = format!("{state}:{moment}");
        let request = shop.request(serde_json::json!({})).display().to_string();
        let arguments = ["release", "run", &request, "--project", "demo-shop"];
        dies_at(&shop, &arguments, &point).await;
        shop.watch_until("awaiting_approval").await;
        let approved = shop.approve("shop-v2", REASON).await;
        assert!(approved.success(), "{point}: {}", approved.stdout);
        shop.assert_rolled_back_once().await;
    }))
    .await;
}

/// Dies at each of `moments` of `state` while `att decision approve` drives.
async fn killed_while_rolling_back(state: &str, moments: &[&str]) {
    futures::future::join_all(moments.iter().map(async |moment| {
        let shop = Shop::open().await;
        let point = format!("{state}:{moment}");
        assert_eq!(shop.release().await.exit.code, Some(3));
        let died = shop.approve_with("shop-v2", REASON, &[("ATT_CRASH_AT", &point)]).await;
        assert_eq!(died.exit, Exit { code: None, signal: Some(9) }, "{point} was never met: {}", died.stdout);
        shop.watch_until("rolled_back").await;
        shop.assert_rolled_back_once().await;
    }))
    .await;
}

macro_rules! killed_in {
    ($($name:ident: $driver:ident($state:literal, $moments:expr);)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $driver($state, &$moments).await;
        }
    )*};
}

killed_in! {
    killed_while_queued_it_ends_the_same: killed_while_releasing("queued", ["done", "committed"]);
    killed_while_preparing_it_ends_the_same: killed_while_releasing("preparing", ["done", "committed"]);
    killed_while_changing_it_ends_the_same: killed_while_releasing("changing", ["done", "committed"]);
    killed_while_testing_it_ends_the_same: killed_while_releasing("testing", ["intent", "done", "committed"]);
    killed_while_committing_it_makes_one_commit: killed_while_releasing("committing", ["intent", "done", "committed"]);
    killed_while_pushing_it_pushes_once: killed_while_releasing("pushing", ["intent", "done", "committed"]);
    killed_while_passing_over_the_pr_it_ends_the_same: killed_while_releasing("opening_pr", ["done", "committed"]);
    killed_while_awaiting_ci_it_ends_the_same: killed_while_releasing("awaiting_ci", ["intent", "done", "committed"]);
    killed_while_merging_it_merges_once: killed_while_releasing("merging", ["intent", "done", "committed"]);
    killed_while_readying_it_ends_the_same: killed_while_releasing("readying", ["done", "committed"]);
    killed_while_deploying_it_deploys_once: killed_while_releasing("deploying", ["intent", "done", "committed"]);
    killed_while_watching_it_ends_the_same: killed_while_releasing("watching", ["done", "committed"]);
    killed_while_checking_health_it_ends_the_same: killed_while_releasing("health_checking", ["done", "committed"]);
    killed_while_deciding_it_asks_once: killed_while_releasing("deciding", ["done", "committed"]);
    killed_while_rolling_back_it_rolls_back_once: killed_while_rolling_back("rolling_back", ["intent", "done", "committed"]);
    killed_while_verifying_it_rolls_back_once: killed_while_rolling_back("verifying_rollback", ["done", "committed"]);
}

/// The deploy command is in the middle of its work when the driver dies: it goes on, and the next driver follows it.
#[tokio::test]
async fn a_deploy_under_way_outlives_its_driver_and_is_followed_by_the_next() {
    let shop = Shop::open().await;
    let request = shop.request(serde_json::json!({})).display().to_string();
    let arguments = ["release", "run", &request, "--project", "demo-shop"];
    let mut driver = shop.start(&arguments, &[("PATH", &shop.drowsy_path())]);
    shop.is_asleep().await;
    driver.kill().await.unwrap();
    assert!(shop.went_live().is_empty(), "the deploy is not over");
    shop.wake();
    shop.watch_until("awaiting_approval").await;
    let approved = shop.approve("shop-v2", REASON).await;
    assert!(approved.success(), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
}

#[tokio::test]
async fn a_cycle_whose_every_driver_dies_one_stage_further_ends_the_same() {
    let shop = Shop::open().await;
    let request = shop.request(serde_json::json!({})).display().to_string();
    let run = ["release", "run", &request, "--project", "demo-shop"];
    let states = [
        "preparing",
        "changing",
        "testing",
        "committing",
        "pushing",
        "awaiting_ci",
        "merging",
        "readying",
        "deploying",
        "watching",
        "health_checking",
        "deciding",
    ];
    for (n, state) in states.iter().enumerate() {
        let point = format!("{state}:done");
        let arguments = if n == 0 { &run[..] } else { &["watch"] };
        dies_at(&shop, arguments, &point).await;
    }
    shop.watch_until("awaiting_approval").await;
    let approved = shop.approve("shop-v2", REASON).await;
    assert!(approved.success(), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
}
