//! The deployments that ATT itself recorded.

use super::{ReleaseAnswer, ReleaseSource, ReleaseSourceContext, SourceError};
use crate::model::{CycleKind, SourceKind};
use async_trait::async_trait;

pub(super) struct Ledger;

#[async_trait]
impl ReleaseSource for Ledger {
    fn kind(&self) -> SourceKind {
        SourceKind::Ledger
    }

    async fn ask(&self, context: ReleaseSourceContext<'_>) -> Result<ReleaseAnswer, SourceError> {
        let chain = context
            .store
            .chain(&context.target.id, 2)
            .await
            .map_err(|error| SourceError(error.to_string()))?;
        let Some(head) = chain.first() else { return Ok(ReleaseAnswer::default()) };
        // What a cycle captured before its deploy is the previous release, whatever the deploy left behind.
        let captured = context.cycle.previous_release_id.clone();
        let (current, previous) = match (context.cycle.kind, captured) {
            (CycleKind::Release, Some(captured))
                if context.running == context.cycle.release_id.as_deref() =>
            {
                (context.cycle.release_id.clone(), Some(captured))
            }
            (CycleKind::Release, Some(captured)) => (Some(head.release_id.clone()), Some(captured)),
            _ => (Some(head.release_id.clone()), chain.get(1).map(|row| row.release_id.clone())),
        };
        let detail = Some(format!("generation {}", head.generation));
        Ok(ReleaseAnswer { current_release_id: current, previous_release_id: previous, detail })
    }
}
