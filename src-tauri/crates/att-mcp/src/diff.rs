//! The difference between two snapshots, with how grave each change is (design 1.4). Pure.

mod rename;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{
    Change, ChangeKind, FieldChange, ListKind, ListSnapshot, ListStatus, Remark, Severity, Snapshot,
    SnapshotDiff, SnapshotItem,
};
use crate::weight::weigh;

pub use schema::accepts_all_of;

/// Most values of schemas that are compared for one diff; whatever changed beyond that is breaking.
const MAX_COMPARED: usize = 40_000;

/// How much was compared for one diff so far, and with what answers.
#[derive(Default)]
struct Compared<'s> {
    values: usize,
    /// By the hashes of the narrower and the wider schema: many items often share one.
    answers: BTreeMap<(&'s str, &'s str), bool>,
}

impl<'s> Compared<'s> {
    /// True when `wide` surely takes all that `narrow` takes, and there was time left to find out.
    fn accepts(&mut self, wide: (&'s str, &Value), narrow: (&'s str, &Value)) -> bool {
        if let Some(known) = self.answers.get(&(wide.0, narrow.0)) {
            return *known;
        }
        if !wide.1.is_object() || !narrow.1.is_object() {
            return false;
        }
        self.values = self.values.saturating_add(weigh(wide.1).values + weigh(narrow.1).values);
        let answer = self.values <= MAX_COMPARED && accepts_all_of(wide.1, narrow.1);
        self.answers.insert((wide.0, narrow.0), answer);
        answer
    }
}

/// What changed from `from` to `to`. The order of items does not matter.
#[must_use]
pub fn diff(from: &Snapshot, to: &Snapshot) -> SnapshotDiff {
    let mut changes = Vec::new();
    let mut remarks = remarks(from, to);
    let mut compared = Compared::default();
    for kind in ListKind::ALL {
        let (old, new) = (from.lists.get(kind), to.lists.get(kind));
        let readable = |list: &ListSnapshot| !matches!(list.status, ListStatus::Failed { .. });
        if readable(old) && readable(new) {
            changes.extend(items(kind, old, new, &mut compared));
        }
        if word(&old.status) != word(&new.status) {
            let severity = if readable(new) { Severity::Notice } else { Severity::Warning };
            let text = format!("{}: {} before, {} now", kind.as_str(), said(&old.status), said(&new.status));
            remarks.push(Remark { severity, text, unread: !readable(new) });
        }
    }
    let severity = changes.iter().map(|c| c.severity).chain(remarks.iter().map(|r| r.severity)).max();
    SnapshotDiff { from: from.id.clone(), to: to.id.clone(), severity, changes, remarks }
}

/// The status without its reason: a reason may hold times and numbers, and is no change.
fn word(status: &ListStatus) -> &'static str {
    match status {
        ListStatus::Ok => "offered",
        ListStatus::Unsupported => "not offered",
        ListStatus::Failed { .. } => "could not be read",
    }
}

fn said(status: &ListStatus) -> String {
    match status {
        ListStatus::Failed { reason } => format!("{} ({reason})", word(status)),
        ListStatus::Ok | ListStatus::Unsupported => word(status).to_owned(),
    }
}

fn remarks(from: &Snapshot, to: &Snapshot) -> Vec<Remark> {
    let mut out = Vec::new();
    let mut note = |severity, text: String| out.push(Remark { severity, text, unread: false });
    if from.protocol_version != to.protocol_version {
        let text = format!("protocol version: {} before, {} now", from.protocol_version, to.protocol_version);
        note(Severity::Notice, text);
    }
    for (what, severity, differs) in [
        ("the era", Severity::Notice, from.era != to.era),
        ("the server's name or version", Severity::Info, from.server_info != to.server_info),
        ("the capabilities", Severity::Notice, from.capabilities != to.capabilities),
        // A model reads them: they can carry an injection like a description.
        ("the instructions", Severity::Warning, from.instructions != to.instructions),
    ] {
        if differs {
            note(severity, format!("{what} changed"));
        }
    }
    out
}

fn items<'s>(
    kind: ListKind,
    old: &'s ListSnapshot,
    new: &'s ListSnapshot,
    compared: &mut Compared<'s>,
) -> Vec<Change> {
    let by_key =
        |list: &'s ListSnapshot| list.items.iter().map(|i| (i.key.as_str(), i)).collect::<BTreeMap<_, _>>();
    let (old, new) = (by_key(old), by_key(new));
    let removed: Vec<&SnapshotItem> =
        old.iter().filter(|(key, _)| !new.contains_key(*key)).map(|(_, item)| *item).collect();
    let arrived: Vec<&SnapshotItem> =
        new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(_, item)| *item).collect();
    let pairs = rename::pairs(&removed, &arrived);
    let was: BTreeMap<&str, &SnapshotItem> =
        pairs.iter().map(|(from, to)| (to.key.as_str(), *from)).collect();
    let became: BTreeSet<&str> = pairs.iter().map(|(from, _)| from.key.as_str()).collect();
    let mut out: Vec<Change> = removed
        .iter()
        .filter(|item| !became.contains(item.key.as_str()))
        .map(|item| gone(kind, item))
        .collect();
    for item in arrived {
        out.push(match was.get(item.key.as_str()) {
            Some(before) => renamed(kind, before, item),
            None => added(kind, item),
        });
    }
    for (key, item) in &new {
        // By the hashes: of an item that was cut the rest is no longer there to be compared.
        if let Some(before) = old.get(key).filter(|before| before.hashes != item.hashes) {
            out.extend(changed(kind, before, item, compared));
        }
    }
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

fn changed<'s>(
    list: ListKind,
    before: &'s SnapshotItem,
    after: &'s SnapshotItem,
    compared: &mut Compared<'s>,
) -> Option<Change> {
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
        if !input_fits(list, before, after, compared) {
            let text = "its input changed, calls that fitted may not fit any more";
            note(FieldChange::InputSchemaBreaking, Severity::Alarm, text);
        } else if reworded(input(list, &before.raw), input(list, &after.raw)) {
            let text = "its input is described in other words, calls that fitted still fit";
            note(FieldChange::InputSchemaCompatible, Severity::Warning, text);
        } else {
            let text = "its input changed, calls that fitted still fit";
            note(FieldChange::InputSchemaCompatible, Severity::Notice, text);
        }
    }
    if old.output_schema != new.output_schema {
        let (was, is) = (before.raw.get("outputSchema"), after.raw.get("outputSchema"));
        // The other way round: what it answers now must be something that a caller can read already.
        match (was, is) {
            (None, Some(_)) => {
                note(FieldChange::OutputSchema, Severity::Notice, "its output is described now")
            }
            (Some(was), Some(is))
                if compared.accepts((&old.output_schema, was), (&new.output_schema, is)) =>
            {
                let text = "its output changed, and still fits what it promised";
                note(FieldChange::OutputSchema, Severity::Notice, text);
            }
            _ => {
                let text = "its output changed, and may not fit any more what it promised";
                note(FieldChange::OutputSchema, Severity::Warning, text);
            }
        }
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
    if old.identity != new.identity {
        // A title is read by models and people like a description.
        note(FieldChange::Other, Severity::Warning, "its title or address changed");
    } else if old.other != new.other {
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

fn input(list: ListKind, raw: &Value) -> Option<&Value> {
    raw.get(if list == ListKind::Prompts { "arguments" } else { "inputSchema" })
}

fn input_fits<'s>(
    list: ListKind,
    before: &'s SnapshotItem,
    after: &'s SnapshotItem,
    compared: &mut Compared<'s>,
) -> bool {
    let (old, new) = (input(list, &before.raw), input(list, &after.raw));
    match list {
        ListKind::Prompts => arguments_fit(old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null)),
        _ => match (old, new) {
            (Some(old), Some(new)) => {
                compared.accepts((&after.hashes.input_schema, new), (&before.hashes.input_schema, old))
            }
            _ => false,
        },
    }
}

/// True when a text that a model reads (a title or a description) is another one at a place that was there before.
/// A property that is new brings words of its own, and is no rewording.
fn reworded(before: Option<&Value>, after: Option<&Value>) -> bool {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            after.iter().any(|(name, now)| match (before.get(name), name.as_str()) {
                (was, "description" | "title") if now.is_string() => was != Some(now),
                (Some(was), _) => reworded(Some(was), Some(now)),
                (None, _) => false,
            })
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            before.iter().zip(after).any(|(was, now)| reworded(Some(was), Some(now)))
        }
        _ => false,
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
