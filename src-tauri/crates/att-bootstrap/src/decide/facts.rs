//! The facts of a decision.

use super::gather::Circumstances;
use crate::model::{Fact, FailureClass, Guardrail, SourceAnswer, SourceKind};
use serde_json::json;

/// What is known, each with its source. Stable ones are what an approval binds to.
pub(super) fn facts(
    of: &Circumstances<'_>,
    class: FailureClass,
    at_ms: i64,
    goal: (Option<&str>, Option<SourceKind>),
    sources: &[SourceAnswer],
    guardrails: &[Guardrail],
) -> Vec<Fact> {
    let fact = |id: &str, value: serde_json::Value, source: &str, stable: bool| Fact {
        id: id.to_owned(),
        value,
        source: source.to_owned(),
        observed_at_ms: at_ms,
        stable,
    };
    let failure = of.cycle.failure.as_ref();
    let mut facts = vec![
        fact("failure_class", json!(class), "cycle", true),
        fact("failure_cause", json!(failure.map(|failure| &failure.cause)), "cycle", true),
        fact("failure_detail", json!(failure.map(|failure| &failure.detail)), "cycle", false),
        fact("deployment_context", json!(of.policy.deployment_context), "att.toml", true),
        fact("config_digest", json!(of.config.digest), "att.toml", true),
        fact("generation", json!(of.target.generation), "journal", true),
        fact("expected_generation", json!(of.cycle.expected_generation), "cycle", true),
        fact("deployed_release_id", json!(of.cycle.release_id), "cycle", true),
        fact("target_release_id", json!(goal.0), goal.1.map_or("nobody", SourceKind::as_str), true),
    ];
    match of.observed {
        Ok(observed) => {
            facts.push(fact("running_release_id", json!(observed.release_id), "observe", true));
            facts.push(fact("running_digest", json!(observed.digest), "observe", true));
            facts.push(fact("running_commit", json!(observed.commit), "observe", true));
        }
        Err(error) => {
            facts.push(fact("running_release_id", json!(null), "observe", true));
            facts.push(fact("observe_error", json!(error.0), "observe", false));
        }
    }
    for answer in sources {
        // The decision rests on the answer that won; the others may move without changing it.
        let stable = answer.won;
        let source = answer.source.as_str();
        facts.push(fact(
            &format!("source.{source}"),
            json!({
                "outcome": answer.outcome,
                "current_release_id": answer.current_release_id,
                "previous_release_id": answer.previous_release_id,
            }),
            source,
            stable,
        ));
    }
    for guard in guardrails {
        facts.push(fact(&format!("guardrail.{}", guard.id), json!(guard.outcome), "guardrails", true));
    }
    facts
}
