//! Holds a snapshot against its server's baseline, and says what the drift policy forbids then (design 1.4). Pure.

use std::collections::BTreeMap;

use crate::config::DriftPolicy;
use crate::diff::diff;
use crate::model::{
    Baseline, Change, ChangeKind, Drift, ListKind, ListStatus, QuarantinedItem, Severity, Snapshot,
    TOLD_ITEMS,
};

/// Changes told in a summary.
const TOLD_CHANGES: usize = 5;

/// The items that must not be called, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarantine(BTreeMap<(ListKind, String), String>);

impl Quarantine {
    /// Why an item must not be called; none when it may.
    #[must_use]
    pub fn reason(&self, list: ListKind, key: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(list, key.to_owned())).map(String::as_str)
    }
}

/// What came out of holding a snapshot against a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How it differs; none on the baseline.
    pub drift: Option<Drift>,
    /// The forbidden items.
    pub items: Quarantine,
    /// The whole server is forbidden.
    pub server: bool,
}

/// Holds `snapshot` against `accepted`, the snapshot that `baseline` names. `before` is the verdict until now.
///
/// A list that could not be read says nothing about what is in it: what was forbidden there stays so.
#[must_use]
pub fn judge(
    baseline: &Baseline,
    accepted: &Snapshot,
    snapshot: &Snapshot,
    policy: DriftPolicy,
    before: &Verdict,
    now_ms: i64,
) -> Verdict {
    if accepted.surface == snapshot.surface {
        return Verdict::default();
    }
    let found = diff(accepted, snapshot);
    let unread = |kind: ListKind| matches!(snapshot.lists.get(kind).status, ListStatus::Failed { .. });
    let mut items = BTreeMap::new();
    if policy == DriftPolicy::QuarantineItems {
        for change in found.changes.iter().filter(|change| forbids(change)) {
            items.insert((change.list, change.key.clone()), change.text.clone());
        }
        let kept = before.items.0.iter().filter(|((list, _), _)| unread(*list));
        items.extend(kept.map(|(item, reason)| (item.clone(), reason.clone())));
    }
    let remarks: Vec<_> = found.remarks.iter().filter(|remark| !remark.unread).cloned().collect();
    let told = crate::model::SnapshotDiff { remarks, ..found };
    let severity =
        told.changes.iter().map(|c| c.severity).chain(told.remarks.iter().map(|r| r.severity)).max();
    let Some(severity) = severity.or_else(|| (!items.is_empty()).then_some(Severity::Warning)) else {
        // Nothing is known to differ: a list could not be read, or two values of one meaning were written in two ways.
        return Verdict::default();
    };
    let drift = Drift {
        baseline_id: accepted.id.clone(),
        snapshot_id: snapshot.id.clone(),
        severity,
        changes: told.count(),
        summary: told.headline(TOLD_CHANGES),
        since_ms: before
            .drift
            .as_ref()
            .filter(|drift| drift.baseline_id == accepted.id)
            .map_or(now_ms, |drift| drift.since_ms),
        quarantined_items: items
            .iter()
            .take(TOLD_ITEMS)
            .map(|((list, key), reason)| QuarantinedItem {
                list: *list,
                key: key.clone(),
                reason: reason.clone(),
            })
            .collect(),
        quarantined: u32::try_from(items.len()).unwrap_or(u32::MAX),
    };
    let server = policy == DriftPolicy::QuarantineServer
        && severity >= Severity::Warning
        && baseline.released_surface.as_ref() != Some(&snapshot.surface);
    Verdict { drift: Some(drift), items: Quarantine(items), server }
}

/// Nobody accepted an item that was added or renamed, whatever it says of itself; one that changed is forbidden where
/// the change is at least a warning. What is gone cannot be called anyway.
fn forbids(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Added | ChangeKind::Renamed { .. } => true,
        ChangeKind::Changed { .. } => change.severity >= Severity::Warning,
        ChangeKind::Removed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facets::Greeting;
    use crate::model::Era;
    use crate::snapshot::{ReadList, ReadLists, take};
    use serde_json::{Value, json};

    fn snapshot(tools: ReadList) -> Snapshot {
        let greeting = Greeting {
            transport: None,
            era: Era::Legacy,
            protocol_version: "2025-11-25".into(),
            server_info: json!({"name": "s"}),
            capabilities: json!({}),
            instructions: None,
        };
        let none = || ReadList::Unsupported;
        let lists = ReadLists { tools, resources: none(), resource_templates: none(), prompts: none() };
        take("s", 1, &greeting, lists, None, 1)
    }

    fn tool(name: &str, description: &str) -> Value {
        json!({"name": name, "description": description, "inputSchema": {"type": "object"}})
    }

    fn of(tools: &[Value]) -> Snapshot {
        snapshot(ReadList::Items(tools.to_vec()))
    }

    fn baseline(accepted: &Snapshot) -> Baseline {
        Baseline {
            server: "s".into(),
            snapshot_id: accepted.id.clone(),
            at_ms: 1,
            actor: att_core::Actor::person("ann", att_core::Face::Cli, 1),
            reason: "looked at it".into(),
            released_surface: None,
        }
    }

    fn held(accepted: &Snapshot, now: &Snapshot, policy: DriftPolicy, before: &Verdict) -> Verdict {
        judge(&baseline(accepted), accepted, now, policy, before, 9)
    }

    #[test]
    fn items_that_nobody_accepted_are_forbidden_and_the_others_are_not() {
        let accepted = of(&[tool("same", "d"), tool("told", "d1"), tool("old", "x"), tool("gone", "y")]);
        let now = of(&[tool("same", "d"), tool("told", "d2"), tool("new", "x"), tool("added", "z")]);
        let verdict = held(&accepted, &now, DriftPolicy::QuarantineItems, &Verdict::default());
        let forbidden = |key| verdict.items.reason(ListKind::Tools, key).is_some();
        assert_eq!(["same", "told", "new", "added", "gone"].map(forbidden), [false, true, true, true, false]);
        assert!(
            verdict.items.reason(ListKind::Prompts, "told").is_none(),
            "a prompt of the same name is another item"
        );
        assert!(!verdict.server);
        let drift = verdict.drift.unwrap();
        assert_eq!((drift.severity, drift.changes, drift.quarantined), (Severity::Warning, 4, 3));
    }

    #[test]
    fn a_return_to_the_baseline_lifts_everything() {
        let (accepted, off) = (of(&[tool("a", "1")]), of(&[tool("a", "2")]));
        let drifted = held(&accepted, &off, DriftPolicy::QuarantineItems, &Verdict::default());
        assert!(drifted.items.reason(ListKind::Tools, "a").is_some());
        assert_eq!(held(&accepted, &accepted, DriftPolicy::QuarantineItems, &drifted), Verdict::default());
    }

    #[test]
    fn notify_forbids_nothing_and_quarantine_server_forbids_all_from_a_warning_on() {
        let accepted = of(&[tool("a", "1")]);
        let (grave, slight) = (of(&[tool("a", "2")]), of(&[tool("a", "1"), tool("b", "1")]));
        let none = Verdict::default();
        let told = held(&accepted, &grave, DriftPolicy::Notify, &none);
        assert!(!told.server && told.items == Quarantine::default() && told.drift.unwrap().is_open());
        assert!(held(&accepted, &grave, DriftPolicy::QuarantineServer, &none).server);
        let slight = held(&accepted, &slight, DriftPolicy::QuarantineServer, &none);
        assert!(!slight.server && !slight.drift.unwrap().is_open());
    }

    #[test]
    fn a_surface_that_the_operator_let_go_on_is_not_forbidden_again_and_another_one_is() {
        let accepted = of(&[tool("a", "1")]);
        let (second, third) = (of(&[tool("a", "2")]), of(&[tool("a", "3")]));
        let released = Baseline { released_surface: Some(second.surface.clone()), ..baseline(&accepted) };
        let held =
            |now| judge(&released, &accepted, now, DriftPolicy::QuarantineServer, &Verdict::default(), 9);
        assert!(!held(&second).server && held(&second).drift.is_some());
        assert!(held(&third).server);
    }

    #[test]
    fn a_list_that_could_not_be_read_is_no_drift_and_lifts_no_quarantine() {
        let accepted = of(&[tool("a", "1")]);
        let unread = snapshot(ReadList::Failed("no answer".into()));
        let policy = DriftPolicy::QuarantineServer;
        assert_eq!(held(&accepted, &unread, policy, &Verdict::default()), Verdict::default());
        let policy = DriftPolicy::QuarantineItems;
        let before = held(&accepted, &of(&[tool("a", "2")]), policy, &Verdict::default());
        let after = held(&accepted, &unread, policy, &before);
        assert!(after.items.reason(ListKind::Tools, "a").is_some());
        assert_eq!(after.drift.unwrap().since_ms, before.drift.unwrap().since_ms);
    }
}
