//! Capability snapshots and their differences.

use super::{count, json_text, word};
use crate::dto::{
    ChangeDto, DriftDto, ItemDto, ListStatusDto, QuarantinedItemDto, SnapshotDiffDto, SnapshotDto,
    SnapshotSummaryDto,
};
use att_mcp::model::{
    Change, ChangeKind, Drift, FieldChange, ListKind, ListStatus, Snapshot, SnapshotDiff, SnapshotItem,
};
use serde_json::Value;

fn kind_word(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Tools => "tool",
        ListKind::Resources => "resource",
        ListKind::ResourceTemplates => "resource_template",
        ListKind::Prompts => "prompt",
    }
}

/// The line of a list of snapshots.
#[must_use]
pub fn summary(snapshot: &Snapshot) -> SnapshotSummaryDto {
    let items = |kind| count(snapshot.lists.get(kind).items.len() as u64);
    SnapshotSummaryDto {
        id: snapshot.id.clone(),
        parent: snapshot.parent.clone(),
        taken_at_ms: snapshot.taken_at_ms,
        last_seen_at_ms: snapshot.last_seen_at_ms,
        tools: items(ListKind::Tools),
        resources: items(ListKind::Resources),
        resource_templates: items(ListKind::ResourceTemplates),
        prompts: items(ListKind::Prompts),
    }
}

/// The snapshot in full.
#[must_use]
pub fn snapshot(snapshot: &Snapshot) -> SnapshotDto {
    SnapshotDto {
        summary: summary(snapshot),
        era: snapshot.era.as_str().to_owned(),
        protocol_version: snapshot.protocol_version.clone(),
        server_info: json_text(&snapshot.server_info),
        capabilities: json_text(&snapshot.capabilities),
        instructions: snapshot.instructions.clone(),
        lists: ListKind::ALL.into_iter().map(|kind| list_status(snapshot, kind)).collect(),
        items: ListKind::ALL
            .into_iter()
            .flat_map(|kind| snapshot.lists.get(kind).items.iter().map(move |each| item(kind, each)))
            .collect(),
    }
}

fn list_status(snapshot: &Snapshot, kind: ListKind) -> ListStatusDto {
    let (status, reason) = match &snapshot.lists.get(kind).status {
        ListStatus::Ok => ("ok", None),
        ListStatus::Unsupported => ("unsupported", None),
        ListStatus::Failed { reason } => ("failed", Some(reason.clone())),
    };
    ListStatusDto { kind: kind_word(kind).to_owned(), status: status.to_owned(), reason }
}

fn item(kind: ListKind, item: &SnapshotItem) -> ItemDto {
    let text = |key: &str| item.raw.get(key).and_then(Value::as_str).map(str::to_owned);
    ItemDto {
        kind: kind_word(kind).to_owned(),
        name: item.key.clone(),
        title: text("title"),
        description: text("description"),
        malformed: item.problem.clone(),
        raw: json_text(&item.raw),
        input_schema: item.raw.get("inputSchema").map(json_text),
        hash: item.hashes.body.clone(),
    }
}

/// The difference between two snapshots, worst first.
#[must_use]
pub fn diff(diff: &SnapshotDiff) -> SnapshotDiffDto {
    let mut changes: Vec<(_, ChangeDto)> =
        diff.changes.iter().map(|each| (each.severity, change(each))).collect();
    changes.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let remarks = diff.remarks.iter().map(|remark| ChangeDto {
        kind: "server".to_owned(),
        name: String::new(),
        change: "changed".to_owned(),
        fields: vec![remark.text.clone()],
        severity: word(&remark.severity),
        before: None,
        after: None,
    });
    SnapshotDiffDto {
        from: diff.from.clone(),
        to: diff.to.clone(),
        severity: diff.severity.as_ref().map(word),
        changes: changes.into_iter().map(|(_, change)| change).chain(remarks).collect(),
    }
}

/// How a surface differs from its baseline.
#[must_use]
pub fn drift(drift: &Drift) -> DriftDto {
    DriftDto {
        baseline_id: drift.baseline_id.clone(),
        snapshot_id: drift.snapshot_id.clone(),
        severity: word(&drift.severity),
        changes: drift.changes,
        summary: drift.summary.clone(),
        since_ms: drift.since_ms,
        quarantined_items: drift
            .quarantined_items
            .iter()
            .map(|item| QuarantinedItemDto {
                kind: kind_word(item.list).to_owned(),
                name: item.key.clone(),
                reason: item.reason.clone(),
            })
            .collect(),
        quarantined: drift.quarantined,
    }
}

fn change(change: &Change) -> ChangeDto {
    let (name, fields) = match &change.kind {
        ChangeKind::Added => ("added", Vec::new()),
        ChangeKind::Removed => ("removed", Vec::new()),
        ChangeKind::Renamed { from } => ("renamed", vec![format!("from {from}")]),
        ChangeKind::Changed { fields } => ("changed", fields.iter().map(|f| field(*f).to_owned()).collect()),
    };
    ChangeDto {
        kind: kind_word(change.list).to_owned(),
        name: change.key.clone(),
        change: name.to_owned(),
        fields,
        severity: word(&change.severity),
        before: change.before.as_ref().map(json_text),
        after: change.after.as_ref().map(json_text),
    }
}

fn field(field: FieldChange) -> &'static str {
    match field {
        FieldChange::Description => "description",
        FieldChange::InputSchemaCompatible => "input_schema: compatible",
        FieldChange::InputSchemaBreaking => "input_schema: breaking",
        FieldChange::OutputSchema => "output_schema",
        FieldChange::Annotations => "annotations",
        FieldChange::Other => "other",
    }
}
