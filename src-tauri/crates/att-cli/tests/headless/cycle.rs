//! The demo release from a terminal: it fails its health check, and a person says what becomes of it.

use crate::shop::Shop;
use serde_json::{Value, json};

const REASON: &str = "the checkout is down";

fn stage<'a>(cycle: &'a Value, name: &str) -> &'a str {
    let stages = cycle["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["stage"] == name).unwrap()["state"].as_str().unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_sick_release_waits_for_a_person_and_is_rolled_back_on_their_word() {
    let shop = Shop::open().await;
    let run = shop.release().await;
    assert_eq!(run.exit.code, Some(3), "{}{}", run.stdout, run.stderr);
    let told: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains(" passed") || line.contains(" failed"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let order = [
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
    assert_eq!(told, order, "{}", run.stdout);
    let cycle = shop.cycle().await;
    assert_eq!(stage(&cycle, "opening_pr"), "not_run");
    assert_eq!(stage(&cycle, "health_checking"), "failed");
    assert_ne!(shop.live(), "shop-v2");

    let approved = shop.approve("shop-v2", REASON).await;
    assert_eq!(approved.exit.code, Some(0), "{}", approved.stdout);
    shop.assert_rolled_back_once().await;
    let listed = shop.home.att_json(&["release", "list"]).await;
    let target = &listed["targets"][0];
    assert_eq!(target["live_release_id"], "shop-v2");
    assert_eq!(target["live_cycle_id"], Value::Null);
    let chain = target["chain"].as_array().unwrap();
    let links: Vec<_> =
        chain.iter().map(|link| (link["kind"].as_str().unwrap(), link["live"] == true)).collect();
    assert_eq!(links, [("rollback", true), ("deploy", false), ("adopted", false), ("adopted", false)]);
    assert_eq!(chain[0]["release_id"], "shop-v2");
    for (newer, older) in chain.iter().zip(&chain[1..]) {
        assert_eq!(newer["predecessor"], older["id"], "the chain is its links");
    }

    let again = shop.approve("shop-v2", REASON).await;
    assert_eq!(again.exit.code, Some(3), "{}", again.stdout);
    shop.assert_rolled_back_once().await;
}

#[tokio::test]
async fn a_decision_tells_its_rule_its_facts_and_its_plan_to_programs() {
    let shop = Shop::open().await;
    shop.release().await;
    let list = shop.home.att_json(&["decision", "list"]).await;
    assert_eq!(list["interruptions"][0]["kind"], "approval_requested");
    let id = list["decisions"][0]["id"].as_str().unwrap().to_owned();
    let shown = shop.home.att_json(&["decision", "show", &id]).await;
    assert_eq!(
        keys(&shown),
        [
            "decision",
            "facts",
            "guardrails",
            "sources",
            "would_allow_if",
            "diff",
            "plan",
            "approval",
            "history"
        ]
    );
    let decision = &shown["decision"];
    let new = shop.live();
    let expected = [
        ("id", json!(id)),
        ("version", json!(1)),
        ("state", json!("awaiting_approval")),
        ("target", json!("demo-shop/shop")),
        ("rule", json!(6)),
        ("deployed_release_id", json!(new)),
        ("rollback_target_release_id", json!("shop-v2")),
        ("release_metadata_source", json!("ledger")),
        ("rollback_policy_status", json!("allowed")),
        ("rollback_policy_reason", json!("rollback_target_validated")),
        ("rollback_target_valid", json!(true)),
        ("rollback_failure_class", json!("health_failure")),
        ("rollback_deployment_context", json!("external")),
        ("rollback_performed", json!(false)),
        ("rollback_succeeded", Value::Null),
    ];
    for (key, value) in expected {
        assert_eq!(decision[key], value, "{key}");
    }
    assert_eq!(decision["digest"].as_str().unwrap().len(), 64);
    for fact in shown["facts"].as_array().unwrap() {
        assert_eq!(keys(fact), ["id", "value", "source", "observed_at_ms", "stable"]);
    }
    assert_eq!(shown["guardrails"].as_array().unwrap().len(), 13);
    let sources: Vec<_> =
        shown["sources"].as_array().unwrap().iter().map(|row| row["source"].clone()).collect();
    assert_eq!(sources, ["ledger", "runtime_log", "git"]);
    assert_eq!(shown["diff"]["commits"][0]["subject"], "Check out in one click");
    assert_eq!(shown["diff"]["files"][0]["path"], "app/health.json");
    assert_eq!(shown["plan"][0]["argv"][1], "deploy/rollback.sh");
    assert_eq!(shown["approval"]["state"], "requested");
}

#[tokio::test]
async fn a_rejected_rollback_leaves_the_release_and_blocks_the_target() {
    let shop = Shop::open().await;
    shop.release().await;
    let id = shop.decision_id().await;
    let rejected = shop.home.att_on_terminal(&["decision", "reject", &id], &["we fix it forward"]).await;
    assert_eq!(rejected.exit.code, Some(0), "{}", rejected.stdout);
    let cycle = shop.cycle().await;
    assert_eq!(cycle["summary"]["state"], "denied");
    let shown = shop.home.att_json(&["decision", "show", &id]).await;
    assert_eq!(shown["decision"]["state"], "rejected");
    assert_eq!(shown["approval"]["reason"], "we fix it forward");
    assert_eq!(shop.went_live().len(), 1, "nothing was rolled back");

    let next = shop.release_with(json!({"content": "{\"status\": \"ok\", \"build\": 4}\n"})).await;
    assert_eq!(next.exit.code, Some(3), "{}{}", next.stdout, next.stderr);
    assert!(next.stderr.contains("acknowledge"), "{}", next.stderr);
    assert_eq!(shop.went_live().len(), 1);
    let approved = shop.approve("shop-v2", REASON).await;
    assert_eq!(approved.exit.code, Some(3), "a rejected one cannot be approved: {}", approved.stdout);
    assert_eq!(shop.went_live().len(), 1);
    shop.home.assert_journal_whole().await;
}

#[tokio::test]
async fn a_sound_release_succeeds_and_asks_nobody() {
    let shop = Shop::open().await;
    let run = shop.release_with(json!({"content": "{\"status\": \"ok\", \"build\": 3}\n"})).await;
    assert_eq!(run.exit.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(shop.state().await, "succeeded");
    assert_eq!(shop.went_live(), [shop.live()]);
    let waiting = shop.home.att_json(&["decision", "list"]).await;
    assert_eq!(waiting["interruptions"], json!([]));
    assert_eq!(waiting["decisions"], json!([]));
}

#[tokio::test]
async fn a_rollback_that_fails_is_said_to_have_failed_and_blocks_the_target() {
    let shop = Shop::open().await;
    shop.release().await;
    let sick = shop.live();
    // The rollback's last step, `mv` over the link, cannot replace a link by a folder.
    std::fs::create_dir(shop.home.path().join("demo/site/current.new")).unwrap();
    let approved = shop.approve("shop-v2", REASON).await;
    assert_eq!(approved.exit.code, Some(1), "{}", approved.stdout);
    assert_eq!(shop.live(), sick);
    assert_eq!(shop.state().await, "rollback_failed");
    std::fs::remove_dir_all(shop.home.path().join("demo/site/current.new")).unwrap();
    let waiting = shop.home.att_json(&["decision", "list"]).await;
    assert_eq!(waiting["interruptions"][0]["kind"], "rollback_failed");
    let next = shop.release_with(json!({"content": "{\"status\": \"ok\", \"build\": 4}\n"})).await;
    assert_eq!(next.exit.code, Some(3), "{}{}", next.stdout, next.stderr);
    assert!(next.stderr.contains("att target ack"), "{}", next.stderr);

    let unseen = shop.home.att(&["target", "ack", "demo-shop/shop"]).await;
    assert_eq!(unseen.exit.code, Some(3), "without a terminal nobody has seen it: {}", unseen.stderr);
    let seen = shop
        .home
        .att_on_terminal(&["target", "ack", "demo-shop/shop"], &["seen, the link was in the way"])
        .await;
    assert_eq!(seen.exit.code, Some(0), "{}", seen.stdout);
    let next = shop.release_with(json!({"content": "{\"status\": \"ok\", \"build\": 5}\n"})).await;
    assert_eq!(next.exit.code, Some(0), "{}{}", next.stdout, next.stderr);
    shop.home.assert_journal_whole().await;
}

#[tokio::test]
async fn two_people_who_approve_at_once_make_one_rollback() {
    let shop = Shop::open().await;
    shop.release().await;
    let (one, other) = tokio::join!(shop.approve("shop-v2", REASON), shop.approve("shop-v2", REASON));
    let codes = [one.exit.code, other.exit.code];
    assert!(codes.contains(&Some(0)), "{codes:?}\n{}\n{}", one.stdout, other.stdout);
    shop.reaches("rolled_back").await;
    shop.assert_rolled_back_once().await;
    let id = shop.decision_id().await;
    let shown = shop.home.att_json(&["decision", "show", &id]).await;
    assert_eq!(shown["approval"]["state"], "consumed");
}

#[tokio::test]
async fn a_world_that_changed_since_the_question_refuses_the_approval() {
    let shop = Shop::open().await;
    shop.release().await;
    let id = shop.decision_id().await;
    // Somebody else put another release live.
    let link = shop.home.path().join("demo/site/current");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("releases/shop-v1", &link).unwrap();
    let approved = shop.approve("shop-v2", REASON).await;
    assert_eq!(approved.exit.code, Some(1), "{}", approved.stdout);
    assert!(approved.stdout.contains("shop-v1 runs on the target now"), "{}", approved.stdout);
    assert_eq!(shop.live(), "shop-v1");
    let shown = shop.home.att_json(&["decision", "show", &id]).await;
    assert_ne!(shown["decision"]["state"], "executing");
    assert_eq!(shop.went_live().len(), 1, "nothing was rolled back");
    shop.home.assert_journal_whole().await;
}
