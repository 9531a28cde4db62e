//! The Releases and Decisions views of the real window: a bad release rolled back by a click.

use crate::support::{TestHome, eventually};
use crate::window::Window;
use serde_json::Value;
use std::time::Duration;

const CYCLE: Duration = Duration::from_secs(90);

/// Clicks "Run the demo release" and follows the cycle to its decision. Answers the decision's id.
async fn run_to_decision(window: &Window, home: &TestHome) -> String {
    window.click("nav-releases").await;
    window.wait_attribute("chain-row-shop-v2", "data-live", &["true"], CYCLE).await;
    window.click("run-demo-release").await;
    window.find("cycle-state").await;
    for stage in
        ["preparing", "testing", "committing", "pushing", "merging", "readying", "deploying", "watching"]
    {
        window.wait_attribute(&format!("cycle-stage-{stage}"), "data-state", &["passed"], CYCLE).await;
    }
    window.wait_attribute("cycle-stage-health_checking", "data-state", &["failed"], CYCLE).await;
    // Skipped or not run, never passed: there is no PR host.
    let pr = window.attribute("cycle-stage-opening_pr", "data-state").await;
    assert!(matches!(pr.as_deref(), Some("not_run" | "skipped")), "{pr:?}");
    window.shots("cycle").await;
    window.click("cycle-decision-link").await;
    window.wait_attribute("decision-card", "data-state", &["awaiting_approval"], CYCLE).await;
    let decisions = home.att_json(&["decision", "list"]).await;
    decisions["decisions"][0]["id"].as_str().unwrap().to_owned()
}

async fn confirm_is_on(window: &Window) -> bool {
    window.script("return !document.querySelector('[data-testid=confirm-rollback]').disabled", vec![]).await
        == Value::Bool(true)
}

/// Confirm stays off for long enough to be sure of it.
async fn assert_confirm_stays_off(window: &Window) {
    for _ in 0..8 {
        assert!(!confirm_is_on(window).await, "Confirm must be off");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn window_a_bad_release_is_rolled_back_by_a_click_and_the_journal_verifies() {
    let home = TestHome::demo().await;
    let window = Window::open(&home).await;
    let decision = run_to_decision(&window, &home).await;

    assert_eq!(window.attribute("rule-fired", "data-rule").await.as_deref(), Some("6"));
    assert!(window.has("fact-running_release_id").await && window.has("guardrail-rollback_loop").await);
    assert!(window.text("plan-argv").await.contains("deploy/rollback.sh"));
    assert!(window.text("release-diff").await.contains("app/health.json"));

    window.shots("decision").await;

    // Confirm is off without reason, with too short a reason, and with a wrong id.
    assert_confirm_stays_off(&window).await;
    window.type_into("confirm-release-id", "shop-v2").await;
    assert_confirm_stays_off(&window).await;
    window.type_into("confirm-reason", "too short").await;
    assert_confirm_stays_off(&window).await;
    window.type_into("confirm-reason", "the checkout fails for everyone").await;
    window.type_into("confirm-release-id", "shop-v1").await;
    assert_confirm_stays_off(&window).await;
    let live = std::fs::read_link(home.path().join("demo/site/current")).unwrap();
    assert!(!live.ends_with("shop-v2"), "nothing was rolled back yet");

    window.type_into("confirm-release-id", "shop-v2").await;
    eventually("Confirm to be on", Duration::from_secs(10), async || {
        confirm_is_on(&window).await.then_some(())
    })
    .await;
    window.click("confirm-rollback").await;
    window.wait_attribute("decision-card", "data-state", &["succeeded"], CYCLE).await;
    let live = std::fs::read_link(home.path().join("demo/site/current")).unwrap();
    assert!(live.ends_with("shop-v2"), "{live:?}");
    window.shots("decision-done").await;

    window.click("nav-releases").await;
    eventually("shop-v2 live in the chain", Duration::from_secs(20), async || {
        let script = "return !!document.querySelector('[data-testid=chain-row-shop-v2][data-live=true][data-kind=rollback]')";
        (window.script(script, vec![]).await == Value::Bool(true)).then_some(())
    })
    .await;
    window.shots("releases").await;
    window.click("nav-decisions").await;
    window.shots("decisions").await;
    window.close().await;

    home.assert_journal_whole().await;
    let shown = home.att_json(&["decision", "show", &decision]).await;
    assert_eq!(shown["decision"]["state"], "succeeded");
    assert_eq!(shown["approval"]["state"], "consumed");
    assert_eq!(shown["approval"]["reason"], "the checkout fails for everyone");
}

#[tokio::test(flavor = "multi_thread")]
async fn window_a_rejected_rollback_leaves_the_release_live_and_is_acknowledged() {
    let home = TestHome::demo().await;
    let window = Window::open(&home).await;
    run_to_decision(&window, &home).await;
    window.type_into("confirm-reason", "we fix it forward instead").await;
    window.click("reject-decision").await;
    window.wait_attribute("decision-card", "data-state", &["rejected", "denied"], CYCLE).await;
    let live = std::fs::read_link(home.path().join("demo/site/current")).unwrap();
    assert!(!live.ends_with("shop-v2"), "nothing was rolled back");
    window.close().await;
    home.assert_journal_whole().await;
}
