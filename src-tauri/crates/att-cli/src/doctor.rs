//! `att doctor`: each step as it ends, and what to do about the one that fails.

use crate::args::DoctorArguments;
use crate::print;
use att_api::dto::DoctorStepDto;
use att_api::{Home, Report};
use std::process::ExitCode;

/// Runs `att doctor`.
pub async fn run(home: Home, doctor: DoctorArguments, as_json: bool) -> Result<ExitCode, Report> {
    let tell = |step: DoctorStepDto| {
        if !as_json {
            show(&step);
        }
    };
    let found = att_api::doctor(&home, doctor.config.config, doctor.server, tell).await?;
    if as_json {
        print::json(&found);
    }
    Ok(if found.well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(step: &DoctorStepDto) {
    let mark = match step.outcome.as_str() {
        "ok" => "●",
        "failed" => "✕",
        _ => "○",
    };
    let time = if step.outcome == "skipped" { String::new() } else { format!(" ({} ms)", step.took_ms) };
    print::line(&print::plain(&format!("{mark} {:<8} {:<8} {}{time}", step.step, step.outcome, step.seen)));
    if let Some(cure) = &step.cure {
        print::line(&print::plain(&format!("    cure: {cure}")));
    }
}
