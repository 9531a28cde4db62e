//! What a person answers, and what becomes of it.

use crate::house::{House, Setup, ann, assert_decided, assert_state};
use att_bootstrap::model::{ApprovalState, CycleState, DecisionState, InterruptionKind};
use att_bootstrap::store::CycleStore as _;
use att_bootstrap::{ApprovalRequest, EngineError, RollbackRequest};
use att_core::{Actor, ActorKind, Face};

#[tokio::test]
async fn an_external_rollback_waits_is_approved_runs_once_and_is_verified() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    assert_eq!((house.running().as_str(), house.effects()), ("r3", vec!["deploy r3".to_owned()]));
    let open = house.store.open_interruptions().await.unwrap();
    assert_eq!(open[0].kind, InterruptionKind::ApprovalRequested);
    let request = house.approval(&cycle).await;
    let executing = house.approve(request.clone()).await.unwrap();
    assert_eq!(executing.state, DecisionState::Executing);
    let twice = house.approve(request).await.unwrap_err();
    assert!(matches!(twice, EngineError::Refused(_)), "{twice}");
    house.run().await;
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::RolledBack);
    assert_eq!(
        (house.running().as_str(), house.effects()),
        ("r2", vec!["deploy r3".into(), "rollback r2".into()])
    );
    let decision = house.decision(&cycle).await;
    assert_decided(&decision, DecisionState::Succeeded, "rollback_target_validated");
    let approvals = house.store.approvals_of(&decision.id).await.unwrap();
    assert_eq!(approvals.len(), 1);
    assert_eq!(approvals[0].state, ApprovalState::Consumed);
    assert_eq!(approvals[0].actor.as_ref().unwrap().kind, ActorKind::Person);
    assert!(house.store.open_interruptions().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_clicks_at_once_make_one_execution() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let request = house.approval(&cycle).await;
    let (first, second) = tokio::join!(house.approve(request.clone()), house.approve(request));
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
    house.run().await;
    assert_eq!(house.effects(), ["deploy r3", "rollback r2"]);
}

#[tokio::test]
async fn a_rejected_rollback_ends_as_denied_and_nothing_runs() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let decision = house.decision(&cycle).await;
    house.engine.reject(&decision.id, decision.version, "we fix it forward", ann()).await.unwrap();
    house.run().await;
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::Denied);
    assert_eq!(cycle.result.rollback_policy_reason.as_deref(), Some("rejected"));
    assert_eq!(house.decision(&cycle).await.state, DecisionState::Rejected);
    assert_eq!(house.effects(), ["deploy r3"]);
    let late = house.approve(house.approval(&cycle).await).await.unwrap_err();
    assert!(matches!(late, EngineError::Refused(_)), "{late}");
}

#[tokio::test]
async fn what_a_person_got_wrong_is_refused_and_changes_nothing() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let good = house.approval(&cycle).await;
    let bad = [
        ApprovalRequest { reason: "because".into(), ..good.clone() },
        ApprovalRequest { reason: "          x          ".into(), ..good.clone() },
        ApprovalRequest { typed_release_id: Some("r1".into()), ..good.clone() },
        ApprovalRequest { typed_release_id: None, ..good.clone() },
        ApprovalRequest { version: good.version + 1, ..good.clone() },
        ApprovalRequest { digest: "0".repeat(64), ..good.clone() },
    ];
    let before = house.decision(&cycle).await;
    for request in bad {
        let refused = house.approve(request.clone()).await.unwrap_err();
        assert!(matches!(refused, EngineError::Refused(_)), "{request:?}: {refused}");
    }
    assert_eq!(house.decision(&cycle).await, before);
    assert!(house.approve(good).await.is_ok());
}

#[tokio::test]
async fn no_agent_no_engine_and_no_tool_approves_rejects_or_rolls_back() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let request = house.approval(&cycle).await;
    let actors = [
        Actor { kind: ActorKind::Agent, name: "bot".into(), face: Face::Mcp, pid: 2 },
        Actor { kind: ActorKind::Person, name: "bot".into(), face: Face::Mcp, pid: 2 },
        Actor { kind: ActorKind::Demo, name: "demo".into(), face: Face::Cli, pid: 2 },
        Actor::engine(2),
    ];
    for actor in actors {
        assert!(house.engine.approve(request.clone(), actor.clone()).await.is_err(), "{actor:?}");
        let reason = "it is what I want";
        let rejected =
            house.engine.reject(&request.decision_id, request.version, reason, actor.clone()).await;
        assert!(rejected.is_err(), "{actor:?}");
        let wish = RollbackRequest { target: house.target(), release_id: "r1".into(), linked_to: None };
        assert!(house.engine.plan_rollback(wish, actor).await.is_err());
    }
    assert_eq!(house.decision(&cycle).await.state, DecisionState::AwaitingApproval);
}

#[tokio::test]
async fn a_changed_world_supersedes_the_question_and_says_what_changed() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let request = house.approval(&cycle).await;
    std::fs::write(house.path("live/current"), "r1").unwrap();
    let error = house.approve(request.clone()).await.unwrap_err();
    let EngineError::Superseded { changed } = error else { panic!("{error}") };
    assert!(changed[0].contains("r1"), "{changed:?}");
    assert_eq!(house.cycle(&cycle.id).await.state, CycleState::Deciding);
    house.run().await;
    // Somebody else changed the target: that is no longer ours to roll back.
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::Denied);
    assert_decided(&house.decision(&cycle).await, DecisionState::Denied, "target_changed");
    assert_eq!(house.effects(), ["deploy r3"]);
}

#[tokio::test]
async fn a_release_that_was_quarantined_meanwhile_supersedes_the_question() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let request = house.approval(&cycle).await;
    house.engine.set_quarantine(&house.target(), "r2", true, "it leaks keys", ann()).await.unwrap();
    let error = house.approve(request).await.unwrap_err();
    assert!(error.to_string().contains("rollback_target_quarantined"), "{error}");
    house.run().await;
    let decision = house.decision(&cycle).await;
    assert_decided(&decision, DecisionState::Denied, "rollback_target_quarantined");
    assert!(decision.version > 1);
}

#[tokio::test]
async fn a_question_lapses_after_half_an_hour_and_is_put_again_not_extended() {
    let house = House::build(&Setup {
        manual_clock: true,
        more: "restart_watchdog_successes = 1\nhealth_check_retries = 0",
        ..Setup::default()
    })
    .await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    let clock = house.manual.clone().unwrap();
    let request = house.approval(&cycle).await;
    clock.advance(30 * 60 * 1000);
    let late = house.approve(request).await.unwrap_err();
    assert!(late.to_string().contains("lapsed"), "{late}");
    house.run().await;
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    assert_eq!(house.decision(&cycle).await.state, DecisionState::Expired);
    assert_eq!(house.store.open_interruptions().await.unwrap().len(), 1, "it still waits in the inbox");
    let before = house.decision(&cycle).await.version;
    house.engine.evaluate_again(&house.decision(&cycle).await.id, ann()).await.unwrap();
    house.run().await;
    let again = house.decision(&cycle).await;
    assert_eq!(again.state, DecisionState::AwaitingApproval);
    assert!(again.version > before);
    house.approve(house.approval(&cycle).await).await.unwrap();
    let states: Vec<_> =
        house.store.approvals_of(&again.id).await.unwrap().into_iter().map(|row| row.state).collect();
    assert_eq!(states, [ApprovalState::Expired, ApprovalState::Consumed]);
}

#[tokio::test]
async fn a_rollback_whose_command_fails_is_an_interruption_that_blocks_the_target() {
    let house = House::new("external").await;
    house.set("rollback-fails");
    let cycle = house.release("sick").await;
    house.approve(house.approval(&cycle).await).await.unwrap();
    house.run().await;
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::RollbackFailed);
    assert_eq!(house.decision(&cycle).await.state, DecisionState::Failed);
    let open = house.store.open_interruptions().await.unwrap();
    assert_eq!(open[0].kind, InterruptionKind::RollbackFailed);
    assert!(house.engine.submit(house.request("four"), ann()).await.is_err());
}

#[tokio::test]
async fn a_rollback_that_reports_success_but_changes_nothing_is_not_believed() {
    let house = House::new("external").await;
    house.set("rollback-does-nothing");
    let cycle = house.release("sick").await;
    house.approve(house.approval(&cycle).await).await.unwrap();
    house.run().await;
    let cycle = house.cycle(&cycle.id).await;
    assert_state(&cycle, CycleState::RollbackFailed);
    assert_eq!(cycle.result.rollback_succeeded, Some(false));
}

#[tokio::test]
async fn a_rollback_that_hangs_is_ended_by_its_timeout() {
    let house = House::build(&Setup { timeout_ms: 700, ..Setup::default() }).await;
    house.set("rollback-hangs");
    let cycle = house.release("sick").await;
    house.approve(house.approval(&cycle).await).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&cycle.id).await, CycleState::RollbackFailed);
}

#[tokio::test]
async fn the_denied_operator_chooses_another_release_by_a_linked_cycle() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let decision = house.decision(&cycle).await;
    house.engine.reject(&decision.id, decision.version, "not that one, r1", ann()).await.unwrap();
    let wish = RollbackRequest { target: house.target(), release_id: "r1".into(), linked_to: None };
    assert!(house.engine.plan_rollback(wish.clone(), ann()).await.is_err(), "not acknowledged yet");
    let wish = RollbackRequest { linked_to: Some(cycle.id.clone()), ..wish };
    let linked = house.engine.plan_rollback(wish, ann()).await.unwrap();
    house.run().await;
    house.approve(house.approval(&linked).await).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&linked.id).await, CycleState::RolledBack);
    assert_eq!(house.running(), "r1");
}
