//! `att import`: what would be done is shown first.

use crate::args::ImportArguments;
use crate::{print, with_room};
use att_api::dto::{ImportDoneDto, ImportPlanDto, ImportServerDto};
use att_api::{Drive, Home, Report};
use serde_json::json;
use std::process::ExitCode;

/// Runs `att import`.
pub async fn run(home: Home, import: ImportArguments, as_json: bool) -> Result<ExitCode, Report> {
    let folder = std::env::current_dir().ok().map(|folder| folder.display().to_string());
    with_room(home, Drive::Nothing, async |room| {
        let plan = room.import_plan(import.from.clone(), import.file.clone(), folder.clone()).await?;
        if !as_json {
            show(&plan);
        }
        if import.dry_run {
            if as_json {
                print::json(&json!({"plan": plan, "done": null}));
            }
            return Ok(well(plan.problems.is_empty() && plan.servers.iter().all(|s| s.unusable.is_none())));
        }
        let on_conflict = import.on_conflict.word().to_owned();
        let digest = Some(plan.digest.clone());
        let done = room
            .import_apply(
                import.from.clone(),
                import.file.clone(),
                folder.clone(),
                digest,
                on_conflict,
                import.only.clone(),
            )
            .await?;
        match as_json {
            true => print::json(&json!({"plan": plan, "done": done})),
            false => tell(&done),
        }
        Ok(well(plan.problems.is_empty() && done.problems.is_empty()))
    })
    .await
}

fn well(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn show(plan: &ImportPlanDto) {
    for server in &plan.servers {
        print::line(&print::plain(&format!("{} [{}] from {}", server.name, server.standing, server.source)));
        print::line(&print::plain(&format!("  {}", reached(server))));
        for (what, names) in [("environment", &server.env_names), ("secrets kept as", &server.secrets)] {
            if !names.is_empty() {
                print::line(&print::plain(&format!("  {what}: {}", names.join(", "))));
            }
        }
        for note in &server.notes {
            print::line(&print::plain(&format!("  note: {note}")));
        }
    }
    if plan.servers.is_empty() {
        print::line("No servers were found.");
    }
    for problem in &plan.problems {
        print::remark(&format!("warning: {problem}"));
    }
}

fn reached(server: &ImportServerDto) -> String {
    if let Some(why) = &server.unusable {
        return format!("cannot be taken over: {why}");
    }
    match &server.url {
        Some(url) => url.clone(),
        // Quoted one by one, or two arguments could pass for one.
        None => server.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word of a command line, so that its ends are seen.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("{word:?}") }
}

fn tell(done: &ImportDoneDto) {
    for (what, names) in [
        ("added", &done.added),
        ("replaced", &done.replaced),
        ("left as they are", &done.kept),
        ("secrets kept", &done.secrets),
    ] {
        if !names.is_empty() {
            print::line(&print::plain(&format!("{what}: {}", names.join(", "))));
        }
    }
    if done.added.is_empty() && done.replaced.is_empty() {
        print::line("Nothing was changed.");
    } else {
        print::remark("commands run after you approved them: att consent list");
    }
    for problem in &done.problems {
        print::remark(&format!("warning: {problem}"));
    }
}
