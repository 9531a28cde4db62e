//! What may follow what, as data: the cycle, the decision and the approval (design 2.3, 2.6 and 4).
//!
//! **Invariant:** no state changes except along a row of these tables. Buttons, tests and the picture in the
//! docs are made from them.

use crate::model::{ApprovalState, CycleState, DecisionState};
use crate::words::words;

words! {
    /// What moves a cycle.
    CycleEvent {
        /// A driver took it up.
        Begun = "begun",
        /// Base, configuration and worktrees are there.
        Prepared = "prepared",
        /// The same for a rollback that a person asked for.
        RollbackPrepared = "rollback_prepared",
        /// The change is in the worktree.
        Changed = "changed",
        /// The tests passed.
        TestsPassed = "tests_passed",
        /// The change is a commit.
        Committed = "committed",
        /// The remote has the branch.
        Pushed = "pushed",
        /// The pull request is open, or there is no host for one.
        PrSettled = "pr_settled",
        /// The pushed commit is good.
        CiPassed = "ci_passed",
        /// The base has the commit, and something is to be deployed.
        Merged = "merged",
        /// The base has the commit, and nothing is to be deployed.
        MergedOnly = "merged_only",
        /// What runs now is captured, and the deploy may begin.
        Ready = "ready",
        /// The deploy command succeeded.
        Deployed = "deployed",
        /// The watchdog is content, or there is none.
        Watched = "watched",
        /// The health gate passed, or there is none.
        Healthy = "healthy",
        /// A stage before the deploy failed.
        StageFailed = "stage_failed",
        /// The deploy or a gate after it failed.
        ReleaseFailed = "release_failed",
        /// Somebody stopped it before the deploy.
        Cancelled = "cancelled",
        /// Policy says no.
        RollbackDenied = "rollback_denied",
        /// Policy says: ask a person.
        ApprovalRequested = "approval_requested",
        /// Policy says yes.
        AutoApproved = "auto_approved",
        /// A person said yes.
        Approved = "approved",
        /// A person said no.
        Rejected = "rejected",
        /// The world changed, or a lapsed question is put again.
        Reconsidered = "reconsidered",
        /// The rollback command succeeded.
        RollbackExecuted = "rollback_executed",
        /// The target release answers and is healthy.
        RollbackVerified = "rollback_verified",
        /// The rollback, or its verification, failed.
        RollbackFailed = "rollback_failed",
        /// Nobody can tell what the outside state is.
        Lost = "lost",
        /// A person stated: decide about a rollback.
        StatedDeciding = "stated_deciding",
        /// A person stated: it failed, nothing more to do.
        StatedFailed = "stated_failed",
        /// A person stated: stop it.
        StatedCancelled = "stated_cancelled",
    }
}

impl CycleEvent {
    /// Does a stage that ended well bring it about?
    #[must_use]
    pub const fn is_progress(self) -> bool {
        matches!(
            self,
            Self::Begun
                | Self::Prepared
                | Self::RollbackPrepared
                | Self::Changed
                | Self::TestsPassed
                | Self::Committed
                | Self::Pushed
                | Self::PrSettled
                | Self::CiPassed
                | Self::Merged
                | Self::MergedOnly
                | Self::Ready
                | Self::Deployed
                | Self::Watched
                | Self::Healthy
        )
    }
}

/// One row: from, on, to.
pub type Edge<S, E> = (S, E, S);

use CycleEvent as E;
use CycleState as S;

/// The cycle's transitions, in the order of the cycle.
pub const CYCLE: &[Edge<CycleState, CycleEvent>] = &[
    (S::Queued, E::Begun, S::Preparing),
    (S::Preparing, E::Prepared, S::Changing),
    (S::Preparing, E::RollbackPrepared, S::Deciding),
    (S::Changing, E::Changed, S::Testing),
    (S::Testing, E::TestsPassed, S::Committing),
    (S::Committing, E::Committed, S::Pushing),
    (S::Pushing, E::Pushed, S::OpeningPr),
    (S::OpeningPr, E::PrSettled, S::AwaitingCi),
    (S::AwaitingCi, E::CiPassed, S::Merging),
    (S::Merging, E::Merged, S::Readying),
    (S::Merging, E::MergedOnly, S::Succeeded),
    (S::Readying, E::Ready, S::Deploying),
    (S::Deploying, E::Deployed, S::Watching),
    (S::Watching, E::Watched, S::HealthChecking),
    (S::HealthChecking, E::Healthy, S::Succeeded),
    (S::Queued, E::StageFailed, S::Failed),
    (S::Preparing, E::StageFailed, S::Failed),
    (S::Changing, E::StageFailed, S::Failed),
    (S::Testing, E::StageFailed, S::Failed),
    (S::Committing, E::StageFailed, S::Failed),
    (S::Pushing, E::StageFailed, S::Failed),
    (S::OpeningPr, E::StageFailed, S::Failed),
    (S::AwaitingCi, E::StageFailed, S::Failed),
    (S::Merging, E::StageFailed, S::Failed),
    (S::Readying, E::StageFailed, S::Failed),
    (S::Queued, E::Cancelled, S::Cancelled),
    (S::Preparing, E::Cancelled, S::Cancelled),
    (S::Changing, E::Cancelled, S::Cancelled),
    (S::Testing, E::Cancelled, S::Cancelled),
    (S::Committing, E::Cancelled, S::Cancelled),
    (S::Pushing, E::Cancelled, S::Cancelled),
    (S::OpeningPr, E::Cancelled, S::Cancelled),
    (S::AwaitingCi, E::Cancelled, S::Cancelled),
    (S::Merging, E::Cancelled, S::Cancelled),
    (S::Readying, E::Cancelled, S::Cancelled),
    (S::Deploying, E::ReleaseFailed, S::Deciding),
    (S::Watching, E::ReleaseFailed, S::Deciding),
    (S::HealthChecking, E::ReleaseFailed, S::Deciding),
    (S::Deciding, E::RollbackDenied, S::Denied),
    (S::Deciding, E::ApprovalRequested, S::AwaitingApproval),
    (S::Deciding, E::AutoApproved, S::RollingBack),
    (S::AwaitingApproval, E::Approved, S::RollingBack),
    (S::AwaitingApproval, E::Rejected, S::Denied),
    (S::AwaitingApproval, E::Reconsidered, S::Deciding),
    (S::RollingBack, E::RollbackExecuted, S::VerifyingRollback),
    (S::RollingBack, E::RollbackFailed, S::RollbackFailed),
    (S::VerifyingRollback, E::RollbackVerified, S::RolledBack),
    (S::VerifyingRollback, E::RollbackFailed, S::RollbackFailed),
    (S::Preparing, E::Lost, S::NeedsOperator),
    (S::Changing, E::Lost, S::NeedsOperator),
    (S::Testing, E::Lost, S::NeedsOperator),
    (S::Committing, E::Lost, S::NeedsOperator),
    (S::Pushing, E::Lost, S::NeedsOperator),
    (S::OpeningPr, E::Lost, S::NeedsOperator),
    (S::AwaitingCi, E::Lost, S::NeedsOperator),
    (S::Merging, E::Lost, S::NeedsOperator),
    (S::Readying, E::Lost, S::NeedsOperator),
    (S::Deploying, E::Lost, S::NeedsOperator),
    (S::Watching, E::Lost, S::NeedsOperator),
    (S::HealthChecking, E::Lost, S::NeedsOperator),
    (S::Deciding, E::Lost, S::NeedsOperator),
    (S::RollingBack, E::Lost, S::NeedsOperator),
    (S::VerifyingRollback, E::Lost, S::NeedsOperator),
    (S::NeedsOperator, E::StatedDeciding, S::Deciding),
    (S::NeedsOperator, E::StatedFailed, S::Failed),
    (S::NeedsOperator, E::StatedCancelled, S::Cancelled),
];

use DecisionState as D;

/// The decision's transitions.
pub const DECISION: &[(DecisionState, DecisionState)] = &[
    (D::Proposed, D::Denied),
    (D::Proposed, D::AwaitingApproval),
    (D::Proposed, D::AutoApproved),
    (D::AutoApproved, D::Executing),
    (D::AwaitingApproval, D::Executing),
    (D::AwaitingApproval, D::Rejected),
    (D::AwaitingApproval, D::Expired),
    (D::AwaitingApproval, D::Superseded),
    (D::Expired, D::Proposed),
    (D::Superseded, D::Proposed),
    (D::Executing, D::Verifying),
    (D::Executing, D::Failed),
    (D::Executing, D::Unknown),
    (D::Verifying, D::Succeeded),
    (D::Verifying, D::Failed),
    (D::Verifying, D::Unknown),
    // A person stated what runs: the question is put again, or settled.
    (D::Unknown, D::Proposed),
    (D::Unknown, D::Failed),
];

use ApprovalState as A;

/// The approval's transitions.
pub const APPROVAL: &[(ApprovalState, ApprovalState)] = &[
    (A::Requested, A::Consumed),
    (A::Requested, A::Rejected),
    (A::Requested, A::Expired),
    (A::Requested, A::Superseded),
];

/// The state that follows `from` on `event`; none: not a row of the table.
#[must_use]
pub fn next(from: CycleState, event: CycleEvent) -> Option<CycleState> {
    CYCLE.iter().find(|(state, on, _)| *state == from && *on == event).map(|(_, _, to)| *to)
}

/// May a decision go from `from` to `to`?
#[must_use]
pub fn decision_may(from: DecisionState, to: DecisionState) -> bool {
    DECISION.contains(&(from, to))
}

/// May an approval go from `from` to `to`?
#[must_use]
pub fn approval_may(from: ApprovalState, to: ApprovalState) -> bool {
    APPROVAL.contains(&(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn terminal_cycle_states_are_exactly_those_that_nothing_leaves() {
        for &state in CycleState::ALL {
            let leaves = CYCLE.iter().any(|(from, _, _)| *from == state);
            assert_eq!(leaves, !state.is_terminal(), "{state}");
        }
    }

    #[test]
    fn every_state_and_event_has_at_most_one_row() {
        let pairs: BTreeSet<_> = CYCLE.iter().map(|(from, on, _)| (*from, *on)).collect();
        assert_eq!(pairs.len(), CYCLE.len());
    }

    #[test]
    fn every_state_is_reached_from_queued_and_reaches_a_terminal_one() {
        let reach = |from: CycleState| {
            let mut seen = BTreeSet::from([from]);
            loop {
                let more: Vec<_> = CYCLE
                    .iter()
                    .filter(|(a, _, b)| seen.contains(a) && !seen.contains(b))
                    .map(|(_, _, b)| *b)
                    .collect();
                if more.is_empty() {
                    return seen;
                }
                seen.extend(more);
            }
        };
        assert_eq!(reach(CycleState::Queued).len(), CycleState::ALL.len());
        for &state in CycleState::ALL {
            assert!(reach(state).into_iter().any(CycleState::is_terminal), "{state} has no way out");
        }
    }

    #[test]
    fn every_event_is_used() {
        for &event in CycleEvent::ALL {
            assert!(CYCLE.iter().any(|(_, on, _)| *on == event), "{event}");
        }
    }

    #[test]
    fn nothing_rolls_back_without_a_decision_or_an_approval() {
        let into: BTreeSet<_> = CYCLE
            .iter()
            .filter(|(_, _, to)| *to == S::RollingBack)
            .map(|(from, on, _)| (*from, *on))
            .collect();
        assert_eq!(
            into,
            BTreeSet::from([(S::Deciding, E::AutoApproved), (S::AwaitingApproval, E::Approved)])
        );
    }

    #[test]
    fn an_answered_approval_is_final_and_a_denied_decision_is_never_executed() {
        assert!(APPROVAL.iter().all(|(from, _)| *from == A::Requested));
        for closed in [D::Denied, D::Rejected, D::Succeeded, D::Failed] {
            assert!(DECISION.iter().all(|(from, _)| *from != closed), "{closed}");
        }
        let into: BTreeSet<_> =
            DECISION.iter().filter(|(_, to)| *to == D::Executing).map(|(from, _)| *from).collect();
        assert_eq!(into, BTreeSet::from([D::AutoApproved, D::AwaitingApproval]));
    }
}
