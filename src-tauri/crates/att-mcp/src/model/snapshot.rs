//! A capability snapshot and the difference between two (design 1.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::server::{Era, ListCounts};

/// Which list an item is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// `tools/list`.
    Tools,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    ResourceTemplates,
    /// `prompts/list`.
    Prompts,
}

impl ListKind {
    /// The four lists, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Resources, Self::ResourceTemplates, Self::Prompts];

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resource_templates",
            Self::Prompts => "prompts",
        }
    }
}

/// How reading a list went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum ListStatus {
    /// Read to its end.
    Ok,
    /// The server does not offer it.
    Unsupported,
    /// It was asked and failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Hashes (SHA-256 of RFC 8785 text) by field group, so that a change can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemHashes {
    /// Name, title and URI.
    pub identity: String,
    /// The description.
    pub description: String,
    /// `inputSchema`; a prompt's `arguments`.
    pub input_schema: String,
    /// `outputSchema`.
    pub output_schema: String,
    /// `annotations`.
    pub annotations: String,
    /// All other fields.
    pub other: String,
    /// Everything but name, title and URI: equal for a mere rename.
    pub body: String,
}

/// One item of a list, raw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotItem {
    /// What tells it from its neighbours: name, URI or URI template. A malformed or repeated one gets a mark of its own.
    pub key: String,
    /// The item as the server sent it.
    pub raw: Value,
    /// What is wrong with it; null for a sound item.
    pub problem: Option<String>,
    /// Its hashes.
    pub hashes: ItemHashes,
}

/// One list of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSnapshot {
    /// How reading it went.
    #[serde(flatten)]
    pub status: ListStatus,
    /// The items, in the server's order.
    pub items: Vec<SnapshotItem>,
}

impl ListSnapshot {
    /// A list that the server does not offer.
    #[must_use]
    pub fn unsupported() -> Self {
        Self { status: ListStatus::Unsupported, items: Vec::new() }
    }
}

/// The four lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    /// Tools.
    pub tools: ListSnapshot,
    /// Resources.
    pub resources: ListSnapshot,
    /// Resource templates.
    pub resource_templates: ListSnapshot,
    /// Prompts.
    pub prompts: ListSnapshot,
}

impl Lists {
    /// One of the four.
    #[must_use]
    pub fn get(&self, kind: ListKind) -> &ListSnapshot {
        match kind {
            ListKind::Tools => &self.tools,
            ListKind::Resources => &self.resources,
            ListKind::ResourceTemplates => &self.resource_templates,
            ListKind::Prompts => &self.prompts,
        }
    }

    /// Item counts; none where the server does not offer the list.
    #[must_use]
    pub fn counts(&self) -> ListCounts {
        let count = |list: &ListSnapshot| match list.status {
            ListStatus::Unsupported => None,
            ListStatus::Ok | ListStatus::Failed { .. } => {
                Some(u32::try_from(list.items.len()).unwrap_or(u32::MAX))
            }
        };
        ListCounts {
            tools: count(&self.tools),
            resources: count(&self.resources),
            resource_templates: count(&self.resource_templates),
            prompts: count(&self.prompts),
        }
    }

    /// The lists that failed, with the reason.
    #[must_use]
    pub fn failures(&self) -> Vec<(ListKind, String)> {
        ListKind::ALL
            .into_iter()
            .filter_map(|kind| match &self.get(kind).status {
                ListStatus::Failed { reason } => Some((kind, reason.clone())),
                ListStatus::Ok | ListStatus::Unsupported => None,
            })
            .collect()
    }
}

/// What a server offered at one time. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Content address: SHA-256 over server, parent and `surface`.
    pub id: String,
    /// The server.
    pub server: String,
    /// The snapshot before it.
    pub parent: Option<String>,
    /// SHA-256 over what is offered, whatever its order; equal for equal surfaces.
    pub surface: String,
    /// When it was first seen, Unix ms.
    pub taken_at_ms: i64,
    /// When it was last seen unchanged, Unix ms.
    pub last_seen_at_ms: i64,
    /// The connection's generation at first sight.
    pub generation: u64,
    /// The era.
    pub era: Era,
    /// The protocol version.
    pub protocol_version: String,
    /// `serverInfo`, raw.
    pub server_info: Value,
    /// `capabilities`, raw.
    pub capabilities: Value,
    /// Instructions.
    pub instructions: Option<String>,
    /// The four lists.
    pub lists: Lists,
}

/// How grave a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth knowing.
    Notice,
    /// To be looked at: may carry a prompt injection, or took something away.
    Warning,
    /// Breaks callers or changes what a tool may do.
    Alarm,
}

/// Which fields of an item changed, and what that means for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldChange {
    /// The description.
    Description,
    /// The input schema, and every call that fitted still fits.
    InputSchemaCompatible,
    /// The input schema, and a call that fitted may not fit any more.
    InputSchemaBreaking,
    /// The output schema.
    OutputSchema,
    /// Annotations such as `readOnlyHint`.
    Annotations,
    /// Anything else.
    Other,
}

/// What happened to one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Same body, other name.
    Renamed {
        /// Its key before.
        from: String,
    },
    /// Same name, other body.
    Changed {
        /// The field groups that differ.
        fields: Vec<FieldChange>,
    },
}

/// One line of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The list.
    pub list: ListKind,
    /// The item's key (the new one for a rename).
    pub key: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// How grave.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// The item before; null when added.
    pub before: Option<Value>,
    /// The item after; null when removed.
    pub after: Option<Value>,
}

/// The difference between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotDiff {
    /// The older snapshot's id.
    pub from: String,
    /// The newer snapshot's id.
    pub to: String,
    /// The gravest of the changes; null when nothing changed.
    pub severity: Option<Severity>,
    /// The changes, by list and key.
    pub changes: Vec<Change>,
    /// Changes outside the lists.
    pub remarks: Vec<Remark>,
}

impl SnapshotDiff {
    /// How many changes and remarks there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.changes.len() + self.remarks.len()).unwrap_or(u32::MAX)
    }

    /// The gravest few, as sentences.
    #[must_use]
    pub fn headline(&self, most: usize) -> String {
        let changes = self.changes.iter().map(|change| (change.severity, &change.text));
        let mut all: Vec<_> = changes.chain(self.remarks.iter().map(|r| (r.severity, &r.text))).collect();
        all.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        let said: Vec<&str> = all.iter().take(most).map(|(_, text)| text.as_str()).collect();
        said.join("; ")
    }
}

/// A change outside the lists: protocol version, server info, capabilities, instructions, a list's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// How grave.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// A list could not be read: nothing is known to have changed.
    pub unread: bool,
}
