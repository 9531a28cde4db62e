//! What the guardrails promise.

use super::*;
use crate::model::{MatrixReason, Quarantine, ReleaseHealth, TargetId};
use crate::policy::{MatrixInput, rule};
use proptest::prelude::*;

fn release(healthy: bool, quarantined: bool) -> Release {
    Release {
        id: "r1".into(),
        target: TargetId::from_text("shop/web"),
        commit: None,
        digest: None,
        health: ReleaseHealth::Healthy,
        healthy_at_ms: healthy.then_some(5),
        quarantine: quarantined.then(|| Quarantine { reason: "bad keys".into(), since_ms: 6 }),
        cycle_id: None,
        created_at_ms: 1,
    }
}

fn calm(release: &Release) -> Situation<'_> {
    Situation {
        now_ms: 1_000,
        failure_class: FailureClass::HealthFailure,
        safe_mode: None,
        deployed_by_this_cycle: Some(true),
        expected_generation: Some(3),
        generation: Some(3),
        other_rollback: None,
        deployed_release_id: Some("r2"),
        target_release_id: Some("r1"),
        target_release: Some(release),
        target_in_chain: true,
        target_from_log_only: false,
        preflight: Preflight::Available,
        past_rollbacks: &[],
        freeze: None,
        unspecified: false,
        inconclusive: false,
    }
}

fn objections(situation: &Situation<'_>) -> Vec<(GuardrailId, GuardrailOutcome)> {
    evaluate(situation)
        .into_iter()
        .filter(|guard| guard.outcome != GuardrailOutcome::Pass)
        .map(|guard| (guard.id, guard.outcome))
        .collect()
}

#[test]
fn a_calm_situation_has_no_objections_and_every_guardrail_is_evaluated() {
    let good = release(true, false);
    assert_eq!(objections(&calm(&good)), []);
    assert_eq!(evaluate(&calm(&good)).len(), 13);
}

#[test]
fn each_guardrail_objects_to_what_it_is_there_for() {
    use GuardrailId as G;
    use GuardrailOutcome::{Deny, Escalate, Unknown};
    let (good, sick, marked) = (release(true, false), release(false, false), release(true, true));
    let cycle = CycleId::from("other");
    let past = |from: &str, to: &str, at_ms| PastRollback { from: Some(from.into()), to: to.into(), at_ms };
    let again = [past("r2", "r1", 900)];
    let many = [past("r8", "r7", 900), past("r9", "r8", 901)];
    let old = [past("r2", "r1", 1_000 - LOOP_WINDOW_MS)];
    let calm = || calm(&good);
    let cases: Vec<(Situation<'_>, Vec<(G, GuardrailOutcome)>)> = vec![
        (Situation { safe_mode: Some("storm"), ..calm() }, vec![(G::SafeModeActive, Deny)]),
        (
            Situation { deployed_by_this_cycle: Some(false), ..calm() },
            vec![(G::NothingDeployedByThisCycle, Deny)],
        ),
        (
            Situation { deployed_by_this_cycle: None, ..calm() },
            vec![(G::NothingDeployedByThisCycle, Unknown)],
        ),
        (Situation { generation: Some(4), ..calm() }, vec![(G::TargetChanged, Deny)]),
        (Situation { generation: None, ..calm() }, vec![(G::TargetChanged, Unknown)]),
        (Situation { other_rollback: Some(&cycle), ..calm() }, vec![(G::RollbackInProgress, Deny)]),
        (Situation { target_release: Some(&marked), ..calm() }, vec![(G::RollbackTargetQuarantined, Deny)]),
        (Situation { target_in_chain: false, ..calm() }, vec![(G::RollbackTargetNotInChain, Escalate)]),
        (
            Situation { target_release: Some(&sick), ..calm() },
            vec![(G::RollbackTargetNeverHealthy, Escalate)],
        ),
        (Situation { target_release: None, ..calm() }, vec![(G::RollbackTargetNeverHealthy, Escalate)]),
        (Situation { target_from_log_only: true, ..calm() }, vec![(G::RollbackTargetFromLogOnly, Escalate)]),
        (
            Situation { preflight: Preflight::Unavailable("gone".into()), ..calm() },
            vec![(G::RollbackTargetUnavailable, Deny)],
        ),
        (
            Situation { preflight: Preflight::Unknown("hung".into()), ..calm() },
            vec![(G::RollbackTargetUnavailable, Unknown)],
        ),
        (Situation { past_rollbacks: &again, ..calm() }, vec![(G::RollbackLoop, Escalate)]),
        (Situation { past_rollbacks: &many, ..calm() }, vec![(G::RollbackLoop, Escalate)]),
        (Situation { past_rollbacks: &old, ..calm() }, vec![]),
        (Situation { freeze: Some("December"), ..calm() }, vec![(G::FreezeWindow, Escalate)]),
        (
            Situation { unspecified: true, target_release_id: None, target_release: None, ..calm() },
            vec![(G::UnspecifiedTarget, Escalate)],
        ),
        (Situation { unspecified: true, ..calm() }, vec![]),
        (Situation { inconclusive: true, ..calm() }, vec![(G::InconclusiveHealth, Escalate)]),
    ];
    for (index, (situation, want)) in cases.into_iter().enumerate() {
        assert_eq!(objections(&situation), want, "case {index}");
    }
}

#[test]
fn every_objection_says_what_would_have_allowed_it() {
    let marked = release(false, true);
    let bad = Situation { safe_mode: Some("x"), generation: None, inconclusive: true, ..calm(&marked) };
    for guard in evaluate(&bad) {
        assert_eq!(guard.would_allow_if.is_some(), guard.outcome != GuardrailOutcome::Pass, "{}", guard.id);
        assert!(!guard.evidence.is_empty());
    }
}

#[test]
fn safe_mode_denies_the_engine_but_leaves_a_persons_own_request_to_the_person() {
    let good = release(true, false);
    let asked =
        Situation { failure_class: FailureClass::OperatorRequest, safe_mode: Some("x"), ..calm(&good) };
    assert_eq!(objections(&asked), [(GuardrailId::SafeModeActive, GuardrailOutcome::Escalate)]);
}

prop_compose! {
    fn guard()(index in 0..GuardrailId::ALL.len(), outcome in 0..GuardrailOutcome::ALL.len()) -> Guardrail {
        Guardrail {
            id: GuardrailId::ALL[index],
            outcome: GuardrailOutcome::ALL[outcome],
            evidence: "e".into(),
            would_allow_if: None,
        }
    }
}

fn strictness(verdict: &Verdict) -> u8 {
    match (verdict.allowed, verdict.needs_person) {
        (true, false) => 0,
        (true, true) => 1,
        (false, _) => 2,
    }
}

proptest! {
    #[test]
    fn guardrails_only_ever_make_the_answer_stricter(
        class in 0..FailureClass::ALL.len(),
        external in any::<bool>(),
        enabled in any::<bool>(),
        executor in any::<bool>(),
        target in proptest::option::of(0..3u8),
        deployed in proptest::option::of(0..3u8),
        always_ask in any::<bool>(),
        guards in proptest::collection::vec(guard(), 0..14),
        more in guard(),
    ) {
        let context = if external { DeploymentContext::External } else { DeploymentContext::SelfHosted };
        let (target, deployed) = (target.map(|n| format!("r{n}")), deployed.map(|n| format!("r{n}")));
        let class = FailureClass::ALL[class];
        let ruling = rule(&MatrixInput {
            failure_class: class,
            context,
            rollback_enabled: enabled,
            executor_present: executor,
            target_release_id: target.as_deref(),
            deployed_release_id: deployed.as_deref(),
            same_content: false,
        });
        let bare = conclude(&ruling, &[], class, context, always_ask);
        let some = conclude(&ruling, &guards, class, context, always_ask);
        let mut all = guards.clone();
        all.push(more);
        let one_more = conclude(&ruling, &all, class, context, always_ask);
        prop_assert!(strictness(&some) >= strictness(&bare));
        prop_assert!(strictness(&one_more) >= strictness(&some));
        if !ruling.allowed {
            prop_assert!(!some.allowed);
            prop_assert_eq!(&some.reason, ruling.reason.as_str());
        }
        if external && some.allowed {
            prop_assert!(some.needs_person);
        }
    }
}

#[test]
fn the_reason_is_the_matrixs_when_it_denies_and_else_the_first_denying_guards() {
    let guards = |outcome| {
        vec![Guardrail {
            id: GuardrailId::TargetChanged,
            outcome,
            evidence: "e".into(),
            would_allow_if: None,
        }]
    };
    let yes =
        Ruling { rule: 6, allowed: true, reason: MatrixReason::TargetValidated, target_valid: Some(true) };
    let no = Ruling { rule: 2, allowed: false, reason: MatrixReason::ExecutorMissing, target_valid: None };
    let conclude = |ruling: &Ruling, outcome| {
        conclude(ruling, &guards(outcome), FailureClass::HealthFailure, DeploymentContext::SelfHosted, false)
    };
    assert_eq!(conclude(&yes, GuardrailOutcome::Deny).reason, "target_changed");
    assert_eq!(conclude(&no, GuardrailOutcome::Deny).reason, "rollback_executor_missing");
    let escalated = conclude(&yes, GuardrailOutcome::Unknown);
    assert_eq!((escalated.allowed, escalated.needs_person), (true, true));
    assert_eq!(escalated.reason, "rollback_target_validated");
}
