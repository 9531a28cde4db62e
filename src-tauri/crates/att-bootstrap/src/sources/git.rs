//! Head of the base branch in our own fetch, and its first parent. The operator's checkout does not count.

use super::{ReleaseAnswer, ReleaseSource, ReleaseSourceContext, SourceError, release_id_of};
use crate::model::SourceKind;
use async_trait::async_trait;

pub(super) struct BaseBranch;

#[async_trait]
impl ReleaseSource for BaseBranch {
    fn kind(&self) -> SourceKind {
        SourceKind::Git
    }

    async fn ask(&self, context: ReleaseSourceContext<'_>) -> Result<ReleaseAnswer, SourceError> {
        let failed = |error: crate::world::GitError| SourceError(error.to_string());
        let head = context.world.base_commit(context.project).map_err(failed)?;
        let parent = context.world.first_parent(context.project, &head).map_err(failed)?;
        let name = |commit: &str| release_id_of(commit, context.target, context.releases);
        Ok(ReleaseAnswer {
            current_release_id: Some(name(&head)),
            previous_release_id: parent.as_deref().map(name),
            detail: Some(format!("head of {} is {head}", context.project.base)),
        })
    }
}
