//! Codex: `[mcp_servers.NAME]` of `config.toml`, brought into the JSON form first.

use super::Read;
use super::entry::{Place, candidate};
use serde_json::{Map, Value, json};
use toml::{Table, Value as Toml};

/// Keys that mean something here; the rest is named in a note by the reader of entries.
const TAKEN: [&str; 9] = [
    "env_vars",
    "bearer_token_env_var",
    "http_headers",
    "env_http_headers",
    "startup_timeout_sec",
    "startup_timeout_ms",
    "tool_timeout_sec",
    "env",
    "headers",
];

/// Reads one file.
pub(super) fn read(text: &str, file: &str, place: Place<'_>) -> Read {
    let mut read = Read::default();
    let root = match text.trim_start_matches('\u{feff}').parse::<Table>() {
        Ok(root) => root,
        Err(error) => {
            let why = att_core::redact(error.message());
            read.problems.push(format!("{file} is not valid TOML: {why}"));
            return read;
        }
    };
    match root.get("mcp_servers") {
        Some(Toml::Table(servers)) => {
            for (name, server) in servers {
                let entry = server.as_table().map_or(Value::Null, in_json_form);
                read.servers.push(candidate(name, &entry, file.to_owned(), place));
            }
        }
        Some(_) => read.problems.push(format!("{file}: mcp_servers is no table")),
        None => read.problems.push(format!("{file} names no servers")),
    }
    read
}

fn in_json_form(server: &Table) -> Value {
    let mut entry: Map<String, Value> = server
        .iter()
        .filter(|(key, _)| !TAKEN.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), serde_json::to_value(value).ok()?)))
        .collect();
    let texts = |key: &str| -> Map<String, Value> {
        let table = server.get(key).and_then(Toml::as_table);
        table
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), serde_json::to_value(value).ok()?)))
            .collect()
    };
    let mut env = texts("env");
    for variable in server.get("env_vars").and_then(Toml::as_array).into_iter().flatten() {
        let name = variable.as_str().or_else(|| variable.get("name").and_then(Toml::as_str));
        if let Some(name) = name {
            env.entry(name).or_insert_with(|| from_environment(name).into());
        }
    }
    let mut headers = texts("http_headers");
    for (header, variable) in texts("env_http_headers") {
        if let Some(variable) = variable.as_str() {
            headers.insert(header, from_environment(variable).into());
        }
    }
    if let Some(variable) = server.get("bearer_token_env_var").and_then(Toml::as_str) {
        headers.insert("Authorization".into(), format!("Bearer {}", from_environment(variable)).into());
    }
    for (key, pairs) in [("env", env), ("headers", headers)] {
        if !pairs.is_empty() {
            entry.insert(key.into(), Value::Object(pairs));
        }
    }
    let mut att = Map::new();
    let startup = milliseconds(server, "startup_timeout_sec", 1_000.0)
        .or_else(|| milliseconds(server, "startup_timeout_ms", 1.0));
    for (key, time) in [
        ("connect_timeout_ms", startup),
        ("call_timeout_ms", milliseconds(server, "tool_timeout_sec", 1_000.0)),
    ] {
        if let Some(time) = time {
            att.insert(key.into(), time.into());
        }
    }
    if server.get("enabled").and_then(Toml::as_bool) == Some(false) {
        att.insert("disabled".into(), true.into());
        entry.remove("enabled");
    }
    if !att.is_empty() {
        entry.insert("att".into(), json!(att));
    }
    Value::Object(entry)
}

fn from_environment(variable: &str) -> String {
    format!("${{env:{variable}}}")
}

/// A time within what our own settings take.
fn milliseconds(server: &Table, key: &str, unit: f64) -> Option<i64> {
    let value = server.get(key)?;
    // Clamped before the cast, so that nothing is cut off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "clamped")]
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
        .map(|time| (time * unit).clamp(100.0, 600_000.0) as i64)
}
