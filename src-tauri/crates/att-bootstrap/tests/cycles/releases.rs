//! From a change to a release, and what policy makes of its failure.

use crate::house::{House, Setup, ann, assert_decided, assert_state, stage};
use att_bootstrap::model::{
    CycleState, DecisionState, DeploymentKind, FailureClass, GateStatus, GuardrailId, GuardrailOutcome,
    InterruptionKind, ReleaseHealth, RollbackPolicyStatus, SourceKind, SourceOutcome, StageOutcome,
    WaitingFor,
};
use att_bootstrap::request::CycleRequest;
use att_bootstrap::store::CycleStore as _;
use att_bootstrap::{EngineError, RollbackRequest};

#[tokio::test]
async fn a_good_change_goes_from_branch_to_a_healthy_release() {
    let house = House::new("external").await;
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::Succeeded);
    assert_eq!((house.running().as_str(), house.effects()), ("r3", vec!["deploy r3".to_owned()]));
    assert_eq!(house.chain().await, ["r3", "r2", "r1"]);
    let head = cycle.head_commit.clone().unwrap();
    assert_eq!(house.remote(&["rev-parse", "main"]), head);
    assert_eq!(house.remote(&["rev-parse", &cycle.branch]), head);
    assert!(house.remote(&["log", "-1", "--format=%B", "main"]).contains("ATT-Operation: "));
    for (name, outcome) in [
        ("testing", StageOutcome::Passed),
        ("opening_pr", StageOutcome::NotRun),
        ("awaiting_ci", StageOutcome::Skipped),
        ("merging", StageOutcome::Passed),
        ("deploying", StageOutcome::Passed),
        ("watching", StageOutcome::Passed),
        ("health_checking", StageOutcome::Passed),
        ("deciding", StageOutcome::NotRun),
    ] {
        assert_eq!(stage(&cycle, name), outcome, "{name}");
    }
    assert_eq!(cycle.previous_release_id.as_deref(), Some("r2"));
    assert_eq!(cycle.result.health_status, GateStatus::Passed);
    assert_eq!(cycle.result.rollback_policy_status, RollbackPolicyStatus::NotEvaluated);
    assert!(cycle.result.merged);
    let target = house.store.target(&house.target()).await.unwrap().unwrap();
    assert_eq!((target.generation, target.current_release_id.as_deref()), (3, Some("r3")));
    let release = house.store.release(&house.target(), "r3").await.unwrap().unwrap();
    assert_eq!((release.health, release.commit), (ReleaseHealth::Healthy, Some(head)));
    let card: Vec<_> = cycle
        .readiness
        .iter()
        .map(|card| (card.failure_class, card.allowed, card.needs_person, card.target_release_id.as_deref()))
        .collect();
    assert_eq!(
        card,
        [
            (FailureClass::DeployFailure, false, false, Some("r2")),
            (FailureClass::RestartWatchdogFailure, true, true, Some("r2")),
            (FailureClass::HealthFailure, true, true, Some("r2")),
        ]
    );
    let logs = house.store.output_logs(&cycle.id).await.unwrap();
    let deploy = logs.iter().find(|log| log.stage.as_str() == "deploying").unwrap();
    assert!(deploy.tail.contains("deployed"));
    assert!(house.path("home").join(&deploy.path).is_file());
    let status = house.path("checkout");
    assert_eq!(
        std::fs::read_to_string(status.join("app.txt")).unwrap(),
        "two\n",
        "the checkout is untouched"
    );
}

#[tokio::test]
async fn a_change_whose_tests_fail_never_leaves_the_house() {
    let house = House::build(&Setup { tests: "grep -q good app.txt", ..Setup::default() }).await;
    let cycle = house.release("bad").await;
    assert_state(&cycle, CycleState::Failed);
    assert_eq!(cycle.failure.as_ref().unwrap().cause, "tests_failed");
    assert_eq!(stage(&cycle, "committing"), StageOutcome::NotRun);
    assert_eq!((house.running().as_str(), house.effects().len()), ("r2", 0));
    assert_eq!(house.remote(&["branch", "--list", "att/*"]), "");
    assert!(house.store.open_interruptions().await.unwrap().is_empty());
}

#[tokio::test]
async fn tests_see_no_token_of_ours_and_their_leftovers_are_not_committed() {
    let tests = "touch leftover; test -z \"$ATT_GUARD$SECRET_TOKEN$CARGO_MANIFEST_DIR\"";
    let house = House::build(&Setup { tests, ..Setup::default() }).await;
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the variable that must not be passed on");
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::Succeeded);
    assert_eq!(house.remote(&["ls-tree", "--name-only", "main", "leftover"]), "");
}

#[tokio::test]
async fn a_self_hosted_release_that_fails_its_health_gate_is_rolled_back_without_a_person() {
    let house = House::new("self_hosted").await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::RolledBack);
    assert_decided(&house.decision(&cycle).await, DecisionState::Succeeded, "rollback_target_validated");
    assert_eq!(
        (house.running().as_str(), house.effects()),
        ("r2", vec!["deploy r3".into(), "rollback r2".into()])
    );
    assert_eq!(house.chain().await, ["r2", "r3", "r2", "r1"]);
    let head = &house.store.chain(&house.target(), 1).await.unwrap()[0];
    assert_eq!(head.kind, DeploymentKind::Rollback);
    assert_eq!(cycle.result.rollback_succeeded, Some(true));
    assert_eq!(cycle.result.rollback_failure_class, Some(FailureClass::HealthFailure));
    assert!(house.store.open_interruptions().await.unwrap().is_empty());
    let release = house.store.release(&house.target(), "r3").await.unwrap().unwrap();
    assert_eq!(release.health, ReleaseHealth::Unhealthy);
}

async fn fails(context: &'static str, change: &str, flag: Option<&str>, state: CycleState, reason: &str) {
    let house = House::new(context).await;
    if let Some(flag) = flag {
        house.set(flag);
    }
    let cycle = house.release(change).await;
    assert_state(&cycle, state);
    let decision = house.decision(&cycle).await;
    assert_eq!(decision.reason, reason);
    assert_eq!(cycle.result.rollback_failure_class, Some(decision.failure_class));
    let rolled_back = house.effects().iter().any(|line| line.starts_with("rollback"));
    assert_eq!(rolled_back, state == CycleState::RolledBack);
    let release = house.store.release(&house.target(), "r3").await.unwrap().unwrap();
    assert_eq!(release.health, ReleaseHealth::Unhealthy);
}

#[tokio::test]
async fn a_failed_deploy_in_self_hosted_is_denied_by_its_switch() {
    let reason = "rollback_disabled_for_deploy_failure";
    fails("self_hosted", "three", Some("deploy-fails-late"), CycleState::Denied, reason).await;
}

#[tokio::test]
async fn a_failed_deploy_in_external_is_denied_by_its_switch() {
    let reason = "rollback_disabled_for_deploy_failure";
    fails("external", "three", Some("deploy-fails-late"), CycleState::Denied, reason).await;
}

#[tokio::test]
async fn a_failed_watchdog_in_self_hosted_is_rolled_back() {
    fails("self_hosted", "crashing", None, CycleState::RolledBack, "rollback_target_validated").await;
}

#[tokio::test]
async fn a_failed_watchdog_in_external_asks_a_person() {
    fails("external", "crashing", None, CycleState::AwaitingApproval, "rollback_target_validated").await;
}

#[tokio::test]
async fn a_failed_health_gate_in_external_asks_a_person() {
    fails("external", "sick", None, CycleState::AwaitingApproval, "rollback_target_validated").await;
}

#[tokio::test]
async fn a_self_hosted_target_that_wants_to_be_asked_is_asked() {
    let setup = Setup { context: "self_hosted", more: "always_ask = true", ..Setup::default() };
    let house = House::build(&setup).await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    let request = house.approval(&cycle).await;
    let request = att_bootstrap::ApprovalRequest { typed_release_id: None, ..request };
    house.approve(request).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&cycle.id).await, CycleState::RolledBack);
}

#[tokio::test]
async fn a_failed_deploy_whose_switch_is_on_is_rolled_back_when_it_changed_what_runs() {
    let more = "rollback_on_deploy_failure = true";
    let house = House::build(&Setup { context: "self_hosted", more, ..Setup::default() }).await;
    house.set("deploy-fails-late");
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::RolledBack);
    assert_eq!((house.running().as_str(), house.effects().len()), ("r2", 2));
}

#[tokio::test]
async fn a_deploy_that_changed_nothing_is_not_rolled_back() {
    let more = "rollback_on_deploy_failure = true";
    let house = House::build(&Setup { context: "self_hosted", more, ..Setup::default() }).await;
    house.set("deploy-fails-early");
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::Denied);
    assert_decided(&house.decision(&cycle).await, DecisionState::Denied, "nothing_deployed_by_this_cycle");
    assert_eq!(house.effects(), ["deploy r3"]);
    assert!(cycle.failure.unwrap().detail.contains("no space"));
    let refused = house.engine.submit(house.request("four"), ann()).await.unwrap_err();
    assert!(matches!(refused, EngineError::Blocked { .. }), "{refused}");
    let open = house.store.open_interruptions().await.unwrap();
    assert_eq!(open[0].kind, InterruptionKind::RollbackDenied);
    assert!(house.engine.acknowledge(&open[0].id, "  ", ann()).await.is_err(), "nobody has seen anything");
    house.engine.acknowledge(&open[0].id, "seen", ann()).await.unwrap();
    assert!(house.engine.submit(house.request("four"), ann()).await.is_ok());
}

#[tokio::test]
async fn a_deploy_that_hangs_is_ended_by_its_timeout() {
    let house = House::build(&Setup { timeout_ms: 700, ..Setup::default() }).await;
    house.set("deploy-hangs");
    let began = std::time::Instant::now();
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::Denied);
    assert!(cycle.failure.unwrap().detail.contains("longer than 700 ms"));
    assert!(began.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn a_health_gate_without_a_verdict_always_needs_a_person() {
    let setup = Setup {
        context: "self_hosted",
        timeout_ms: 400,
        more: "health_check_retries = 0",
        ..Setup::default()
    };
    let house = House::build(&setup).await;
    let cycle = house.release("hang").await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    assert_eq!(cycle.result.health_status, GateStatus::Inconclusive);
    let decision = house.decision(&cycle).await;
    let guard = decision.guardrails.iter().find(|guard| guard.id == GuardrailId::InconclusiveHealth).unwrap();
    assert_eq!(guard.outcome, GuardrailOutcome::Escalate);
}

#[tokio::test]
async fn without_a_rollback_command_the_answer_is_no_and_says_what_would_change_it() {
    let house = House::build(&Setup { leave_out: &["rollback"], ..Setup::default() }).await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::Denied);
    let decision = house.decision(&cycle).await;
    assert_decided(&decision, DecisionState::Denied, "rollback_executor_missing");
    assert!(decision.would_allow_if[0].contains("`rollback` command"), "{:?}", decision.would_allow_if);
}

#[tokio::test]
async fn a_release_that_somebody_else_replaced_meanwhile_is_not_rolled_back() {
    let house = House::new("self_hosted").await;
    let id = house.submit("sick").await;
    let live = house.path("live");
    let watcher = tokio::spawn(async move {
        // Somebody deploys by hand as soon as ours is up.
        loop {
            if std::fs::read_to_string(live.join("current")).is_ok_and(|id| id == "r3") {
                std::fs::write(live.join("current"), "r1").unwrap();
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    });
    house.run().await;
    watcher.await.unwrap();
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Denied);
    assert!(house.effects().iter().all(|line| !line.starts_with("rollback")));
}

#[tokio::test]
async fn every_sources_answer_is_kept_and_the_first_complete_one_wins() {
    let house = House::new("external").await;
    let cycle = house.release("sick").await;
    let decision = house.decision(&cycle).await;
    let sources: Vec<_> = decision.sources.iter().map(|row| (row.source, row.outcome, row.won)).collect();
    assert_eq!(
        sources,
        [
            (SourceKind::Ledger, SourceOutcome::Complete, true),
            (SourceKind::RuntimeLog, SourceOutcome::Complete, false),
            (SourceKind::Git, SourceOutcome::Complete, false),
        ]
    );
    assert_eq!(decision.target_release_source, Some(SourceKind::Ledger));
    assert_eq!(
        decision.diff.commits.iter().map(|row| row.summary.as_str()).collect::<Vec<_>>(),
        ["Make it sick"]
    );
    assert_eq!(decision.diff.files[0].path, "app.txt");
    assert!(decision.plan[0].argv.contains(&"rollback.sh".to_owned()));
}

#[tokio::test]
async fn a_source_that_fails_or_hangs_does_not_hold_up_the_cycle() {
    let ci = "kind = \"none\"\n[sources]\norder = [\"command\", \"ledger\"]\ntimeout_ms = 200\n\
              [sources.command]\nargv = [\"sleep\", \"30\"]";
    let house = House::build(&Setup { ci, ..Setup::default() }).await;
    let cycle = house.release("sick").await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    let decision = house.decision(&cycle).await;
    assert_eq!(decision.sources[0].outcome, SourceOutcome::TimedOut);
    assert!(decision.sources[1].won);
}

#[tokio::test]
async fn ids_in_the_request_win() {
    let house = House::new("external").await;
    let request = CycleRequest { rollback_release_id: Some("r1".into()), ..house.request("sick") };
    let id = house.engine.submit(request, ann()).await.unwrap().id;
    house.run().await;
    let decision = house.decision(&house.cycle(&id).await).await;
    assert_eq!(decision.target_release_id.as_deref(), Some("r1"));
    assert_eq!(decision.target_release_source, Some(SourceKind::Request));
}

#[tokio::test]
async fn ci_by_command_judges_the_pushed_commit_and_may_say_not_yet() {
    let ci = "kind = \"command\"\nargv = [\"sh\", \"-c\", '''\
              n=$(cat $ATT_WORKTREE/../polls 2>/dev/null || echo 0); echo $((n+1)) > $ATT_WORKTREE/../polls
              test -n \"$ATT_COMMIT\" || exit 9
              test -z \"$CARGO_MANIFEST_DIR\" || { echo \"our environment is here\" >&2; exit 8; }
              if [ $n -lt 2 ]; then exit 75; fi
              if grep -q bad $ATT_WORKTREE/app.txt; then echo \"lint\" >&2; exit 1; fi''']";
    let more = "ci_initial_poll_seconds = 0.01\nci_max_poll_seconds = 0.02";
    let house = House::build(&Setup { ci, more, ..Setup::default() }).await;
    let cycle = house.release("three").await;
    assert_state(&cycle, CycleState::Succeeded);
    assert_eq!(cycle.result.ci_status, GateStatus::Passed);
    let request = CycleRequest { requested_release_id: Some("r4".into()), ..house.request("bad") };
    let id = house.engine.submit(request, ann()).await.unwrap().id;
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Failed);
    assert_eq!(cycle.failure.unwrap().cause, "ci_failed");
    assert_eq!(house.running(), "r3");
}

#[tokio::test]
async fn a_change_of_att_toml_always_waits_for_a_person() {
    let house = House::new("self_hosted").await;
    let text = std::fs::read_to_string(house.path("checkout/att.toml")).unwrap();
    let request = CycleRequest {
        file_path: Some("att.toml".into()),
        content: Some(text.replace("\"none\"", "\"none\" ")),
        ..house.request("x")
    };
    let id = house.engine.submit(request, ann()).await.unwrap().id;
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Merging);
    assert_eq!(cycle.waiting.unwrap().waiting_for, WaitingFor::MergeApproval);
    assert_eq!(house.store.open_interruptions().await.unwrap()[0].kind, InterruptionKind::ConfigChanged);
    house.engine.allow_merge(&id, "the change is a blank", ann()).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::Succeeded);
}

#[tokio::test]
async fn an_att_toml_that_nobody_approved_waits_for_a_person() {
    let house = House::new("self_hosted").await;
    let checkout = house.path("checkout");
    let text = std::fs::read_to_string(checkout.join("att.toml")).unwrap();
    std::fs::write(checkout.join("att.toml"), format!("# another\n{text}")).unwrap();
    crate::house::commit_and_push(&checkout);
    let id = house.submit("three").await;
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Preparing);
    assert_eq!(cycle.waiting.unwrap().waiting_for, WaitingFor::ConfigApproval);
    let (config, approved) = house.engine.project_config(&cycle.project).await.unwrap();
    assert!(!approved);
    house.engine.approve_config(&cycle.project, &config.digest, "only a comment", ann()).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::Succeeded);
    assert!(house.store.open_interruptions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_laxer_request_makes_no_cycle() {
    let house = House::new("external").await;
    let request = CycleRequest { rollback_on_deploy_failure: Some(true), ..house.request("three") };
    let refused = house.engine.submit(request, ann()).await.unwrap_err();
    assert!(refused.to_string().starts_with("policy_laxer_than_target"), "{refused}");
    assert!(house.store.cycles(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_second_cycle_on_the_same_target_is_refused_while_one_is_live() {
    let house = House::new("external").await;
    let _first = house.submit("three").await;
    let second = house.engine.submit(house.request("four"), ann()).await.unwrap_err();
    assert!(second.to_string().contains("is under way"), "{second}");
}

#[tokio::test]
async fn a_person_brings_an_earlier_release_back_by_a_cycle_of_its_own() {
    let house = House::new("self_hosted").await;
    let wish = RollbackRequest { target: house.target(), release_id: "r1".into(), linked_to: None };
    let id = house.engine.plan_rollback(wish, ann()).await.unwrap().id;
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::AwaitingApproval);
    let decision = house.decision(&cycle).await;
    assert_eq!(decision.failure_class, FailureClass::OperatorRequest);
    house.approve(house.approval(&cycle).await).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::RolledBack);
    assert_eq!((house.running().as_str(), house.effects()), ("r1", vec!["rollback r1".to_owned()]));
    assert_eq!(house.chain().await, ["r1", "r2", "r1"]);
}

#[tokio::test]
async fn safe_mode_starts_nothing_and_deploys_nothing() {
    let house = House::new("self_hosted").await;
    let id = house.submit("three").await;
    house.engine.set_safe_mode(true, "storm over the data centre", ann()).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::Queued);
    assert!(house.engine.submit(house.request("four"), ann()).await.is_err());
    house.engine.set_safe_mode(false, "the storm is over now", ann()).await.unwrap();
    house.run().await;
    assert_state(&house.cycle(&id).await, CycleState::Succeeded);
}

#[tokio::test]
async fn a_merge_only_request_ends_at_the_base_branch() {
    let house = House::new("external").await;
    let request = CycleRequest { deploy_target: None, requested_release_id: None, ..house.request("three") };
    let id = house.engine.submit(request, ann()).await.unwrap().id;
    house.run().await;
    let cycle = house.cycle(&id).await;
    assert_state(&cycle, CycleState::Succeeded);
    assert_eq!(stage(&cycle, "deploying"), StageOutcome::NotRun);
    assert_eq!(house.remote(&["log", "-1", "--format=%s", "main"]), "Make it three");
}
