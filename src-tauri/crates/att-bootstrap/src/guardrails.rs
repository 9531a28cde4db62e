//! What comes after the matrix (design 2.5): every guardrail is evaluated, and none makes the answer laxer.

use crate::model::{
    DeploymentContext, FailureClass, Guardrail, GuardrailId, GuardrailOutcome, Release, Ruling,
};
use att_core::id::CycleId;

/// The window in which rollbacks count as a loop.
pub const LOOP_WINDOW_MS: i64 = 24 * 60 * 60 * 1000;
/// So many rollbacks in the window are still no loop.
pub const LOOP_LIMIT: usize = 2;

/// What the target's `preflight` command said about the release to bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preflight {
    /// There is none, or the matrix has denied already.
    NotAsked,
    /// The release can be brought back.
    Available,
    /// It cannot, and why.
    Unavailable(String),
    /// It gave no verdict, and why.
    Unknown(String),
}

/// A rollback that happened on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRollback {
    /// What ran before.
    pub from: Option<String>,
    /// What was brought back.
    pub to: String,
    /// When.
    pub at_ms: i64,
}

/// What the guardrails look at.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Now.
    pub now_ms: i64,
    /// Why the question is asked.
    pub failure_class: FailureClass,
    /// Safe mode's reason, when it is on.
    pub safe_mode: Option<&'a str>,
    /// Did this cycle change what runs? None: nobody could tell.
    pub deployed_by_this_cycle: Option<bool>,
    /// The generation after this cycle's own last operation.
    pub expected_generation: Option<u64>,
    /// The target's generation, with what was just observed taken in; none: it could not be observed.
    pub generation: Option<u64>,
    /// Another cycle that is rolling this target back.
    pub other_rollback: Option<&'a CycleId>,
    /// The release that runs.
    pub deployed_release_id: Option<&'a str>,
    /// The release to bring back.
    pub target_release_id: Option<&'a str>,
    /// What is known of it.
    pub target_release: Option<&'a Release>,
    /// Did it ever run here, by the chain's links?
    pub target_in_chain: bool,
    /// Does only a log line name it?
    pub target_from_log_only: bool,
    /// The executor's preflight.
    pub preflight: Preflight,
    /// Rollbacks on this target, any order.
    pub past_rollbacks: &'a [PastRollback],
    /// The freeze window that is open and applies to rollbacks too.
    pub freeze: Option<&'a str>,
    /// The matrix allowed it without a target release (rule 4).
    pub unspecified: bool,
    /// The gate gave no verdict.
    pub inconclusive: bool,
}

struct Answer {
    outcome: GuardrailOutcome,
    evidence: String,
    would_allow_if: Option<String>,
}

fn pass(evidence: impl Into<String>) -> Answer {
    Answer { outcome: GuardrailOutcome::Pass, evidence: evidence.into(), would_allow_if: None }
}

fn object(outcome: GuardrailOutcome, evidence: impl Into<String>, would_allow_if: &str) -> Answer {
    Answer { outcome, evidence: evidence.into(), would_allow_if: Some(would_allow_if.to_owned()) }
}

/// Every guardrail's answer, in the order in which they are shown.
#[must_use]
pub fn evaluate(situation: &Situation<'_>) -> Vec<Guardrail> {
    GuardrailId::ALL
        .iter()
        .map(|&id| {
            let Answer { outcome, evidence, would_allow_if } = judge(id, situation);
            Guardrail { id, outcome, evidence, would_allow_if }
        })
        .collect()
}

fn judge(id: GuardrailId, s: &Situation<'_>) -> Answer {
    use GuardrailOutcome::{Deny, Escalate, Unknown};
    let asked_by_a_person = s.failure_class == FailureClass::OperatorRequest;
    let Some(target) = s.target_release_id.filter(|id| !id.is_empty()) else {
        return judge_without_target(id, s);
    };
    match id {
        GuardrailId::RollbackTargetQuarantined => {
            match s.target_release.and_then(|release| release.quarantine.as_ref()) {
                Some(mark) => object(
                    Deny,
                    format!("{target} is quarantined: {}", mark.reason),
                    "the quarantine mark were lifted",
                ),
                None => pass(format!("{target} bears no quarantine mark")),
            }
        }
        GuardrailId::RollbackTargetNotInChain if s.target_in_chain => {
            pass(format!("{target} ran on this target before"))
        }
        GuardrailId::RollbackTargetNotInChain => object(
            Escalate,
            format!("no recorded deployment of {target} on this target"),
            "the release were one of the chain",
        ),
        GuardrailId::RollbackTargetNeverHealthy => {
            match s.target_release.and_then(|release| release.healthy_at_ms) {
                Some(at_ms) => pass(format!("{target} was found healthy at {at_ms} ms")),
                None => object(
                    Escalate,
                    format!("{target} was never found healthy here"),
                    "the release had passed a health gate here",
                ),
            }
        }
        GuardrailId::RollbackTargetFromLogOnly if s.target_from_log_only => object(
            Escalate,
            format!("only a log line names {target}"),
            "the ledger, git or the request named the release too",
        ),
        GuardrailId::RollbackTargetFromLogOnly => pass(format!("{target} is not known from a log alone")),
        GuardrailId::RollbackTargetUnavailable => match &s.preflight {
            Preflight::NotAsked => pass("the target has no preflight command"),
            Preflight::Available => pass(format!("the preflight found {target}")),
            Preflight::Unavailable(why) => object(Deny, why, "the preflight found the release"),
            Preflight::Unknown(why) => object(Unknown, why, "the preflight gave a verdict"),
        },
        GuardrailId::RollbackLoop => judge_loop(s, target),
        GuardrailId::NothingDeployedByThisCycle if asked_by_a_person => {
            pass("a person asks for it; it answers to no deploy of this cycle")
        }
        _ => judge_without_target(id, s),
    }
}

/// The guardrails that do not look at the release to bring back.
fn judge_without_target(id: GuardrailId, s: &Situation<'_>) -> Answer {
    use GuardrailOutcome::{Deny, Escalate, Unknown};
    let asked_by_a_person = s.failure_class == FailureClass::OperatorRequest;
    match id {
        GuardrailId::SafeModeActive => match s.safe_mode {
            None => pass("safe mode is off"),
            Some(reason) if asked_by_a_person => object(
                Escalate,
                format!("safe mode is on ({reason}); a person asks"),
                "safe mode were lifted",
            ),
            Some(reason) => object(Deny, format!("safe mode is on: {reason}"), "safe mode were lifted"),
        },
        GuardrailId::NothingDeployedByThisCycle => match s.deployed_by_this_cycle {
            _ if asked_by_a_person => pass("a person asks for it; it answers to no deploy of this cycle"),
            Some(true) => pass("this cycle changed what runs"),
            Some(false) => object(
                Deny,
                "what ran before the deploy still runs",
                "this cycle's deploy had changed what runs",
            ),
            None => object(
                Unknown,
                "the target could not be observed after the deploy",
                "the target could be observed",
            ),
        },
        GuardrailId::TargetChanged => match (s.expected_generation, s.generation) {
            (_, None) => object(Unknown, "the target cannot be observed", "the target could be observed"),
            (Some(expected), Some(found)) if expected != found => object(
                Deny,
                format!("expected generation {expected}, found {found}: somebody else changed the target"),
                "nobody else had changed the target",
            ),
            (_, Some(found)) => pass(format!("generation {found}, as expected")),
        },
        GuardrailId::RollbackInProgress => match s.other_rollback {
            Some(cycle) => object(
                Deny,
                format!("cycle {cycle} is rolling this target back"),
                "no other rollback were running",
            ),
            None => pass("no other rollback is running"),
        },
        GuardrailId::FreezeWindow => match s.freeze {
            Some(window) => object(
                Escalate,
                format!("the freeze window {window} includes rollbacks"),
                "the freeze window were over",
            ),
            None => pass("no freeze window holds rollbacks"),
        },
        GuardrailId::UnspecifiedTarget if s.unspecified && s.target_release_id.is_none() => object(
            Escalate,
            "nobody named a release, and the chain holds no other one that was healthy",
            "a release to roll back to were known",
        ),
        GuardrailId::UnspecifiedTarget if s.unspecified => {
            pass("nobody named a release; resolved to the last known good of the chain")
        }
        GuardrailId::UnspecifiedTarget => pass("the release to bring back was named"),
        GuardrailId::InconclusiveHealth if s.inconclusive => {
            object(Escalate, "the health gate gave no verdict", "the health gate had said yes or no")
        }
        GuardrailId::InconclusiveHealth => pass("the failure is a clear one"),
        GuardrailId::RollbackTargetQuarantined
        | GuardrailId::RollbackTargetNotInChain
        | GuardrailId::RollbackTargetNeverHealthy
        | GuardrailId::RollbackTargetFromLogOnly
        | GuardrailId::RollbackTargetUnavailable
        | GuardrailId::RollbackLoop => pass("there is no release to look at"),
    }
}

fn judge_loop(s: &Situation<'_>, target: &str) -> Answer {
    let lately: Vec<_> =
        s.past_rollbacks.iter().filter(|past| s.now_ms - past.at_ms < LOOP_WINDOW_MS).collect();
    let pair = [Some(target), s.deployed_release_id];
    let again = lately
        .iter()
        .any(|past| pair.contains(&Some(past.to.as_str())) && pair.contains(&past.from.as_deref()));
    let cure = "the last rollbacks lay more than 24 hours back";
    if again {
        let evidence = format!("a rollback between the same two releases ({target}) in the last 24 hours");
        return object(GuardrailOutcome::Escalate, evidence, cure);
    }
    if lately.len() >= LOOP_LIMIT {
        let evidence = format!("{} rollbacks on this target in the last 24 hours", lately.len());
        return object(GuardrailOutcome::Escalate, evidence, cure);
    }
    pass(format!("{} rollbacks on this target in the last 24 hours", lately.len()))
}

/// Matrix and guardrails taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// May it happen?
    pub allowed: bool,
    /// Does a person decide?
    pub needs_person: bool,
    /// The matrix's reason if it denies, else the first denying guard's, else the matrix's.
    pub reason: String,
}

/// Joins the ruling with the guardrails' answers.
#[must_use]
pub fn conclude(
    ruling: &Ruling,
    guardrails: &[Guardrail],
    class: FailureClass,
    context: DeploymentContext,
    always_ask: bool,
) -> Verdict {
    let denying = guardrails.iter().find(|guard| guard.outcome == GuardrailOutcome::Deny);
    let escalates = guardrails
        .iter()
        .any(|guard| matches!(guard.outcome, GuardrailOutcome::Escalate | GuardrailOutcome::Unknown));
    let allowed = ruling.allowed && denying.is_none();
    let reason = match denying {
        Some(guard) if ruling.allowed => guard.id.to_string(),
        _ => ruling.reason.to_string(),
    };
    let by_nature = context == DeploymentContext::External || class == FailureClass::OperatorRequest;
    Verdict { allowed, needs_person: allowed && (by_nature || always_ask || escalates), reason }
}

#[cfg(test)]
#[path = "guardrails_tests.rs"]
mod tests;
