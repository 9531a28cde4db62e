//! From a failure to a proposed decision: facts, sources, matrix, guardrails, plan, diff (design 2.5 and 2.6).

mod facts;
mod gather;

pub use gather::{Circumstances, Gathered, gather, readiness};

use crate::model::{Decision, Fact, PlanStep};
use att_core::{canonical_json, sha256_hex};
use serde::Serialize;

/// What an approval binds to.
#[derive(Debug, Serialize)]
struct Bound<'a> {
    decision_id: &'a str,
    version: u64,
    generation: u64,
    deployed_release_id: Option<&'a str>,
    target_release_id: Option<&'a str>,
    facts: Vec<BoundFact<'a>>,
    plan: &'a [PlanStep],
}

#[derive(Debug, Serialize)]
struct BoundFact<'a> {
    id: &'a str,
    value: &'a serde_json::Value,
    source: &'a str,
}

/// SHA-256 over canonical JSON of ids, version, generation, releases, stable facts and plan.
#[must_use]
pub fn digest_of(decision: &Decision) -> String {
    let bound = Bound {
        decision_id: decision.id.as_str(),
        version: decision.version,
        generation: decision.generation,
        deployed_release_id: decision.deployed_release_id.as_deref(),
        target_release_id: decision.target_release_id.as_deref(),
        facts: decision
            .facts
            .iter()
            .filter(|fact| fact.stable)
            .map(|fact| BoundFact { id: &fact.id, value: &fact.value, source: &fact.source })
            .collect(),
        plan: &decision.plan,
    };
    // Strings, numbers and JSON values always have a canonical form; the other arm only keeps this total.
    sha256_hex(canonical_json(&bound).unwrap_or_else(|_| format!("{bound:?}")))
}

/// What differs between the decision on screen and the same decision with facts of now, one line each.
#[must_use]
pub fn what_changed(seen: &Decision, fresh: &Decision) -> Vec<String> {
    let mut lines = Vec::new();
    let stable = |facts: &[Fact]| -> Vec<Fact> { facts.iter().filter(|fact| fact.stable).cloned().collect() };
    let (before, after) = (stable(&seen.facts), stable(&fresh.facts));
    for fact in &before {
        match after.iter().find(|other| other.id == fact.id) {
            None => lines.push(format!("{} is not known any more (it was {})", fact.id, fact.value)),
            Some(other) if other.value != fact.value => {
                lines.push(format!("{}: it was {}, it is {}", fact.id, fact.value, other.value));
            }
            Some(_) => {}
        }
    }
    for fact in after.iter().filter(|fact| before.iter().all(|other| other.id != fact.id)) {
        lines.push(format!("{} is new: {}", fact.id, fact.value));
    }
    if seen.generation != fresh.generation {
        lines.push(format!("generation: it was {}, it is {}", seen.generation, fresh.generation));
    }
    if seen.target_release_id != fresh.target_release_id {
        lines.push("the release to roll back to is another one".to_owned());
    }
    if seen.plan != fresh.plan {
        lines.push("what would be run changed".to_owned());
    }
    if lines.is_empty() && digest_of(seen) != digest_of(fresh) {
        lines.push("a fact comes from another source".to_owned());
    }
    lines
}
