//! What an import would do, and, once a person chose, the edits that do it.

use super::words::slug;
use super::{Candidate, FoundSecret};
use crate::config::{ConfigEdit, ServerConfig, parse};
use serde_json::Value;

/// How a candidate stands to what `mcp.json` holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No server of that name.
    New,
    /// There is the very same.
    Identical,
    /// There is another one of that name.
    Conflict,
    /// It cannot be taken over.
    Unusable,
}

/// What happens to a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Ours stays.
    Keep,
    /// Theirs takes its place; what stands under `att` stays.
    Replace,
    /// Theirs comes beside it under another name.
    Rename,
}

/// One candidate in a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The server.
    pub candidate: Candidate,
    /// How it is understood; none when it cannot be used.
    pub config: Option<ServerConfig>,
    /// How it stands to what is there.
    pub standing: Standing,
}

/// What an import would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportPlan {
    /// The servers, in the order of their files.
    pub servers: Vec<Planned>,
}

/// Holds `candidates` against the text of our `mcp.json`. Names are made unique: of two files' servers of one name
/// the second is taken under another.
#[must_use]
pub fn plan(candidates: Vec<Candidate>, ours: &str) -> ImportPlan {
    let there = parse(ours, None).servers;
    let mut servers: Vec<Planned> = Vec::new();
    for mut candidate in candidates {
        let mut config = config_of(&candidate);
        let same_name = |name: &str, servers: &[Planned]| {
            servers.iter().find(|planned| planned.candidate.name == name).cloned()
        };
        if let Some(earlier) = same_name(&candidate.name, &servers) {
            if config.is_some() && same(earlier.config.as_ref(), config.as_ref()) {
                continue;
            }
            let taken = |name: &str| {
                servers.iter().any(|planned| planned.candidate.name == name)
                    || there.iter().any(|server| server.name == name)
            };
            let to = free_name(&candidate.name, taken);
            candidate.notes.push(format!("another file has a `{}` as well", candidate.name));
            candidate = renamed(candidate, &to);
            config = config_of(&candidate);
        }
        let standing = match (&config, there.iter().find(|server| server.name == candidate.name)) {
            (None, _) => Standing::Unusable,
            (Some(_), None) => Standing::New,
            (Some(_), Some(known)) if same(Some(known), config.as_ref()) => Standing::Identical,
            _ => Standing::Conflict,
        };
        servers.push(Planned { candidate, config, standing });
    }
    ImportPlan { servers }
}

/// The edits that carry `planned` out, and the secrets that go with them; none when nothing is to be done.
/// `ours` is the text of our `mcp.json` as it is by then.
#[must_use]
pub fn choose(
    planned: &Planned,
    on_conflict: OnConflict,
    ours: &str,
) -> Option<(ConfigEdit, Vec<FoundSecret>)> {
    let candidate = planned.candidate.clone();
    let add = |candidate: Candidate| {
        (ConfigEdit::Add { name: candidate.name, entry: candidate.entry }, candidate.secrets)
    };
    match (planned.standing, on_conflict) {
        (Standing::New, _) => Some(add(candidate)),
        (Standing::Conflict, OnConflict::Replace) => {
            let mut entry = candidate.entry;
            if let (Some(att), Some(entry)) = (att_of(ours, &candidate.name), entry.as_object_mut()) {
                entry.insert("att".into(), att);
            }
            Some((ConfigEdit::Replace { name: candidate.name, entry }, candidate.secrets))
        }
        (Standing::Conflict, OnConflict::Rename) => {
            let there = parse(ours, None).servers;
            let to = free_name(&candidate.name, |name| there.iter().any(|server| server.name == name));
            Some(add(renamed(candidate, &to)))
        }
        (Standing::Conflict, OnConflict::Keep) | (Standing::Identical | Standing::Unusable, _) => None,
    }
}

fn config_of(candidate: &Candidate) -> Option<ServerConfig> {
    if candidate.unusable.is_some() {
        return None;
    }
    let text = serde_json::json!({"mcpServers": {candidate.name.as_str(): candidate.entry}}).to_string();
    parse(&text, None).servers.into_iter().next()
}

/// What makes a server the same: how it is reached, not how it is watched.
fn same(one: Option<&ServerConfig>, other: Option<&ServerConfig>) -> bool {
    let reached =
        |config: &ServerConfig| (config.endpoint.clone(), config.env.clone(), config.cwd.clone(), config.sse);
    one.map(reached) == other.map(reached)
}

fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    (2_u32..)
        .map(|number| format!("{name}-{number}"))
        .find(|name| !taken(name))
        .unwrap_or_else(|| name.to_owned())
}

/// The candidate under another name. Its secrets are renamed too, or two servers would share one.
fn renamed(mut candidate: Candidate, to: &str) -> Candidate {
    let prefix = |server: &str| format!("{}-", slug(server));
    let (old, new) = (prefix(&candidate.name), prefix(to));
    for secret in &mut candidate.secrets {
        let fresh =
            secret.name.strip_prefix(&old).map_or_else(|| secret.name.clone(), |key| format!("{new}{key}"));
        replace_text(
            &mut candidate.entry,
            &format!("${{keyring:{}}}", secret.name),
            &format!("${{keyring:{fresh}}}"),
        );
        secret.name = fresh;
    }
    candidate.name = to.to_owned();
    candidate
}

fn replace_text(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = text.replace(from, to),
        Value::Array(list) => list.iter_mut().for_each(|inner| replace_text(inner, from, to)),
        Value::Object(map) => map.values_mut().for_each(|inner| replace_text(inner, from, to)),
        _ => {}
    }
}

fn att_of(ours: &str, name: &str) -> Option<Value> {
    let root =
        jsonc_parser::parse_to_serde_value::<Option<Value>>(ours, &crate::config::options()).ok()??;
    root.get("mcpServers")?.get(name)?.get("att").cloned()
}
