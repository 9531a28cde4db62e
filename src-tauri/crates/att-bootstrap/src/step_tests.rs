//! What the step promises: total, final at the end, and only along the table.

use super::*;
use crate::model::{
    DecisionState, Failure, FailureClass, OperationKind, OperationOutcome, ProbeProgress, Stage,
};
use crate::sample;
use att_core::Face;
use att_core::id::SeededRandomness;
use proptest::prelude::*;

fn operation(cycle: &Cycle, kind: OperationKind, number: u64) -> Operation {
    Operation {
        id: format!("01OPERATION{number:015}").as_str().into(),
        cycle_id: cycle.id.clone(),
        target: cycle.target.clone(),
        kind,
        phase: OperationPhase::Intended,
        argv: vec!["true".into()],
        expected_generation: Some(1),
        timeout_ms: 1,
        intended_at_ms: 1,
        finished_at_ms: None,
        outcome: None,
    }
}

fn outcome() -> OperationOutcome {
    OperationOutcome {
        succeeded: true,
        unknown: false,
        exit_code: Some(0),
        timed_out: false,
        detail: "done".into(),
        duration_ms: None,
    }
}

/// A world of one cycle: the rows a store would hold.
#[derive(Debug, Clone)]
struct Rows {
    cycle: Cycle,
    decision: Option<Decision>,
    approvals: Vec<Approval>,
    operations: Vec<Operation>,
    interruptions: Vec<Interruption>,
}

impl Rows {
    fn new() -> Self {
        Self {
            cycle: sample::cycle("01CYCLE0000000000000000001", "shop/web", "/repo"),
            decision: None,
            approvals: Vec::new(),
            operations: Vec::new(),
            interruptions: Vec::new(),
        }
    }

    fn take(&mut self, input: Input, at_ms: i64, randomness: &SeededRandomness) -> Result<Changes, Refusal> {
        let approval_id = self.decision.as_ref().and_then(|row| row.approval_id.clone());
        let approval = self.approvals.iter().find(|row| Some(&row.id) == approval_id.as_ref());
        let operation = self.operations.iter().find(|row| Some(&row.id) == self.cycle.operation_id.as_ref());
        let state = State {
            cycle: &self.cycle,
            decision: self.decision.as_ref(),
            approval,
            operation,
            interruptions: &self.interruptions,
        };
        let now = Now { at_ms, actor: Actor::engine(1), randomness };
        let changes = step(&state, input, &now)?;
        self.apply(&changes);
        Ok(changes)
    }

    fn apply(&mut self, changes: &Changes) {
        if let Some(change) = &changes.cycle {
            assert_eq!(change.expected_version, Some(self.cycle.version));
            self.cycle = change.row.clone();
        }
        if let Some(change) = &changes.decision {
            assert_eq!(change.expected_version, self.decision.as_ref().map(|row| row.version));
            self.decision = Some(change.row.clone());
        }
        for change in &changes.approvals {
            let (crate::store::ApprovalChange::Request(row) | crate::store::ApprovalChange::Answer(row)) =
                change;
            self.approvals.retain(|old| old.id != row.id);
            self.approvals.push(row.clone());
        }
        for change in &changes.operations {
            let (OperationChange::Intend(row) | OperationChange::Finish(row)) = change;
            self.operations.retain(|old| old.id != row.id);
            self.operations.push(row.clone());
        }
        for row in &changes.interruptions {
            self.interruptions.retain(|old| old.id != row.id);
            self.interruptions.push(row.clone());
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Dice {
    what: u8,
    which: u8,
    yes: bool,
    sure: bool,
    skip_ms: i64,
}

fn input_of(rows: &Rows, dice: Dice, number: u64) -> Input {
    let cycle = &rows.cycle;
    let event = CycleEvent::ALL[dice.which as usize % CycleEvent::ALL.len()];
    let awaited = cycle.operation_id.is_some();
    let finish = (awaited && dice.sure).then(outcome);
    let actor = if dice.yes { Actor::person("ann", Face::Cli, 1) } else { Actor::engine(1) };
    let proof = dice.sure.then(|| Proof { release_id: "r2".into(), observed_at_ms: 1 });
    let decision = rows.decision.clone();
    let answer = Answer {
        actor: actor.clone(),
        version: decision.as_ref().map_or(1, |row| row.version),
        digest: decision.as_ref().map_or_else(String::new, |row| row.digest.clone()),
        reason: if dice.sure { "customers see errors".into() } else { "no".into() },
        typed_release_id: Some("r1".into()),
    };
    let failure = Failure {
        class: Some(FailureClass::HealthFailure),
        cause: "health_failed".into(),
        detail: "no".into(),
        inconclusive: false,
        stage: Stage::HealthChecking,
    };
    match dice.what % 20 {
        0 => Input::Resumed,
        1 => Input::CancelAsked { actor, reason: "r".into() },
        2 => Input::Intended(Box::new(operation(cycle, OperationKind::Test, number))),
        3 => Input::Finished(outcome()),
        4 => Input::Held(Hold {
            waiting_for: WaitingFor::SafeMode,
            until_ms: None,
            detail: "d".into(),
            interruption: Some((InterruptionKind::DeployHeld, "t".into())),
        }),
        5 => Input::Unheld,
        6 => Input::Probed {
            progress: ProbeProgress::default(),
            due_at_ms: 5,
            detail: "again".into(),
            learned: Box::default(),
        },
        7 | 8 => {
            // Half the time the row that fits, so that a run gets somewhere.
            let fitting =
                crate::table::CYCLE.iter().find(|(from, _, _)| *from == cycle.state).map(|row| row.1);
            let event = if dice.yes { fitting.unwrap_or(event) } else { event };
            let kind = if dice.sure { OperationKind::Deploy } else { OperationKind::Rollback };
            Input::Passed(Box::new(Passed {
                event,
                outcome: StageOutcome::Passed,
                detail: None,
                finish,
                intent: Some(operation(cycle, kind, number)),
                learned: Learned { release_id: Some("r2".into()), proof, ..Learned::default() },
            }))
        }
        9 => Input::Failed { failure: Box::new((failure, Learned::default())), finish },
        10 => Input::Cancelled { finish, detail: "d".into() },
        11 => Input::Lost { detail: "d".into(), finish },
        12 | 13 => {
            let mut row = decision.unwrap_or_else(|| sample::decision("01DECISION0000000000000001", cycle));
            row.allowed = dice.sure;
            row.needs_person = dice.yes;
            let kind =
                if dice.which.is_multiple_of(2) { OperationKind::Rollback } else { OperationKind::Deploy };
            let intent = Box::new(operation(cycle, kind, number));
            Input::Proposed {
                decision: Box::new(row),
                intent: (!dice.which.is_multiple_of(3)).then_some(intent),
            }
        }
        14 => Input::Approved {
            fresh_digest: if dice.which.is_multiple_of(4) { "other".into() } else { answer.digest.clone() },
            answer,
            gathered_at_ms: 0,
            intent: Box::new(operation(cycle, OperationKind::Rollback, number)),
        },
        15 => Input::Rejected(answer),
        16 => Input::Expired,
        17 => Input::Superseded { changed: vec!["x".into()] },
        18 => {
            if dice.which.is_multiple_of(2) {
                Input::Reconsidered { actor }
            } else {
                let to = CycleState::ALL[dice.which as usize % CycleState::ALL.len()];
                Input::Stated { actor, to, running_release_id: None, reason: "I looked at it".into() }
            }
        }
        _ => Input::RollbackEnded {
            succeeded: dice.yes,
            detail: "d".into(),
            finish,
            learned: Box::new(Learned { proof, ..Learned::default() }),
        },
    }
}

prop_compose! {
    fn dice()(what in any::<u8>(), which in any::<u8>(), yes in any::<bool>(), sure in any::<bool>(), skip_ms in 0..200_000_i64) -> Dice {
        Dice { what, which, yes, sure, skip_ms }
    }
}

/// What must hold after every step that was taken.
fn check(before: &Rows, after: &Rows, input: &Input, at_ms: i64) -> Result<(), TestCaseError> {
    let (from, to) = (before.cycle.state, after.cycle.state);
    prop_assert!(!from.is_terminal(), "a step out of {from}");
    let in_table = crate::table::CYCLE.iter().any(|(a, _, b)| *a == from && *b == to);
    prop_assert!(from == to || in_table, "{from} -> {to}");
    if let (Some(a), Some(b)) = (&before.decision, &after.decision) {
        let hop = a.state == b.state
            || crate::table::decision_may(a.state, b.state)
            || (crate::table::decision_may(a.state, DecisionState::Proposed) && from == CycleState::Deciding);
        prop_assert!(hop, "{} -> {}", a.state, b.state);
    }
    if to == CycleState::RollingBack && from != to {
        let decision = after.decision.as_ref().unwrap();
        prop_assert!(decision.allowed && decision.state == DecisionState::Executing);
        let intent =
            after.operations.iter().find(|row| Some(&row.id) == after.cycle.operation_id.as_ref()).unwrap();
        prop_assert_eq!(intent.kind, OperationKind::Rollback);
        if decision.needs_person {
            let used: Vec<_> = after
                .approvals
                .iter()
                .filter(|row| row.state == crate::model::ApprovalState::Consumed)
                .collect();
            prop_assert!(used.len() as u64 >= 1);
            let last = used.last().unwrap();
            prop_assert!(last.actor.as_ref().unwrap().may_approve());
            prop_assert!(last.reason.as_ref().unwrap().chars().count() >= MIN_REASON_CHARS);
            prop_assert!(at_ms < last.expires_at_ms, "an approval after its expiry");
            prop_assert_eq!(last.digest.as_str(), before.decision.as_ref().unwrap().digest.as_str());
        }
    }
    if matches!(to, CycleState::Succeeded | CycleState::RolledBack) && from != CycleState::Merging {
        let proven = match input {
            Input::Passed(passed) => passed.learned.proof.is_some(),
            Input::RollbackEnded { learned, .. } => learned.proof.is_some(),
            _ => false,
        };
        prop_assert!(proven, "{to} without proof");
    }
    if to.is_terminal() {
        let blocking = matches!(to, CycleState::Denied | CycleState::RollbackFailed);
        let open = after.interruptions.iter().filter(|row| row.is_open()).count();
        prop_assert_eq!(open, usize::from(blocking), "{} leaves the inbox as it should", to);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_inputs_panics_leaves_the_table_or_breaks_an_invariant(
        rolls in proptest::collection::vec(dice(), 1..60),
        seed in any::<u64>(),
    ) {
        let randomness = SeededRandomness::new(seed);
        let mut rows = Rows::new();
        let mut at_ms = 10;
        for (number, dice) in rolls.into_iter().enumerate() {
            at_ms += dice.skip_ms;
            let before = rows.clone();
            let mut input = input_of(&rows, dice, number as u64);
            if let Input::Approved { gathered_at_ms, .. } = &mut input {
                *gathered_at_ms = at_ms - i64::from(dice.which) * 100;
            }
            match rows.take(input.clone(), at_ms, &randomness) {
                Ok(_) => check(&before, &rows, &input, at_ms)?,
                Err(_) => prop_assert_eq!(&before.cycle, &rows.cycle),
            }
        }
    }
}

/// Every state that a cycle can stand in, by the shortest way there.
fn standing_in(wanted: CycleState) -> Rows {
    let mut rows = Rows::new();
    rows.cycle.state = wanted;
    rows
}

#[test]
fn a_cycle_that_has_ended_takes_nothing_any_more() {
    let randomness = SeededRandomness::new(1);
    for state in CycleState::ALL.iter().copied().filter(|state| state.is_terminal()) {
        for what in 0..20 {
            let mut rows = standing_in(state);
            let dice = Dice { what, which: 3, yes: true, sure: true, skip_ms: 1 };
            let input = input_of(&rows, dice, 1);
            assert_eq!(rows.take(input, 10, &randomness), Err(Refusal::Ended(state)));
        }
    }
}

#[test]
fn a_deploy_does_not_begin_without_its_intent_in_the_same_transaction() {
    let randomness = SeededRandomness::new(1);
    let mut rows = standing_in(CycleState::Readying);
    let passed = |intent| {
        Input::Passed(Box::new(Passed {
            event: CycleEvent::Ready,
            outcome: StageOutcome::Passed,
            detail: None,
            finish: None,
            intent,
            learned: Learned::default(),
        }))
    };
    let refused = rows.take(passed(None), 10, &randomness);
    assert_eq!(refused, Err(Refusal::IntentMissing(CycleState::Deploying)));
    let intent = operation(&rows.cycle, OperationKind::Deploy, 1);
    let changes = rows.take(passed(Some(intent)), 10, &randomness).unwrap();
    assert_eq!(changes.operations.len(), 1);
    assert_eq!(rows.cycle.state, CycleState::Deploying);
}

#[test]
fn one_step_writes_state_audit_timer_and_inbox_together() {
    let randomness = SeededRandomness::new(1);
    let mut rows = standing_in(CycleState::Deciding);
    let decision = sample::decision("01DECISION0000000000000001", &rows.cycle);
    let input = Input::Proposed { decision: Box::new(decision), intent: None };
    let changes = rows.take(input, 10, &randomness).unwrap();
    assert_eq!(rows.cycle.state, CycleState::AwaitingApproval);
    let kinds: Vec<_> = changes.audit.iter().map(|entry| entry.event.kind()).collect();
    assert_eq!(kinds, ["RollbackProposed", "DecisionMoved", "CycleMoved"]);
    assert_eq!(changes.timers_set[0].due_at_ms, 10 + APPROVAL_LIFE_MS);
    assert_eq!(changes.interruptions[0].kind, InterruptionKind::ApprovalRequested);
    assert_eq!(rows.approvals[0].digest, rows.decision.as_ref().unwrap().digest);
}

#[test]
fn old_facts_do_not_carry_an_approval() {
    let randomness = SeededRandomness::new(1);
    let mut rows = standing_in(CycleState::Deciding);
    let decision = sample::decision("01DECISION0000000000000001", &rows.cycle);
    rows.take(Input::Proposed { decision: Box::new(decision), intent: None }, 10, &randomness).unwrap();
    let dice = Dice { what: 14, which: 1, yes: true, sure: true, skip_ms: 0 };
    let mut input = input_of(&rows, dice, 1);
    if let Input::Approved { gathered_at_ms, .. } = &mut input {
        *gathered_at_ms = 100;
    }
    let late = 100 + FACTS_LIFE_MS + 1;
    assert_eq!(rows.clone().take(input.clone(), late, &randomness), Err(Refusal::FactsTooOld));
    assert!(rows.take(input, late - 1, &randomness).is_ok());
}
