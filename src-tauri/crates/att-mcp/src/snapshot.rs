//! Builds a capability snapshot out of raw lists (design 1.4). Pure.

mod item;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::arguments::Schemas;
use crate::facets::Greeting;
use crate::model::{ListKind, ListSnapshot, ListStatus, Lists, Snapshot, SnapshotItem};
use crate::weight::weigh;

use item::{Judged, digest};

/// Longest instructions kept; what is beyond is said, and still hashed.
const MAX_INSTRUCTIONS: usize = 256 * 1024;

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

impl ReadLists {
    /// About as many bytes as all items have as JSON text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |list: &ReadList| match list {
            ReadList::Items(items) => items.iter().map(|item| weigh(item).bytes).sum(),
            ReadList::Unsupported | ReadList::Failed(_) => 0,
        };
        of(&self.tools) + of(&self.resources) + of(&self.resource_templates) + of(&self.prompts)
    }
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
    let (tools, tools_sum) = list(ListKind::Tools, read.tools);
    let (resources, resources_sum) = list(ListKind::Resources, read.resources);
    let (resource_templates, templates_sum) = list(ListKind::ResourceTemplates, read.resource_templates);
    let (prompts, prompts_sum) = list(ListKind::Prompts, read.prompts);
    let lists = Lists { tools, resources, resource_templates, prompts };
    let surface = surface(greeting, &lists, [tools_sum, resources_sum, templates_sum, prompts_sum]);
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
        instructions: greeting.instructions.as_deref().map(|text| item::clipped(text, MAX_INSTRUCTIONS)),
        lists,
    }
}

/// The hash of what is offered: the same for the same items in another order.
fn surface(greeting: &Greeting, lists: &Lists, digests: [Vec<String>; 4]) -> String {
    let mut offered = Map::new();
    for (kind, items) in ListKind::ALL.into_iter().zip(digests) {
        let list = lists.get(kind);
        let status = match list.status {
            ListStatus::Ok => "ok",
            ListStatus::Unsupported => "unsupported",
            // The reason may hold times and numbers that differ from one failure to the next.
            ListStatus::Failed { .. } => "failed",
        };
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

/// The list, and the digests of its items as they came, sorted.
fn list(kind: ListKind, read: ReadList) -> (ListSnapshot, Vec<String>) {
    let raw = match read {
        ReadList::Items(raw) => raw,
        ReadList::Unsupported => return (ListSnapshot::unsupported(), Vec::new()),
        ReadList::Failed(reason) => {
            return (ListSnapshot { status: ListStatus::Failed { reason }, items: Vec::new() }, Vec::new());
        }
    };
    let judged: Vec<Judged> = raw.into_iter().map(|raw| item::judge(kind, raw)).collect();
    // A mark that tells a repeated item apart must not be another item's name.
    let named: HashSet<String> = judged.iter().map(|judged| judged.item.key.clone()).collect();
    let mut times: HashMap<String, u32> = HashMap::new();
    let mut items = Vec::with_capacity(judged.len());
    let mut digests = Vec::with_capacity(judged.len());
    for Judged { mut item, digest } in judged {
        let count = times.entry(item.key.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            item.problem.get_or_insert_with(|| format!("{} is listed more than once", item.key));
            let mut key = format!("{}#{count}", item.key);
            while named.contains(&key) {
                *count += 1;
                key = format!("{}#{count}", item.key);
            }
            item.key = key;
        }
        items.push(item);
        digests.push(digest);
    }
    digests.sort();
    (ListSnapshot { status: ListStatus::Ok, items }, digests)
}

/// One item with its key, its problem and its hashes.
#[must_use]
pub fn item(kind: ListKind, raw: Value) -> SnapshotItem {
    item::judge(kind, raw).item
}

/// Marks the tools whose schemas cannot be used to check a call. Apart from [`take`], for it compiles every schema:
/// worth it for a surface that is new, not for one that was seen before.
pub fn mark_unusable(snapshot: &mut Snapshot, schemas: &Schemas) {
    for tool in &mut snapshot.lists.tools.items {
        if tool.problem.is_none() {
            tool.problem = schemas.problem(tool);
        }
    }
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

    #[test]
    fn items_of_one_name_have_keys_of_their_own_even_beside_a_name_that_looks_like_such_a_key() {
        let read = tools(vec![good("a"), good("a"), good("a#2"), good("a")]);
        let snapshot = take("s", 1, &greeting(), read, None, 5);
        let marks: Vec<_> =
            snapshot.lists.tools.items.iter().map(|i| (i.key.as_str(), i.problem.is_some())).collect();
        assert_eq!(marks, [("a", false), ("a#3", true), ("a#2", false), ("a#4", true)]);
    }

    #[test]
    fn a_tool_whose_schema_does_not_compile_is_marked_and_stays_as_it_is() {
        let odd = json!({"name": "odd", "inputSchema": {"type": "object", "properties": {"x": {"type": 7}}}});
        let mut snapshot = take("s", 1, &greeting(), tools(vec![odd.clone(), good("a")]), None, 5);
        let surface = snapshot.surface.clone();
        mark_unusable(&mut snapshot, &Schemas::default());
        let items = &snapshot.lists.tools.items;
        assert!(items[0].problem.as_deref().unwrap().contains("inputSchema"), "{:?}", items[0].problem);
        assert_eq!((&items[0].raw, &items[1].problem, &snapshot.surface), (&odd, &None, &surface));
    }

    #[test]
    fn instructions_without_end_are_cut_and_say_so() {
        let long = Greeting { instructions: Some("é".repeat(MAX_INSTRUCTIONS)), ..greeting() };
        let snapshot = take("s", 1, &long, tools(vec![]), None, 5);
        let kept = snapshot.instructions.unwrap();
        assert!(
            kept.len() < MAX_INSTRUCTIONS + 100 && kept.ends_with("bytes)"),
            "{}",
            &kept[kept.len() - 60..]
        );
    }
}
