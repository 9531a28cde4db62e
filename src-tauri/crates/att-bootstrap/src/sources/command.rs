//! The operator's own program, which prints `{"current_release_id", "previous_release_id", "source"?}`.

use super::{ReleaseAnswer, ReleaseSource, ReleaseSourceContext, SourceError};
use crate::model::SourceKind;
use crate::world::{Checkout, CommandRun, TargetCommand};
use async_trait::async_trait;
use serde::Deserialize;

pub(super) struct OperatorCommand;

#[derive(Deserialize)]
struct Printed {
    #[serde(default)]
    current_release_id: Option<String>,
    #[serde(default)]
    previous_release_id: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

#[async_trait]
impl ReleaseSource for OperatorCommand {
    fn kind(&self) -> SourceKind {
        SourceKind::Command
    }

    async fn ask(&self, context: ReleaseSourceContext<'_>) -> Result<ReleaseAnswer, SourceError> {
        let Some(command) = &context.config.sources.command else { return Ok(ReleaseAnswer::default()) };
        let told = TargetCommand {
            cwd: context.world.checkout_dir(&context.cycle.id, Checkout::Base),
            release_id: context.running.map(str::to_owned),
            target: context.target.name.clone(),
            health_target: context.target_config.policy.health_check_target.clone(),
            ..TargetCommand::default()
        };
        match context.world.run("release source", &told.spec(command), command.timeout_ms, None).await {
            CommandRun::Passed(text) if text.trim().is_empty() => Ok(ReleaseAnswer::default()),
            CommandRun::Passed(text) => {
                let printed: Printed = serde_json::from_str(text.trim())
                    .map_err(|error| SourceError(format!("it printed no usable JSON: {error}")))?;
                Ok(ReleaseAnswer {
                    current_release_id: printed.current_release_id,
                    previous_release_id: printed.previous_release_id,
                    detail: printed.source,
                })
            }
            other => Err(SourceError(other.detail().to_owned())),
        }
    }
}
