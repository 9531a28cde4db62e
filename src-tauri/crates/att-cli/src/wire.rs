//! `att wire`: what goes over the wire to and from one server.

use crate::args::WireArguments;
use crate::print;
use att_api::dto::WireEntryDto;
use att_api::{ControlRoom, Report};
use std::process::ExitCode;
use std::time::Duration;

/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Most messages that one look asks for.
const PAGE: u32 = 200;

/// Prints the newest messages and, asked to, those that come.
pub async fn wire(room: &ControlRoom, arguments: WireArguments, json: bool) -> Result<ExitCode, Report> {
    let page = room.server_wire(arguments.server.clone(), None, arguments.limit).await?;
    if json && !arguments.follow {
        print::json(&page);
        return Ok(ExitCode::SUCCESS);
    }
    if page.entries.is_empty() && !arguments.follow {
        print::line("No messages yet.");
    }
    let mut after = page.next_seq;
    page.entries.iter().for_each(|entry| show(entry, json));
    if !arguments.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(LOOK) => {}
        }
        let page = room.server_wire(arguments.server.clone(), Some(after), PAGE).await?;
        if page.entries.is_empty() {
            // A watcher that was started anew counts anew.
            let newest = room.server_wire(arguments.server.clone(), None, 1).await?;
            if newest.next_seq < after {
                after = 0;
            }
        }
        for entry in &page.entries {
            show(entry, json);
        }
        after = page.entries.last().map_or(after, |entry| entry.seq);
    }
}

fn show(entry: &WireEntryDto, json: bool) {
    if json {
        print::line(&serde_json::to_string(entry).unwrap_or_default());
        return;
    }
    let arrow = if entry.direction == "out" { "→" } else { "←" };
    let id = entry.id.as_deref().map(|id| format!(" #{id}")).unwrap_or_default();
    let status = entry.status.map(|status| format!(" HTTP {status}")).unwrap_or_default();
    let text = format!(
        "{} {:>5} {arrow} {:<12} {}{id}{status} {} bytes{}",
        print::time(entry.at_ms),
        entry.seq,
        entry.kind,
        entry.method.as_deref().unwrap_or("-"),
        entry.bytes,
        if entry.cut { ", cut" } else { "" },
    );
    print::line(&print::plain(&text).replace('\n', " "));
    print::line(&format!("      {}", print::plain(entry.text.trim()).replace('\n', "\n      ")));
}
