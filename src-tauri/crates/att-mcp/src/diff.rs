//! The difference between two snapshots, with how grave each change is (design 1.4). Pure.

mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{
    Change, ChangeKind, FieldChange, ListKind, ListSnapshot, ListStatus, Severity, Snapshot, SnapshotDiff,
    SnapshotItem,
};

pub use schema::accepts_all_of;

/// What changed from `from` to `to`. The order of items does not matter.
#[must_use]
pub fn diff(from: &Snapshot, to: &Snapshot) -> SnapshotDiff {
    let mut changes = Vec::new();
    let mut remarks = remarks(from, to);
    for kind in ListKind::ALL {
        let (old, new) = (from.lists.get(kind), to.lists.get(kind));
        let readable = |list: &ListSnapshot| !matches!(list.status, ListStatus::Failed { .. });
        if readable(old) && readable(new) {
            changes.extend(items(kind, old, new));
        }
        if old.status != new.status {
            remarks.push(format!(
                "{}: {} before, {} now",
                kind.as_str(),
                word(&old.status),
                word(&new.status)
            ));
        }
    }
    let severity = changes.iter().map(|c| c.severity).chain(remarks.iter().map(|_| Severity::Notice)).max();
    SnapshotDiff { from: from.id.clone(), to: to.id.clone(), severity, changes, remarks }
}

fn word(status: &ListStatus) -> String {
    match status {
        ListStatus::Ok => "offered".to_owned(),
        ListStatus::Unsupported => "not offered".to_owned(),
        ListStatus::Failed { reason } => format!("could not be read ({reason})"),
    }
}

fn remarks(from: &Snapshot, to: &Snapshot) -> Vec<String> {
    let mut out = Vec::new();
    if from.protocol_version != to.protocol_version {
        out.push(format!("protocol version: {} before, {} now", from.protocol_version, to.protocol_version));
    }
    for (what, differs) in [
        ("the era", from.era != to.era),
        ("the server's name or version", from.server_info != to.server_info),
        ("the capabilities", from.capabilities != to.capabilities),
        ("the instructions", from.instructions != to.instructions),
    ] {
        if differs {
            out.push(format!("{what} changed"));
        }
    }
    out
}

fn items(kind: ListKind, old: &ListSnapshot, new: &ListSnapshot) -> Vec<Change> {
    let by_key = |list: &'_ ListSnapshot| -> BTreeMap<String, SnapshotItem> {
        list.items.iter().map(|i| (i.key.clone(), i.clone())).collect()
    };
    let (old, new) = (by_key(old), by_key(new));
    let mut removed: BTreeSet<&String> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    let mut changes = BTreeMap::new();
    for (key, item) in &new {
        match old.get(key) {
            Some(before) if before.raw == item.raw => {}
            Some(before) => {
                if let Some(change) = changed(kind, before, item) {
                    changes.insert(key.clone(), change);
                }
            }
            None => {
                let twin = removed.iter().find(|k| old[**k].hashes.body == item.hashes.body).copied();
                let change = match twin {
                    Some(twin) => {
                        removed.remove(twin);
                        renamed(kind, &old[twin], item)
                    }
                    None => added(kind, item),
                };
                changes.insert(key.clone(), change);
            }
        }
    }
    let mut out: Vec<Change> = removed.into_iter().map(|key| gone(kind, &old[key])).collect();
    out.extend(changes.into_values());
    out.sort_by(|a, b| a.key.cmp(&b.key));
    out
}

fn added(list: ListKind, item: &SnapshotItem) -> Change {
    let severity = if list == ListKind::Tools { Severity::Notice } else { Severity::Info };
    Change {
        list,
        key: item.key.clone(),
        kind: ChangeKind::Added,
        severity,
        text: format!("{} is new", item.key),
        before: None,
        after: Some(item.raw.clone()),
    }
}

fn gone(list: ListKind, item: &SnapshotItem) -> Change {
    let severity = if list == ListKind::Tools { Severity::Warning } else { Severity::Notice };
    Change {
        list,
        key: item.key.clone(),
        kind: ChangeKind::Removed,
        severity,
        text: format!("{} is gone", item.key),
        before: Some(item.raw.clone()),
        after: None,
    }
}

fn renamed(list: ListKind, before: &SnapshotItem, after: &SnapshotItem) -> Change {
    Change {
        list,
        key: after.key.clone(),
        kind: ChangeKind::Renamed { from: before.key.clone() },
        severity: Severity::Warning,
        text: format!("{} is called {} now", before.key, after.key),
        before: Some(before.raw.clone()),
        after: Some(after.raw.clone()),
    }
}

fn changed(list: ListKind, before: &SnapshotItem, after: &SnapshotItem) -> Option<Change> {
    let (old, new) = (&before.hashes, &after.hashes);
    let mut fields = Vec::new();
    let mut severity = Severity::Info;
    let mut said = Vec::new();
    let mut note = |field: FieldChange, grave: Severity, text: &str| {
        fields.push(field);
        severity = severity.max(grave);
        said.push(text.to_owned());
    };
    if old.description != new.description {
        note(FieldChange::Description, Severity::Warning, "its description changed");
    }
    if old.input_schema != new.input_schema {
        if input_fits(list, &before.raw, &after.raw) {
            note(
                FieldChange::InputSchemaCompatible,
                Severity::Notice,
                "its input changed, calls that fitted still fit",
            );
        } else {
            note(
                FieldChange::InputSchemaBreaking,
                Severity::Alarm,
                "its input changed, calls that fitted may not fit any more",
            );
        }
    }
    if old.output_schema != new.output_schema {
        note(FieldChange::OutputSchema, Severity::Warning, "its output changed");
    }
    if old.annotations != new.annotations {
        let flipped = ["readOnlyHint", "destructiveHint"]
            .into_iter()
            .filter(|hint| annotation(&before.raw, hint) != annotation(&after.raw, hint))
            .collect::<Vec<_>>();
        if flipped.is_empty() {
            note(FieldChange::Annotations, Severity::Notice, "its annotations changed");
        } else {
            let text = format!("its {} changed", flipped.join(" and "));
            note(FieldChange::Annotations, Severity::Alarm, &text);
        }
    }
    if old.other != new.other || old.identity != new.identity {
        note(FieldChange::Other, Severity::Info, "other fields changed");
    }
    if fields.is_empty() {
        return None;
    }
    Some(Change {
        list,
        key: after.key.clone(),
        kind: ChangeKind::Changed { fields },
        severity,
        text: format!("{}: {}", after.key, said.join(", ")),
        before: Some(before.raw.clone()),
        after: Some(after.raw.clone()),
    })
}

fn annotation<'v>(raw: &'v Value, hint: &str) -> Option<&'v Value> {
    raw.get("annotations").and_then(|a| a.get(hint))
}

fn input_fits(list: ListKind, before: &Value, after: &Value) -> bool {
    match list {
        ListKind::Prompts => arguments_fit(
            before.get("arguments").unwrap_or(&Value::Null),
            after.get("arguments").unwrap_or(&Value::Null),
        ),
        _ => match (before.get("inputSchema"), after.get("inputSchema")) {
            (Some(old), Some(new)) => accepts_all_of(new, old),
            _ => false,
        },
    }
}

/// Prompts list their arguments: none may vanish, none may become required.
fn arguments_fit(old: &Value, new: &Value) -> bool {
    let read = |value: &Value| -> BTreeMap<String, bool> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|a| {
                let required = a.get("required").and_then(Value::as_bool).unwrap_or(false);
                Some((a.get("name")?.as_str()?.to_owned(), required))
            })
            .collect()
    };
    let (old, new) = (read(old), read(new));
    old.keys().all(|name| new.contains_key(name))
        && new.iter().all(|(name, required)| !required || old.get(name) == Some(&true))
}

#[cfg(test)]
mod tests;
