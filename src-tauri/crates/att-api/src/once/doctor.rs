//! `att doctor`: one server, step by step, over connections of its own.

use super::Short;
use crate::dto::{DoctorDto, DoctorStepDto};
use crate::home::Home;
use crate::room::ControlRoom;
use att_core::id::OsRandomness;
use att_core::{Code, Report, SystemClock};
use att_mcp::doctor::{DoctorStep, Instruments, StepOutcome, examine};
use std::path::PathBuf;
use std::sync::Arc;

/// Examines `server`; each step is told as it ends. The live fleet is not touched.
///
/// # Errors
/// When the configuration cannot be read or does not have the server.
pub async fn doctor(
    home: &Home,
    config: Option<PathBuf>,
    server: String,
    mut tell: impl FnMut(DoctorStepDto) + Send,
) -> Result<DoctorDto, Report> {
    let short = Short::read(home, config).await?;
    let found = short.configuration.servers.iter().find(|known| known.name == server);
    let Some(found) = found.cloned() else {
        let broken =
            short.configuration.problems.iter().find(|problem| problem.subject.as_ref() == Some(&server));
        return Err(match broken {
            Some(problem) => Report::new(Code::InvalidConfig, format!("the entry of `{server}` is broken"))
                .cause(format!("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message))
                .cure(problem.cure.clone()),
            None => crate::requests::no_such_server(&server),
        });
    };
    let consented = found.command_digest().is_none_or(|digest| short.consented(&server, &digest));
    let instruments = Instruments {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(OsRandomness),
        secrets: crate::secrets::Secrets::of(home),
    };
    let steps = examine(found, consented, instruments, &mut |found: &DoctorStep| tell(step(found))).await;
    let well = steps.iter().all(|step| step.outcome != StepOutcome::Failed);
    Ok(DoctorDto { server, well, steps: steps.iter().map(step).collect() })
}

fn step(step: &DoctorStep) -> DoctorStepDto {
    DoctorStepDto {
        step: step.step.clone(),
        outcome: crate::convert::word(&step.outcome),
        took_ms: step.took_ms,
        seen: step.seen.clone(),
        cure: step.cure.clone(),
    }
}

impl ControlRoom {
    /// Examines a server step by step, over a connection of its own.
    ///
    /// # Errors
    /// As [`doctor`].
    pub async fn server_doctor(&self, server: String) -> Result<DoctorDto, Report> {
        doctor(&self.0.home, None, server, |_| ()).await
    }
}
