//! Which release runs and which ran before: asked of several sources, every answer, silence and error kept
//! (design 2.4). A source that fails or hangs never fails the cycle.

mod command;
mod git;
mod ledger;
mod runtime_log;

pub use runtime_log::last_release;

use crate::config::{Config, TargetConfig};
use crate::model::{Cycle, Project, Release, SourceAnswer, SourceKind, SourceOutcome, Target};
use crate::store::CycleStore;
use crate::world::World;
use async_trait::async_trait;
use std::time::Duration;

/// What a source may look at.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseSourceContext<'a> {
    /// The outside.
    pub world: &'a World,
    /// The journal.
    pub store: &'a dyn CycleStore,
    /// The project.
    pub project: &'a Project,
    /// The cycle that asks.
    pub cycle: &'a Cycle,
    /// Its `att.toml`.
    pub config: &'a Config,
    /// The deploy target's part of it.
    pub target_config: &'a TargetConfig,
    /// The target as last seen.
    pub target: &'a Target,
    /// What is known of its releases.
    pub releases: &'a [Release],
    /// The release that runs, or, for a readiness card, the one that is about to.
    pub running: Option<&'a str>,
}

/// What a source knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseAnswer {
    /// What runs.
    pub current_release_id: Option<String>,
    /// What ran before.
    pub previous_release_id: Option<String>,
    /// More, for the person who reads it.
    pub detail: Option<String>,
}

/// Why a source could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// One place that may know which release runs.
#[async_trait]
pub trait ReleaseSource: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> SourceKind;
    /// Its answer; an empty one is silence.
    async fn ask(&self, context: ReleaseSourceContext<'_>) -> Result<ReleaseAnswer, SourceError>;
}

fn source(kind: SourceKind) -> Option<Box<dyn ReleaseSource>> {
    match kind {
        SourceKind::Request => None,
        SourceKind::Ledger => Some(Box::new(ledger::Ledger)),
        SourceKind::RuntimeLog => Some(Box::new(runtime_log::RuntimeLog)),
        SourceKind::Git => Some(Box::new(git::BaseBranch)),
        SourceKind::Command => Some(Box::new(command::OperatorCommand)),
    }
}

/// Every source's answer in order, the request's ids first, with the winner marked.
pub async fn ask_all(context: ReleaseSourceContext<'_>) -> Vec<SourceAnswer> {
    let mut answers = Vec::new();
    let request = &context.cycle.request;
    if let Some(previous) = request.previous_release_id.as_ref().filter(|id| !id.is_empty()) {
        answers.push(SourceAnswer {
            source: SourceKind::Request,
            outcome: SourceOutcome::Complete,
            current_release_id: context.running.map(str::to_owned),
            previous_release_id: Some(previous.clone()),
            detail: Some("named in the request".to_owned()),
            asked_at_ms: context.world.now_ms(),
            took_ms: 0,
            won: false,
        });
    }
    let timeout_ms = context.config.sources.timeout_ms;
    for kind in &context.config.sources.order {
        if let Some(source) = source(*kind) {
            answers.push(ask_one(source.as_ref(), context, timeout_ms).await);
        }
    }
    if let Some(winner) = answers.iter_mut().find(|answer| answer.outcome == SourceOutcome::Complete) {
        winner.won = true;
    }
    answers
}

async fn ask_one(
    source: &dyn ReleaseSource,
    context: ReleaseSourceContext<'_>,
    timeout_ms: i64,
) -> SourceAnswer {
    let asked_at_ms = context.world.now_ms();
    let limit = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(1));
    let result = tokio::time::timeout(limit, source.ask(context)).await;
    let silent = SourceAnswer {
        source: source.kind(),
        outcome: SourceOutcome::Silent,
        current_release_id: None,
        previous_release_id: None,
        detail: None,
        asked_at_ms,
        took_ms: context.world.now_ms() - asked_at_ms,
        won: false,
    };
    match result {
        Err(_) => SourceAnswer {
            outcome: SourceOutcome::TimedOut,
            detail: Some(format!("no answer within {timeout_ms} ms")),
            ..silent
        },
        Ok(Err(error)) => {
            SourceAnswer { outcome: SourceOutcome::Error, detail: Some(att_core::redact(&error.0)), ..silent }
        }
        Ok(Ok(answer)) => judge(answer, context, silent),
    }
}

fn judge(answer: ReleaseAnswer, context: ReleaseSourceContext<'_>, silent: SourceAnswer) -> SourceAnswer {
    let clean = |id: Option<String>| id.filter(|id| !id.is_empty());
    let current_release_id = clean(answer.current_release_id);
    let previous_release_id = clean(answer.previous_release_id);
    let outcome = match (&current_release_id, &previous_release_id) {
        (None, _) => SourceOutcome::Silent,
        (Some(current), _) if context.running.is_some_and(|running| running != current) => {
            SourceOutcome::Stale
        }
        (Some(_), None) => SourceOutcome::Incomplete,
        (Some(_), Some(_)) => SourceOutcome::Complete,
    };
    SourceAnswer { outcome, current_release_id, previous_release_id, detail: answer.detail, ..silent }
}

/// The id that a release made of `commit` has on the target: the recorded one, else the usual form.
pub(crate) fn release_id_of(commit: &str, target: &Target, releases: &[Release]) -> String {
    releases
        .iter()
        .rev()
        .find(|release| release.commit.as_deref() == Some(commit))
        .map_or_else(|| usual_release_id(&target.name, commit), |release| release.id.clone())
}

/// `<target>-<12 hex of the commit>` (design 4).
pub(crate) fn usual_release_id(target: &str, commit: &str) -> String {
    format!("{target}-{}", commit.get(..12).unwrap_or(commit))
}
