//! One process per home drives; the others ask, follow, and take over when it dies.

use crate::shop::Shop;
use crate::support::eventually;
use serde_json::{Value, json};
use std::time::Duration;

async fn engine(shop: &Shop) -> Value {
    shop.home.att_json(&["servers"]).await["engine"].clone()
}

async fn is_driven_by(shop: &Shop, pid: Option<u32>) {
    let mut last = Value::Null;
    let what = format!("the engine of {pid:?} runs");
    eventually(&what, Duration::from_secs(20), async || {
        last = engine(shop).await;
        (last["running"] == true && last["pid"] == json!(pid)).then_some(())
    })
    .await;
    assert_eq!(last["face"], "cli");
}

/// The processes whose engine moved cycles, in order.
async fn drivers(shop: &Shop) -> Vec<u64> {
    let exported = shop.home.att(&["journal", "export"]).await.stdout;
    let entries = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut pids: Vec<u64> = entries
        .filter(|entry| entry["kind"] == "CycleMoved" && entry["actor"]["kind"] == "engine")
        .map(|entry| entry["actor"]["pid"].as_u64().unwrap())
        .collect();
    pids.dedup();
    pids
}

#[tokio::test]
async fn the_owner_drives_what_another_process_asks_for() {
    let shop = Shop::open().await;
    let none = json!({"running": false, "pid": null, "face": null});
    assert_eq!(engine(&shop).await, none);
    let mut owner = shop.start(&["watch"], &[]);
    let owner_pid = owner.id();
    is_driven_by(&shop, owner_pid).await;

    let run = shop.release().await;
    assert_eq!(run.exit.code, Some(3), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("health_checking      failed"), "the asker follows: {}", run.stdout);
    let approved = shop.approve("shop-v2", "the checkout is down").await;
    assert_eq!(approved.exit.code, Some(0), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
    assert_eq!(drivers(&shop).await, [u64::from(owner_pid.unwrap())], "nobody else moved the cycle");
    is_driven_by(&shop, owner_pid).await;

    let pid = rustix::process::Pid::from_raw(owner_pid.unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), owner.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    assert_eq!(engine(&shop).await, none);
}

#[tokio::test]
async fn a_killed_owner_is_replaced_in_the_middle_of_a_cycle() {
    let shop = Shop::open().await;
    let mut first = shop.start(&["watch"], &[("PATH", &shop.drowsy_path())]);
    is_driven_by(&shop, first.id()).await;
    let second = shop.start(&["watch"], &[]);
    let first_pid = u64::from(first.id().unwrap());

    let killer = async {
        shop.is_asleep().await;
        first.kill().await.unwrap();
        shop.wake();
    };
    let (run, ()) = tokio::join!(shop.release(), killer);
    assert_eq!(run.exit.code, Some(3), "{}{}", run.stdout, run.stderr);
    let drove = drivers(&shop).await;
    assert!(drove.len() > 1 && drove[0] == first_pid, "{drove:?}");
    assert_eq!(
        drove.iter().filter(|pid| **pid == first_pid).count(),
        1,
        "the dead do not come back: {drove:?}"
    );

    is_driven_by(&shop, second.id()).await;
    let approved = shop.approve("shop-v2", "the checkout is down").await;
    assert_eq!(approved.exit.code, Some(0), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
}

/// Whoever approved follows, and finishes what the killed owner had begun: the rollback's process outlived it.
#[tokio::test]
async fn a_rollback_under_way_outlives_its_killed_owner() {
    let shop = Shop::open().await;
    assert_eq!(shop.release().await.exit.code, Some(3));
    let mut owner = shop.start(&["watch"], &[("PATH", &shop.drowsy_path())]);
    is_driven_by(&shop, owner.id()).await;
    let killer = async {
        shop.is_asleep().await;
        owner.kill().await.unwrap();
        let live = shop.went_live().len();
        shop.wake();
        live
    };
    let (approved, live_when_killed) = tokio::join!(shop.approve("shop-v2", "the checkout is down"), killer);
    assert_eq!(live_when_killed, 1, "the rollback was not over when its owner was killed");
    assert_eq!(approved.exit.code, Some(0), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
}
