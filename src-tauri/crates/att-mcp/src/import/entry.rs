//! One server's entry of another client, turned into one of ours.

use super::Candidate;
use super::words::{Learnt, is_secret, translate};
use serde_json::{Map, Value};

/// What the variables of a file stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub folder: Option<&'p str>,
    pub home: Option<&'p str>,
}

/// Keys that are taken over.
const KNOWN: [&str; 12] = [
    "type",
    "transport",
    "command",
    "args",
    "env",
    "cwd",
    "url",
    "serverUrl",
    "headers",
    "disabled",
    "enabled",
    "att",
];

/// The entry `theirs` of the server `name`, in our form.
pub(super) fn candidate(name: &str, theirs: &Value, source: String, place: Place<'_>) -> Candidate {
    let mut learnt = Learnt::default();
    let mut entry = Map::new();
    match theirs {
        Value::Object(theirs) => fill(name, theirs, place, &mut entry, &mut learnt),
        _ => learnt.unusable = Some("its entry is no object".into()),
    }
    let entry = Value::Object(entry);
    if learnt.unusable.is_none() {
        learnt.unusable = complaint(name, &entry);
    }
    Candidate {
        name: name.to_owned(),
        source,
        entry,
        notes: learnt.notes,
        secrets: learnt.secrets,
        unusable: learnt.unusable,
    }
}

fn fill(
    name: &str,
    theirs: &Map<String, Value>,
    place: Place<'_>,
    entry: &mut Map<String, Value>,
    learnt: &mut Learnt,
) {
    let text = |key: &str| theirs.get(key).and_then(Value::as_str);
    let kind = text("type").or_else(|| text("transport")).unwrap_or_default();
    if matches!(kind, "ws" | "websocket" | "sdk" | "sse-ide" | "ws-ide") {
        learnt.unusable = Some(format!("its transport `{kind}` is none that ATT speaks"));
        return;
    }
    if kind == "sse" {
        entry.insert("type".into(), "sse".into());
    }
    if let Some(command) = text("command") {
        entry.insert("command".into(), translate(command, place, learnt).into());
        match theirs.get("args") {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => {
                if let Some(args) = arguments(name, list, place, learnt) {
                    entry.insert("args".into(), args);
                }
            }
            Some(_) => learnt.unusable = Some("\"args\" is no list".into()),
        }
    }
    if let Some(url) = text("url").or_else(|| text("serverUrl")) {
        let url = translate(url, place, learnt);
        entry.insert("url".into(), address(name, &url, learnt).into());
    }
    for key in ["headers", "env"] {
        let Some(pairs) = theirs.get(key).and_then(Value::as_object).filter(|pairs| !pairs.is_empty()) else {
            continue;
        };
        let mut ours = Map::new();
        for (variable, value) in pairs {
            if let Some(value) = pair(name, variable, value, place, learnt) {
                ours.insert(variable.clone(), value.into());
            }
        }
        entry.insert(key.into(), Value::Object(ours));
    }
    if let Some(cwd) = text("cwd") {
        entry.insert("cwd".into(), translate(cwd, place, learnt).into());
    }
    let off = theirs.get("disabled") == Some(&Value::Bool(true))
        || theirs.get("enabled") == Some(&Value::Bool(false));
    match theirs.get("att") {
        // A file of ours, or one that is shared with another client.
        Some(att) if att.is_object() => {
            entry.insert("att".into(), att.clone());
            if off {
                entry.insert("disabled".into(), true.into());
            }
        }
        _ if off => {
            entry.insert("att".into(), serde_json::json!({"disabled": true}));
        }
        _ => {}
    }
    if theirs.contains_key("envFile") {
        learnt.note("its variables in a file (envFile) are not read: write those it needs into env".into());
    }
    let dropped: Vec<&str> = theirs
        .keys()
        .map(String::as_str)
        .filter(|key| !KNOWN.contains(key) && *key != "envFile")
        .take(20)
        .collect();
    if !dropped.is_empty() {
        learnt.note(format!("left out, since ATT has no such setting: {}", dropped.join(", ")));
    }
}

/// One variable or header; none for what has no value.
fn pair(server: &str, name: &str, value: &Value, place: Place<'_>, learnt: &mut Learnt) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => {
            learnt.note(format!("{name} has no text for a value and is left out"));
            return None;
        }
    };
    if !is_secret(name, &text) {
        return Some(translate(&text, place, learnt));
    }
    // The scheme of an authorization is no secret, and a token alone is easier to renew.
    Some(match text.split_once(' ') {
        Some((scheme @ ("Bearer" | "bearer" | "Basic" | "Token" | "token"), token)) => {
            format!("{scheme} {}", learnt.hide(server, name, token.trim()))
        }
        _ => learnt.hide(server, name, &text),
    })
}

fn arguments(server: &str, list: &[Value], place: Place<'_>, learnt: &mut Learnt) -> Option<Value> {
    let mut ours: Vec<Value> = Vec::new();
    let mut option: Option<&str> = None;
    for value in list {
        let Some(text) = value.as_str() else {
            learnt.unusable = Some("\"args\" holds something that is no text".into());
            return None;
        };
        let named = option.take();
        let hidden = match (text.split_once('='), named) {
            (Some((name, value)), _) if name.starts_with('-') && is_secret(name, value) => {
                Some(format!("{name}={}", learnt.hide(server, name.trim_start_matches('-'), value)))
            }
            // An address stays readable but for its secrets.
            _ if text.contains("://") && is_secret("", text) => {
                Some(address(server, text, learnt)).filter(|ours| ours != text)
            }
            // `docker run -e NAME=value`.
            (Some((name, value)), _)
                if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && is_secret(name, value) =>
            {
                Some(format!("{name}={}", learnt.hide(server, name, value)))
            }
            // `-H "Authorization: Bearer ..."` and `--header` of bridges to remote servers.
            (_, Some("-H" | "--header")) => text.split_once(':').and_then(|(name, value)| {
                let value = value.trim_start();
                is_secret(name, value).then(|| match value.split_once(' ') {
                    Some((scheme, token)) => format!("{name}: {scheme} {}", learnt.hide(server, name, token)),
                    None => format!("{name}: {}", learnt.hide(server, name, value)),
                })
            }),
            (_, Some(name)) if !text.starts_with('-') && is_secret(name, text) => {
                Some(learnt.hide(server, name.trim_start_matches('-'), text))
            }
            _ => None,
        };
        let hidden = hidden.or_else(|| {
            // Whatever its form: a secret does not stay.
            is_secret("", text).then(|| learnt.hide(server, "argument", text))
        });
        ours.push(hidden.unwrap_or_else(|| translate(text, place, learnt)).into());
        option = Some(text).filter(|text| text.starts_with('-') && !text.contains('='));
    }
    (!ours.is_empty()).then_some(Value::Array(ours))
}

/// An address with the secrets of its query and its password as references.
fn address(server: &str, url: &str, learnt: &mut Learnt) -> String {
    let (front, query) = match url.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (url, None),
    };
    let mut out = match front.split_once("://") {
        Some((scheme, rest)) => {
            let host_end = rest.find('/').unwrap_or(rest.len());
            match rest[..host_end]
                .rsplit_once('@')
                .and_then(|(user, host)| Some((user.split_once(':')?, host)))
            {
                Some(((user, password), host)) if !password.contains("${") && !password.is_empty() => {
                    format!(
                        "{scheme}://{user}:{}@{host}{}",
                        learnt.hide(server, "password", password),
                        &rest[host_end..]
                    )
                }
                _ => front.to_owned(),
            }
        }
        None => front.to_owned(),
    };
    if let Some(query) = query {
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) if is_secret(name, value) => {
                    format!("{name}={}", learnt.hide(server, name, value))
                }
                _ => pair.to_owned(),
            })
            .collect();
        out.push('?');
        out.push_str(&pairs.join("&"));
    }
    out
}

/// What our own reader says against the entry.
fn complaint(name: &str, entry: &Value) -> Option<String> {
    let text = serde_json::json!({"mcpServers": {name: entry}}).to_string();
    let parsed = crate::config::parse(&text, None);
    match parsed.servers.is_empty() {
        true => {
            Some(parsed.problems.first().map_or_else(|| "it is not understood".into(), |p| p.message.clone()))
        }
        false => None,
    }
}
