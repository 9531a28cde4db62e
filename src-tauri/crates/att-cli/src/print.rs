//! The only place that prints: answers to stdout, errors to stderr.

#![allow(clippy::print_stdout, reason = "this is the CLI's printer")]

use att_api::{Code, Report};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints `value` as JSON.
pub fn json<T: Serialize>(value: &T) {
    line(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints one line. A reader that went away (`att events | head`) is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a table; nothing but `empty` when there are no rows.
pub fn table(headers: &[&str], rows: Vec<Vec<String>>, empty: &str) {
    if rows.is_empty() {
        line(empty);
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headers.iter().map(ToString::to_string));
    for row in rows {
        table.add_row(row.into_iter().map(|cell| plain(&cell)));
    }
    line(&table.to_string());
}

/// Text from outside without control characters, so that it cannot move the cursor or hide anything.
pub fn plain(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|c| !hidden(*c)).collect()
}

/// Prints `report` to stderr; answers the exit code that belongs to it.
pub fn failure(report: &Report, as_json: bool) -> ExitCode {
    let code = serde_json::to_value(report.code)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default();
    let mut text = String::new();
    if as_json {
        text = serde_json::to_string_pretty(&serde_json::json!({"error": report})).unwrap_or_default();
    } else {
        text.push_str(&format!("error[{code}]: {}", plain(&report.message)));
        for (name, part) in [("cause", &report.cause), ("cure", &report.cure)] {
            if let Some(part) = part {
                text.push_str(&format!("\n  {name}: {}", plain(part)));
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(report.code.exit_code())
}

/// A remark to stderr.
pub fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(text));
}

/// Unix milliseconds as local date and time.
pub fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map(|at| {
            at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        })
        .unwrap_or_else(|_| at_ms.to_string())
}

/// Milliseconds, or a dash.
pub fn ms(value: Option<i64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value} ms"))
}

/// A count, or a dash.
pub fn count(value: Option<u32>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A report for something that the person typed.
pub fn bad_input(message: impl Into<String>) -> Report {
    Report::new(Code::InvalidInput, message)
}
