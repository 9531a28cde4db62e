//! What is refused, with which exit code, and that nothing changed by it.

use crate::shop::Shop;
use serde_json::json;

/// The decision still waits as it did, and the sick release still runs.
async fn assert_still_waits(shop: &Shop) {
    let id = shop.decision_id().await;
    let shown = shop.home.att_json(&["decision", "show", &id]).await;
    assert_eq!(shown["decision"]["state"], "awaiting_approval");
    assert_eq!(shown["decision"]["version"], 1);
    assert_eq!(shown["approval"]["state"], "requested");
    assert_eq!(shop.went_live().len(), 1, "no rollback ran");
}

#[tokio::test]
async fn an_approval_with_anything_wrong_changes_nothing() {
    let shop = Shop::open().await;
    shop.release().await;
    let id = shop.decision_id().await;

    let without = shop.home.att(&["decision", "approve", &id]).await;
    assert_eq!(without.exit.code, Some(3));
    assert!(without.stderr.contains("needs a person at a terminal"), "{}", without.stderr);
    assert_still_waits(&shop).await;

    let deployed = shop.live();
    for (typed, reason) in [
        ("shop-v1", "the checkout is down"),
        ("", "the checkout is down"),
        (&deployed, "the checkout is down"),
    ] {
        let wrong = shop.approve(typed, reason).await;
        assert_eq!(wrong.exit.code, Some(2), "typed `{typed}`: {}", wrong.stdout);
        assert_still_waits(&shop).await;
    }
    for reason in ["too short", "", "         x"] {
        let short = shop.approve("shop-v2", reason).await;
        assert_eq!(short.exit.code, Some(2), "reason `{reason}`: {}", short.stdout);
        assert_still_waits(&shop).await;
    }
    let unexplained = shop.home.att_on_terminal(&["decision", "reject", &id], &["no"]).await;
    assert_eq!(unexplained.exit.code, Some(2), "{}", unexplained.stdout);
    assert_still_waits(&shop).await;

    let second = shop.release_with(json!({"content": "{\"status\": \"ok\", \"build\": 4}\n"})).await;
    assert_eq!(second.exit.code, Some(3), "{}{}", second.stdout, second.stderr);
    assert!(second.stderr.contains("one live cycle at a time"), "{}", second.stderr);
    let cycles = shop.home.att_json(&["release", "list"]).await;
    assert_eq!(cycles["cycles"].as_array().unwrap().len(), 1, "one live cycle per target");
    assert_still_waits(&shop).await;
    shop.home.assert_journal_whole().await;
}

#[tokio::test]
async fn a_request_that_may_not_or_cannot_be_met_starts_no_cycle() {
    let shop = Shop::open().await;
    let refused = [
        (json!({"deployment_context": "self_hosted"}), 3, "deployment_context_mismatch"),
        (json!({"restart_watchdog_retries": 9}), 3, "policy_laxer_than_target"),
        (json!({"deploy_target": "moon"}), 2, "moon"),
        (json!({"file_path": "../outside"}), 2, "../outside"),
        (json!({"deploy_taget": "shop"}), 2, "deploy_taget"),
    ];
    for (more, code, word) in refused {
        let run = shop.release_with(more.clone()).await;
        assert_eq!(run.exit.code, Some(code), "{more}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(word), "{more}: {}", run.stderr);
    }
    let request = shop.request(json!({})).display().to_string();
    let unknown = shop.home.att(&["release", "run", &request, "--project", "nobody"]).await;
    assert_eq!(unknown.exit.code, Some(2));
    assert!(unknown.stderr.contains("there is no project `nobody`"), "{}", unknown.stderr);
    let missing = shop.home.att(&["release", "run", "/nowhere.json", "--project", "demo-shop"]).await;
    assert_eq!(missing.exit.code, Some(2));
    let cycles = shop.home.att_json(&["release", "list"]).await;
    assert_eq!(cycles["cycles"], json!([]));
    assert_eq!(shop.live(), "shop-v2");
}

#[tokio::test]
async fn a_decision_that_is_not_there_is_bad_input() {
    let shop = Shop::open().await;
    let shown = shop.home.att(&["decision", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).await;
    assert_eq!(shown.exit.code, Some(2), "{}", shown.stderr);
    assert!(shown.stderr.contains("att decision list"), "{}", shown.stderr);
}

#[tokio::test]
async fn an_approval_of_a_changed_world_is_refused_and_the_question_does_not_get_lost() {
    let shop = Shop::open().await;
    shop.release().await;
    let site = shop.home.path().join("demo/site");
    std::fs::remove_file(site.join("current")).unwrap();
    std::os::unix::fs::symlink("releases/shop-v1", site.join("current")).unwrap();

    let late = shop.approve("shop-v2", "the checkout is down").await;
    assert_eq!(late.exit.code, Some(1), "{}", late.stdout);
    assert!(late.stdout.contains("shop-v1 runs on the target now"), "{}", late.stdout);
    assert_eq!(shop.went_live().len(), 1, "no rollback ran");
    // Nobody else drives: the process that was refused evaluated anew before it left.
    assert_eq!(shop.state().await, "denied");
    let waits = shop.home.att_json(&["decision", "list"]).await;
    assert_eq!(waits["interruptions"][0]["kind"], "rollback_denied");
}
