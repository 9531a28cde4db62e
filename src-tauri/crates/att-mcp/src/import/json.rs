//! The JSON forms: `mcpServers` (Claude Desktop, Claude Code, Cursor and many others), `projects.*.mcpServers`
//! (`~/.claude.json`), `servers` (VS Code) and `mcp.servers` (VS Code's `settings.json`). Comments are allowed.

use super::Read;
use super::entry::{Place, candidate};
use jsonc_parser::parse_to_serde_value;
use serde_json::{Map, Value};

/// Reads one file.
pub(super) fn read(text: &str, file: &str, place: Place<'_>) -> Read {
    let text = text.trim_start_matches('\u{feff}');
    let mut read = Read::default();
    let root = match parse_to_serde_value::<Option<Value>>(text, &crate::config::options()) {
        Ok(root) => root.unwrap_or(Value::Null),
        Err(error) => {
            let why = att_core::redact(&error.to_string());
            read.problems.push(format!("{file} is not valid JSON: {why}"));
            return read;
        }
    };
    let Some(root) = root.as_object() else {
        read.problems.push(format!("{file} does not hold one object"));
        return read;
    };
    let mut known = false;
    for (path, servers) in lists(root) {
        known = true;
        let source = if path.is_empty() { file.to_owned() } else { format!("{file} ({path})") };
        match servers.as_object() {
            Some(servers) => {
                for (name, entry) in servers {
                    read.servers.push(candidate(name, entry, source.clone(), place));
                }
            }
            None => read.problems.push(format!("{source}: the servers are no object")),
        }
    }
    if !known {
        read.problems.push(format!("{file} names no servers"));
    }
    read
}

/// The objects of servers in the file, each with its place where that is not plain.
fn lists(root: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for key in ["mcpServers", "servers"] {
        found.extend(root.get(key).map(|servers| (String::new(), servers)));
    }
    let settings = root.get("mcp").and_then(|mcp| mcp.get("servers")).or_else(|| root.get("mcp.servers"));
    found.extend(settings.map(|servers| ("mcp.servers".to_owned(), servers)));
    if let Some(projects) = root.get("projects").and_then(Value::as_object) {
        for (project, kept) in projects {
            if let Some(servers) =
                kept.get("mcpServers").filter(|servers| servers.as_object().is_none_or(|s| !s.is_empty()))
            {
                found.push((format!("project {project}"), servers));
            }
        }
    }
    found
}
