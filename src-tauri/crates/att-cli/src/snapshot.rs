//! `att snapshot ...`: what a server offered, what changed, and what a person accepts of it.

use crate::args::SnapshotCommand;
use crate::{ask, print};
use att_api::dto::{SnapshotDiffDto, SnapshotHistoryDto};
use att_api::{ControlRoom, Report};
use std::process::ExitCode;

/// The word that stands for the accepted snapshot.
const BASELINE: &str = "baseline";

/// Runs one of the commands.
pub async fn run(room: &ControlRoom, command: SnapshotCommand, json: bool) -> Result<ExitCode, Report> {
    match command {
        SnapshotCommand::List { server, before } => {
            let history = room.snapshot_history(server, before, None).await?;
            if json {
                print::json(&history.snapshots);
            } else {
                list(&history);
            }
        }
        SnapshotCommand::Show { server, id } => {
            let history = room.snapshot_history(server.clone(), None, None).await?;
            let snapshot = room.snapshot_show(server, pick(&history, id.as_deref(), true)?).await?;
            if json {
                print::json(&snapshot);
            } else {
                let rows = snapshot.items.iter().map(|item| {
                    let text = item.malformed.clone().map(|why| format!("malformed: {why}"));
                    let text = text.or(item.description.clone()).unwrap_or_default();
                    vec![item.kind.clone(), item.name.clone(), text]
                });
                print::table(&["kind", "name", "description"], rows.collect(), "It offers nothing.");
            }
        }
        SnapshotCommand::Diff { server, from, to } => {
            let history = room.snapshot_history(server.clone(), None, None).await?;
            let from = pick(&history, from.as_deref(), false)?;
            let to = pick(&history, to.as_deref(), true)?;
            let diff = room.snapshot_diff(server, from, to).await?;
            if json {
                print::json(&diff);
            } else {
                changes(&diff);
            }
        }
        SnapshotCommand::Accept { server, id } => {
            ask::need_terminal("accepting a baseline")?;
            let history = room.snapshot_history(server.clone(), None, None).await?;
            let id = pick(&history, Some(&id), true)?;
            show_change(room, &history, &server, &id).await?;
            let reason = ask::line("Accept it as the baseline? Say why, or press Enter to stop: ")?;
            if reason.is_empty() {
                return Ok(ExitCode::from(1));
            }
            room.snapshot_accept(server, id, reason).await?;
        }
        SnapshotCommand::Clear { server } => {
            ask::need_terminal("clearing a baseline")?;
            let reason = ask::line("Take the baseline back? Say why, or press Enter to stop: ")?;
            if reason.is_empty() {
                return Ok(ExitCode::from(1));
            }
            room.baseline_clear(server, reason).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the person says yes to: the difference to the baseline until now, or the whole surface where there is none.
async fn show_change(
    room: &ControlRoom,
    history: &SnapshotHistoryDto,
    server: &str,
    id: &str,
) -> Result<(), Report> {
    match &history.baseline {
        Some(baseline) => {
            changes(
                &room.snapshot_diff(server.to_owned(), baseline.snapshot_id.clone(), id.to_owned()).await?,
            );
        }
        None => {
            let snapshot = room.snapshot_show(server.to_owned(), id.to_owned()).await?;
            let rows = snapshot.items.iter().map(|item| {
                vec![item.kind.clone(), item.name.clone(), item.description.clone().unwrap_or_default()]
            });
            print::table(&["kind", "name", "description"], rows.collect(), "It offers nothing.");
        }
    }
    Ok(())
}

fn list(history: &SnapshotHistoryDto) {
    let rows = history.snapshots.iter().map(|row| {
        let s = &row.summary;
        vec![
            s.id.get(..12).unwrap_or(&s.id).to_owned(),
            if row.baseline { BASELINE.to_owned() } else { String::new() },
            row.severity.clone().unwrap_or_else(|| "-".into()),
            print::time(s.taken_at_ms),
            print::time(s.last_seen_at_ms),
            s.tools.to_string(),
            s.resources.to_string(),
            s.prompts.to_string(),
        ]
    });
    let headers = ["snapshot", "mark", "changed", "taken", "last seen", "tools", "resources", "prompts"];
    print::table(&headers, rows.collect(), "No snapshots yet.");
    if let Some(drift) = &history.drift {
        let text = format!("off its baseline ({}): {}", drift.severity, drift.summary);
        print::remark(&print::plain(&text));
        for item in &drift.quarantined_items {
            print::remark(&print::plain(&format!("  not callable: {} {}", item.kind, item.name)));
        }
    }
    if let Some(before) = &history.next_before {
        print::remark(&format!("older ones: --before {before}"));
    }
}

fn changes(diff: &SnapshotDiffDto) {
    let rows = diff.changes.iter().map(|change| {
        let fields = change.fields.join(", ");
        vec![change.severity.clone(), change.kind.clone(), change.name.clone(), change.change.clone(), fields]
    });
    let headers = ["severity", "kind", "name", "change", "fields"];
    print::table(&headers, rows.collect(), "Nothing changed.");
}

/// The snapshot that is meant: by the first characters of its id, by the word `baseline`, else the newest or the oldest
/// of the first page.
fn pick(history: &SnapshotHistoryDto, wanted: Option<&str>, newest: bool) -> Result<String, Report> {
    let mut ids = history.snapshots.iter().map(|row| &row.summary.id);
    let found = match wanted {
        Some(BASELINE) => history.baseline.as_ref().map(|baseline| &baseline.snapshot_id),
        Some(prefix) => ids.find(|id| id.starts_with(prefix)),
        None if newest => ids.next(),
        None => ids.next_back(),
    };
    found.cloned().ok_or_else(|| {
        print::bad_input(match wanted {
            Some(BASELINE) => "this server has no baseline".to_owned(),
            Some(prefix) => format!("no snapshot of this server begins with `{prefix}`"),
            None => "this server has no snapshot yet".to_owned(),
        })
    })
}
