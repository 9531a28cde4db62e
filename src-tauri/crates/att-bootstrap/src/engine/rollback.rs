//! `deciding`, `awaiting_approval` and `rolling_back`.

use super::deploy::Carried;
use super::prepare::{Rules, outcome};
use super::{Advance, Engine, Loaded};
use crate::decide::{Circumstances, Gathered, gather};
use crate::error::EngineError;
use crate::model::{
    CycleKind, Decision, DecisionState, DeploymentKind, FailureClass, Operation, OperationKind,
    OperationOutcome, Stage,
};
use crate::observe::Account;
use crate::step::{Input, Learned};
use crate::world::{Checkout, CommandRun, TargetCommand};
use att_core::id::DecisionId;

/// A decision with facts of now.
pub(super) struct Fresh {
    pub decision: Decision,
    /// When its facts were gathered.
    pub at_ms: i64,
    /// The command that would carry it out.
    pub operation: Option<Operation>,
}

/// What a fresh look found.
pub(super) enum Looked {
    /// The target is not as the journal has it: that comes first.
    Changed(Box<crate::step::TargetUpdate>),
    /// Everything a decision rests on.
    Fresh(Box<Fresh>),
}

impl Engine {
    /// Looks at the world and makes the decision that this amounts to, as version `version` of `id`.
    pub(super) async fn look(
        &self,
        at: &Loaded,
        id: &DecisionId,
        version: u64,
    ) -> Result<Looked, EngineError> {
        let cycle = &at.cycle;
        let rules = self.rules(cycle).await?;
        let base_dir = self.world().checkout_dir(&cycle.id, Checkout::Base);
        self.world().lay_out(&rules.project, &rules.base_commit, &base_dir).await?;
        let seen = self.see(cycle, &rules, Account::OBSERVER).await?;
        if let Some(update) = &seen.update
            && !update.deployments.is_empty()
        {
            return Ok(Looked::Changed(Box::new(update.clone())));
        }
        let config = rules.target_config(cycle)?;
        let policy = cycle.policy.clone().unwrap_or_default();
        let circumstances = Circumstances {
            world: self.world(),
            store: self.store(),
            project: &rules.project,
            cycle,
            config: &rules.config,
            target_config: config,
            policy: &policy,
            target: &seen.target,
            observed: seen.observed.as_ref(),
        };
        let class = match (cycle.kind, &cycle.failure) {
            (CycleKind::Rollback, _) => FailureClass::OperatorRequest,
            (CycleKind::Release, Some(failure)) => failure.class.unwrap_or(FailureClass::DeployFailure),
            (CycleKind::Release, None) => FailureClass::DeployFailure,
        };
        let gathered: Gathered = Box::pin(gather(&circumstances, class)).await?;
        let at_ms = gathered.at_ms;
        let decision = gathered.into_decision(&circumstances, id.clone(), version);
        let operation = config.rollback.as_ref().map(|command| {
            let mut operation =
                self.operation(cycle, OperationKind::Rollback, &command.argv, command.timeout_ms);
            operation.expected_generation = Some(decision.generation);
            operation
        });
        Ok(Looked::Fresh(Box::new(Fresh { decision, at_ms, operation })))
    }

    pub(super) async fn decide(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let (id, version) = match &at.decision {
            Some(decision) => (decision.id.clone(), decision.version + 1),
            None => (DecisionId::mint(self.now_ms(), self.randomness()), 1),
        };
        match Box::pin(self.look(at, &id, version)).await? {
            Looked::Changed(update) => Ok(Advance::step(Input::Saw(update))),
            Looked::Fresh(fresh) => {
                let Fresh { decision, operation, .. } = *fresh;
                let by_itself = decision.allowed && !decision.needs_person;
                let intent = operation.filter(|_| by_itself).map(Box::new);
                Ok(Advance::step(Input::Proposed { decision: Box::new(decision), intent }))
            }
        }
    }

    pub(super) fn await_approval(&self, at: &Loaded) -> Advance {
        let asked = at.decision.as_ref().is_some_and(|row| row.state == DecisionState::AwaitingApproval);
        let expires_at_ms = at.approval.as_ref().map(|approval| approval.expires_at_ms).filter(|_| asked);
        match expires_at_ms {
            Some(due) if due <= self.now_ms() => Advance::step(Input::Expired),
            due => Advance::Wait(due),
        }
    }

    pub(super) async fn roll_back(&self, at: &Loaded) -> Result<Advance, EngineError> {
        let cycle = &at.cycle;
        let (Some(decision), Some(operation)) = (&at.decision, at.awaited(OperationKind::Rollback)) else {
            let detail = "the rollback's decision or operation is not in the journal".to_owned();
            return Ok(Advance::step(Input::Lost { detail, finish: None }));
        };
        // Asserted here as well, right before the effect: a decision that does not allow it is never executed.
        let may = decision.state == DecisionState::Executing
            && decision.allowed
            && decision.operation_id.as_ref() == Some(&operation.id);
        if !may {
            let detail = format!("the decision {} does not allow this operation", decision.id);
            return Ok(Advance::step(Input::Lost { detail, finish: None }));
        }
        let rules = self.rules(cycle).await?;
        let told = self.told_for_rollback(at, &rules, decision).await?;
        let mut output = self.world().output(cycle, Stage::RollingBack);
        let carried = self.carry(cycle.state, operation, "rollback", &told, &mut output).await;
        let goal = decision.target_release_id.as_deref();
        let account = Account {
            kind: DeploymentKind::Rollback,
            expected: goal,
            cycle_id: Some(&cycle.id),
            operation_id: Some(&operation.id),
        };
        let seen = self.see(cycle, &rules, account).await?;
        let there = seen.observed.is_ok()
            && match goal {
                Some(goal) => seen.target.current_release_id.as_deref() == Some(goal),
                None => seen.target.current_release_id != decision.deployed_release_id,
            };
        let learned = Box::new(Learned {
            target: seen.update,
            expected_generation: there.then_some(seen.target.generation),
            ..Learned::default()
        });
        let ended = |succeeded: bool, detail: String, finish: OperationOutcome| Input::RollbackEnded {
            succeeded,
            detail,
            finish: Some(finish),
            learned,
        };
        let input = match carried {
            Carried::Ended(CommandRun::Passed(_), outcome) => {
                ended(true, "the rollback command succeeded".to_owned(), outcome)
            }
            Carried::Ended(run, outcome) => ended(false, run.detail().to_owned(), outcome),
            Carried::Lost(_) if there => {
                let detail = "its runner died, but the release to go back to answers";
                ended(true, detail.to_owned(), outcome(true, detail))
            }
            Carried::Lost(reason) => {
                let detail = format!("nobody can tell whether the rollback took effect: {reason}");
                let finish = Some(OperationOutcome { unknown: true, ..outcome(false, detail.clone()) });
                Input::Lost { detail, finish }
            }
        };
        Ok(Advance::Step(Box::new(input), output.row()))
    }

    async fn told_for_rollback(
        &self,
        at: &Loaded,
        rules: &Rules,
        decision: &Decision,
    ) -> Result<TargetCommand, EngineError> {
        let cycle = &at.cycle;
        let target = self.target_of(cycle).await?;
        let base_dir = self.world().checkout_dir(&cycle.id, Checkout::Base);
        self.world().lay_out(&rules.project, &rules.base_commit, &base_dir).await?;
        let mut worktree = None;
        if let Some(commit) = &decision.target_commit {
            let dir = self.world().checkout_dir(&cycle.id, Checkout::Rollback);
            // An executor that keeps its releases needs no checkout; one that builds will say so itself.
            match self.world().lay_out(&rules.project, commit, &dir).await {
                Ok(()) => worktree = Some(dir),
                Err(error) => tracing::warn!(%error, "the release to go back to could not be checked out"),
            }
        }
        Ok(TargetCommand {
            release_id: decision.target_release_id.clone(),
            previous_release_id: decision.deployed_release_id.clone(),
            expected_generation: Some(decision.generation),
            commit: decision.target_commit.clone(),
            worktree,
            ..self.told(cycle, &target)
        })
    }
}
