//! The history of a server's snapshots, and what a person accepts of it.

use super::fleet::store_report;
use crate::convert::{actor_text, snapshot as convert_snapshot};
use crate::dto::{BaselineDto, SnapshotHistoryDto, SnapshotRowDto};
use crate::requests::{Ask, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::model::Baseline;
use att_mcp::{FleetStore as _, diff};

/// Most snapshots of one page.
const PAGE: u32 = 50;
/// Longest reason for accepting a baseline.
const REASON_CHARS: usize = 500;

impl ControlRoom {
    /// One page of a server's snapshots, newest first: those older than `before`, or the newest.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn snapshot_history(
        &self,
        server: String,
        before: Option<String>,
        limit: Option<u32>,
    ) -> Result<SnapshotHistoryDto, Report> {
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
        let journal = self.journal()?;
        let baseline = journal.baseline_of(&server).await?;
        // One more than is shown: the severity of the last line is against the one behind it.
        let mut kept = journal.snapshots_before(&server, before.as_deref(), limit + 1).await?;
        let state = journal.states().await.map_err(store_report)?.into_iter().find(|s| s.server == server);
        let severities: Vec<_> = kept
            .iter()
            .enumerate()
            .map(|(place, newer)| {
                let parent = kept.get(place + 1).filter(|older| newer.parent.as_ref() == Some(&older.id))?;
                diff(parent, newer).severity.as_ref().map(crate::convert::word)
            })
            .collect();
        let more = kept.len() > limit as usize;
        kept.truncate(limit as usize);
        let accepted = baseline.as_ref().map(|baseline| baseline.snapshot_id.clone());
        Ok(SnapshotHistoryDto {
            baseline: baseline.map(|baseline| BaselineDto {
                snapshot_id: baseline.snapshot_id,
                at_ms: baseline.at_ms,
                actor: actor_text(&baseline.actor),
                reason: baseline.reason,
            }),
            drift: state.and_then(|state| state.drift).as_ref().map(convert_snapshot::drift),
            next_before: kept.last().filter(|_| more).map(|last| last.id.clone()),
            snapshots: kept
                .iter()
                .zip(severities)
                .map(|(snapshot, severity)| SnapshotRowDto {
                    summary: convert_snapshot::summary(snapshot),
                    baseline: accepted.as_ref() == Some(&snapshot.id),
                    severity,
                })
                .collect(),
        })
    }

    /// A person accepts the snapshot that was on screen as the baseline of its server.
    ///
    /// # Errors
    /// [`Code::Denied`] for anybody but a person; [`Code::NotFound`] when the server has no such snapshot.
    pub async fn snapshot_accept(
        &self,
        server: String,
        snapshot_id: String,
        reason: String,
    ) -> Result<(), Report> {
        self.may_act()?;
        let actor = self.approver()?;
        let reason = checked_reason(&reason)?;
        self.snapshot_show(server.clone(), snapshot_id.clone()).await?;
        let at_ms = self.now_ms();
        let baseline =
            Baseline { server: server.clone(), snapshot_id, at_ms, actor, reason, released_surface: None };
        self.journal()?.accept_baseline(baseline).await?;
        tell(self, Ask::BaselineChanged { server }).await;
        Ok(())
    }

    /// A person takes a baseline back: changes are told from then on, and nothing is forbidden.
    ///
    /// # Errors
    /// [`Code::Denied`] for anybody but a person; [`Code::NotFound`] when there is no baseline.
    pub async fn baseline_clear(&self, server: String, reason: String) -> Result<(), Report> {
        self.may_act()?;
        let actor = self.approver()?;
        let reason = checked_reason(&reason)?;
        if !self.journal()?.clear_baseline(&server, actor, self.now_ms(), reason).await? {
            return Err(Report::new(Code::NotFound, format!("`{server}` has no baseline"))
                .cure(format!("accept one with `att snapshot accept {server} ID`")));
        }
        tell(self, Ask::BaselineChanged { server }).await;
        Ok(())
    }

    fn approver(&self) -> Result<att_core::Actor, Report> {
        let actor = self.person();
        match actor.may_approve() {
            true => Ok(actor),
            false => Err(Report::new(Code::Denied, "only a person may accept or clear a baseline")
                .cure("use the desktop, or `att snapshot accept` in a terminal")),
        }
    }
}

fn checked_reason(reason: &str) -> Result<String, Report> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS {
        let text = format!("a reason of 1 to {REASON_CHARS} characters is needed");
        return Err(Report::new(Code::InvalidInput, text).cure("say in a few words what you looked at"));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;
    use att_journal::{Journal, OpenOptions};
    use att_mcp::facets::Greeting;
    use att_mcp::model::{Era, Snapshot};
    use att_mcp::snapshot::{ReadList, ReadLists, take};
    use serde_json::json;

    fn snapshot(description: &str, parent: Option<&Snapshot>) -> Snapshot {
        let greeting = Greeting {
            transport: None,
            era: Era::Legacy,
            protocol_version: "2025-11-25".into(),
            server_info: json!({"name": "s"}),
            capabilities: json!({"tools": {}}),
            instructions: None,
        };
        let tool = json!({"name": "t", "description": description, "inputSchema": {"type": "object"}});
        let none = || ReadList::Unsupported;
        let lists = ReadLists {
            tools: ReadList::Items(vec![tool]),
            resources: none(),
            resource_templates: none(),
            prompts: none(),
        };
        take("s", 1, &greeting, lists, parent, 1)
    }

    async fn room_with(face: Face, dir: &tempfile::TempDir) -> (ControlRoom, [Snapshot; 3]) {
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        let journal = Journal::open(home.root(), OpenOptions::default()).await.unwrap();
        let first = snapshot("one", None);
        let second = snapshot("two", Some(&first));
        let third = snapshot("three", Some(&second));
        for kept in [&first, &second, &third] {
            journal.put_snapshot(kept.clone()).await.unwrap();
        }
        journal.close().await;
        (ControlRoom::open(home, face, Drive::Nothing).await, [first, second, third])
    }

    #[tokio::test]
    async fn the_history_is_paged_and_marks_the_baseline_and_how_grave_each_change_was() {
        let dir = tempfile::tempdir().unwrap();
        let (room, [first, second, third]) = room_with(Face::Cli, &dir).await;
        room.snapshot_accept("s".into(), second.id.clone(), "looked at it".into()).await.unwrap();
        let page = room.snapshot_history("s".into(), None, Some(2)).await.unwrap();
        let told: Vec<_> = page
            .snapshots
            .iter()
            .map(|row| (row.summary.id.clone(), row.baseline, row.severity.clone()))
            .collect();
        let warning = || Some("warning".to_owned());
        assert_eq!(told, [(third.id, false, warning()), (second.id.clone(), true, warning())]);
        assert_eq!(page.baseline.unwrap().reason, "looked at it");
        let last = room.snapshot_history("s".into(), page.next_before, Some(2)).await.unwrap();
        assert_eq!((last.snapshots.len(), &last.snapshots[0].summary.id), (1, &first.id));
        assert_eq!((&last.snapshots[0].severity, &last.next_before), (&None, &None));
        room.baseline_clear("s".into(), "a mistake".into()).await.unwrap();
        assert_eq!(room.snapshot_history("s".into(), None, None).await.unwrap().baseline, None);
        assert_eq!(room.baseline_clear("s".into(), "again".into()).await.unwrap_err().code, Code::NotFound);
        room.close().await;
    }

    #[tokio::test]
    async fn only_a_person_accepts_only_what_is_there_and_only_with_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let (room, [first, ..]) = room_with(Face::Cli, &dir).await;
        let accept = |id: &str, reason: &str| room.snapshot_accept("s".into(), id.into(), reason.into());
        assert_eq!(accept("nothing", "why").await.unwrap_err().code, Code::NotFound);
        assert_eq!(accept(&first.id, "  ").await.unwrap_err().code, Code::InvalidInput);
        room.close().await;
        let dir = tempfile::tempdir().unwrap();
        let (room, [first, ..]) = room_with(Face::Mcp, &dir).await;
        let refused = room.snapshot_accept("s".into(), first.id, "an agent's".into()).await.unwrap_err();
        assert_eq!(refused.code, Code::Denied);
        assert_eq!(room.snapshot_history("s".into(), None, None).await.unwrap().baseline, None);
        room.close().await;
    }
}
