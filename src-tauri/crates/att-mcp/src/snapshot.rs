//! Builds a capability snapshot out of raw lists (design 1.4). Pure.

use std::collections::BTreeMap;

use att_core::{canonical_json, sha256_hex};
use serde_json::{Map, Value, json};

use crate::facets::Greeting;
use crate::model::{ItemHashes, ListKind, ListSnapshot, ListStatus, Lists, Snapshot, SnapshotItem};

/// What identifies an item beside its key; a change here alone is a rename.
const IDENTITY: [&str; 4] = ["name", "title", "uri", "uriTemplate"];

/// A list as it was read: every item raw, or why not.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadList {
    /// All pages.
    Items(Vec<Value>),
    /// The server does not offer it.
    Unsupported,
    /// It failed.
    Failed(String),
}

/// The four lists as they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLists {
    /// Tools.
    pub tools: ReadList,
    /// Resources.
    pub resources: ReadList,
    /// Resource templates.
    pub resource_templates: ReadList,
    /// Prompts.
    pub prompts: ReadList,
}

/// A snapshot of `server` from what was greeted and read. `parent` is the snapshot before it.
#[must_use]
pub fn take(
    server: &str,
    generation: u64,
    greeting: &Greeting,
    read: ReadLists,
    parent: Option<&Snapshot>,
    now_ms: i64,
) -> Snapshot {
    let lists = Lists {
        tools: list(ListKind::Tools, read.tools),
        resources: list(ListKind::Resources, read.resources),
        resource_templates: list(ListKind::ResourceTemplates, read.resource_templates),
        prompts: list(ListKind::Prompts, read.prompts),
    };
    let surface = surface(greeting, &lists);
    let parent = parent.map(|p| p.id.clone());
    let id = digest(&json!({"server": server, "parent": parent, "surface": surface}));
    Snapshot {
        id,
        server: server.to_owned(),
        parent,
        surface,
        taken_at_ms: now_ms,
        last_seen_at_ms: now_ms,
        generation,
        era: greeting.era,
        protocol_version: greeting.protocol_version.clone(),
        server_info: greeting.server_info.clone(),
        capabilities: greeting.capabilities.clone(),
        instructions: greeting.instructions.clone(),
        lists,
    }
}

/// The hash of what is offered: the same for the same items in another order.
fn surface(greeting: &Greeting, lists: &Lists) -> String {
    let mut offered = Map::new();
    for kind in ListKind::ALL {
        let list = lists.get(kind);
        let status = match list.status {
            ListStatus::Ok => "ok",
            ListStatus::Unsupported => "unsupported",
            // The reason may hold times and numbers that differ from one failure to the next.
            ListStatus::Failed { .. } => "failed",
        };
        let mut items: Vec<_> = list.items.iter().map(|i| digest(&i.raw)).collect();
        items.sort();
        offered.insert(kind.as_str().to_owned(), json!({"status": status, "items": items}));
    }
    digest(&json!({
        "era": greeting.era,
        "protocol_version": greeting.protocol_version,
        "server_info": greeting.server_info,
        "capabilities": greeting.capabilities,
        "instructions": greeting.instructions,
        "lists": offered,
    }))
}

fn list(kind: ListKind, read: ReadList) -> ListSnapshot {
    let raw = match read {
        ReadList::Items(raw) => raw,
        ReadList::Unsupported => return ListSnapshot::unsupported(),
        ReadList::Failed(reason) => {
            return ListSnapshot { status: ListStatus::Failed { reason }, items: Vec::new() };
        }
    };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut items: Vec<SnapshotItem> = Vec::with_capacity(raw.len());
    for raw in raw {
        let mut item = item(kind, raw);
        let times = seen.entry(item.key.clone()).or_insert(0);
        *times += 1;
        if *times > 1 {
            item.problem.get_or_insert_with(|| format!("{} is listed more than once", item.key));
            item.key = format!("{}#{times}", item.key);
        }
        items.push(item);
    }
    ListSnapshot { status: ListStatus::Ok, items }
}

/// One item with its key, its problem and its hashes.
#[must_use]
pub fn item(kind: ListKind, raw: Value) -> SnapshotItem {
    let hashes = hashes(&raw);
    let key_field = match kind {
        ListKind::Tools | ListKind::Prompts => "name",
        ListKind::Resources => "uri",
        ListKind::ResourceTemplates => "uriTemplate",
    };
    let named = raw.get(key_field).and_then(Value::as_str).filter(|key| !key.is_empty());
    let problem = match (&raw, named) {
        (Value::Object(fields), Some(_)) => problem(kind, fields),
        (Value::Object(_), None) => Some(format!("it has no \"{key_field}\"")),
        _ => Some("it is not an object".to_owned()),
    };
    let key = named.map_or_else(|| format!("malformed:{}", &digest(&raw)[..12]), str::to_owned);
    SnapshotItem { key, raw, problem, hashes }
}

fn problem(kind: ListKind, fields: &Map<String, Value>) -> Option<String> {
    for text in ["description", "title", "mimeType"] {
        if fields.get(text).is_some_and(|v| !v.is_string() && !v.is_null()) {
            return Some(format!("\"{text}\" is not a text"));
        }
    }
    if fields.get("annotations").is_some_and(|v| !v.is_object() && !v.is_null()) {
        return Some("\"annotations\" is not an object".to_owned());
    }
    match kind {
        ListKind::Tools => {
            match fields.get("inputSchema") {
                None => return Some("it has no \"inputSchema\"".to_owned()),
                Some(Value::Object(schema)) => {
                    if schema.get("type").and_then(Value::as_str) != Some("object") {
                        return Some("\"inputSchema\" is not of type object".to_owned());
                    }
                }
                Some(_) => return Some("\"inputSchema\" is not a schema".to_owned()),
            }
            match fields.get("outputSchema") {
                None | Some(Value::Null | Value::Object(_)) => None,
                Some(_) => Some("\"outputSchema\" is not a schema".to_owned()),
            }
        }
        ListKind::Prompts => match fields.get("arguments") {
            None | Some(Value::Null) => None,
            Some(Value::Array(arguments)) => arguments
                .iter()
                .any(|a| a.get("name").and_then(Value::as_str).is_none())
                .then(|| "an argument has no name".to_owned()),
            Some(_) => Some("\"arguments\" is not a list".to_owned()),
        },
        ListKind::Resources | ListKind::ResourceTemplates => None,
    }
}

fn hashes(raw: &Value) -> ItemHashes {
    let field = |name: &str| digest(raw.get(name).unwrap_or(&Value::Null));
    let without = |names: &[&str]| match raw {
        Value::Object(fields) => {
            let rest: Map<String, Value> = fields
                .iter()
                .filter(|(name, _)| !names.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            digest(&Value::Object(rest))
        }
        other => digest(other),
    };
    let identity: Vec<_> =
        IDENTITY.iter().map(|name| raw.get(*name).cloned().unwrap_or(Value::Null)).collect();
    ItemHashes {
        identity: digest(&Value::Array(identity)),
        description: field("description"),
        input_schema: match raw.get("inputSchema") {
            Some(schema) => digest(schema),
            None => field("arguments"),
        },
        output_schema: field("outputSchema"),
        annotations: field("annotations"),
        other: without(&[
            "name",
            "title",
            "uri",
            "uriTemplate",
            "description",
            "inputSchema",
            "arguments",
            "outputSchema",
            "annotations",
        ]),
        body: without(&IDENTITY),
    }
}

/// SHA-256 over RFC 8785 text. Numbers that have no canonical form fall back to their plain text.
fn digest(value: &Value) -> String {
    sha256_hex(canonical_json(value).unwrap_or_else(|_| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Era;

    fn greeting() -> Greeting {
        Greeting {
            transport: None,
            era: Era::Modern,
            protocol_version: "2026-07-28".into(),
            server_info: json!({"name": "s"}),
            capabilities: json!({"tools": {}}),
            instructions: None,
        }
    }

    fn tools(items: Vec<Value>) -> ReadLists {
        ReadLists {
            tools: ReadList::Items(items),
            resources: ReadList::Unsupported,
            resource_templates: ReadList::Unsupported,
            prompts: ReadList::Failed("no answer in 20000 ms".into()),
        }
    }

    fn good(name: &str) -> Value {
        json!({"name": name, "inputSchema": {"type": "object"}, "x-unknown": 1})
    }

    #[test]
    fn a_malformed_item_is_kept_marked_and_does_not_hide_its_neighbours() {
        let read = tools(vec![good("a"), json!({"name": 7}), json!("text"), json!({"name": "b"}), good("a")]);
        let snapshot = take("s", 1, &greeting(), read, None, 5);
        let marks: Vec<_> =
            snapshot.lists.tools.items.iter().map(|i| (i.key.as_str(), i.problem.is_some())).collect();
        assert_eq!(marks.len(), 5);
        assert_eq!(marks[0], ("a", false));
        assert!(marks[1].0.starts_with("malformed:") && marks[1].1);
        assert!(marks[2].0.starts_with("malformed:") && marks[2].1);
        assert_eq!(marks[3..], [("b", true), ("a#2", true)]);
        assert_eq!(snapshot.lists.tools.items[0].raw["x-unknown"], 1, "unknown fields stay");
    }

    #[test]
    fn the_surface_is_the_same_in_any_order_and_differs_for_any_field() {
        let of = |items| take("s", 1, &greeting(), tools(items), None, 5).surface;
        assert_eq!(of(vec![good("a"), good("b")]), of(vec![good("b"), good("a")]));
        let mut other = good("b");
        other["x-unknown"] = json!(2);
        assert_ne!(of(vec![good("a"), good("b")]), of(vec![good("a"), other]));
    }

    #[test]
    fn a_surface_that_comes_back_is_a_snapshot_of_its_own() {
        let first = take("s", 1, &greeting(), tools(vec![good("a")]), None, 5);
        let second = take("s", 1, &greeting(), tools(vec![good("b")]), Some(&first), 6);
        let third = take("s", 1, &greeting(), tools(vec![good("a")]), Some(&second), 7);
        assert_eq!(first.surface, third.surface);
        assert_ne!(first.id, third.id);
        assert_eq!(third.parent, Some(second.id));
    }

    #[test]
    fn counts_are_null_where_a_list_is_not_offered() {
        let counts = take("s", 1, &greeting(), tools(vec![good("a")]), None, 5).lists.counts();
        assert_eq!((counts.tools, counts.resources, counts.prompts), (Some(1), None, Some(0)));
    }
}
