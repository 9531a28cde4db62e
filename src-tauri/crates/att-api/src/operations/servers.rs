//! One server in depth: snapshots, differences, calls.

use super::fleet::store_report;
use crate::convert::{fleet as convert_fleet, snapshot as convert_snapshot};
use crate::dto::{
    CallAnswerDto, CallRequestDto, ConsentDto, ServerDetailDto, SnapshotDiffDto, SnapshotDto,
    SnapshotSummaryDto,
};
use crate::once;
use crate::requests::no_such_server;
use crate::room::ControlRoom;
use att_core::id::RequestId;
use att_core::{Code, Report};
use att_mcp::config::Endpoint;
use att_mcp::model::{ServerState, Snapshot};
use att_mcp::{FleetStore as _, diff};

/// How many snapshots a server's page lists.
const SNAPSHOTS: u32 = 50;

impl ControlRoom {
    /// A server with its newest snapshot, its history and its stderr.
    ///
    /// # Errors
    /// When there is no such server.
    pub async fn server_show(&self, server: String) -> Result<ServerDetailDto, Report> {
        let driver = self.driver().await;
        let fleet = driver.as_ref().and_then(|driver| driver.fleet());
        let live = fleet.and_then(|fleet| fleet.server(&server).map(|state| (fleet, state)));
        let (state, row, stderr, live_snapshot) = match live {
            Some((fleet, state)) => {
                let row = self.live_row(fleet, &state);
                (state, row, fleet.stderr(&server), fleet.snapshot(&server).map(|kept| (*kept).clone()))
            }
            None => {
                let states = self.journal()?.states().await.map_err(store_report)?;
                let state = states.into_iter().find(|state| state.server == server);
                let state = state.ok_or_else(|| no_such_server(&server))?;
                let row = convert_fleet::server_row(&state, Vec::new(), false);
                (state, row, Vec::new(), None)
            }
        };
        drop(driver);
        let kept = match self.journal() {
            Ok(journal) => journal.snapshots(&server, SNAPSHOTS).await.map_err(store_report)?,
            Err(_) => live_snapshot.clone().into_iter().collect(),
        };
        let newest = live_snapshot.or_else(|| kept.first().cloned());
        let mut row = row;
        row.drifted = kept.len() > 1;
        Ok(ServerDetailDto {
            row,
            generation: crate::convert::count(state.generation),
            group: self.group_of(&server),
            url: self.url_of(&server),
            command: self.command_of(&state).await,
            snapshot: newest.as_ref().map(convert_snapshot::snapshot),
            snapshots: kept.iter().map(convert_snapshot::summary).collect(),
            stderr,
        })
    }

    fn group_of(&self, server: &str) -> Option<String> {
        let configuration = self.configuration();
        configuration.servers.iter().find(|config| config.name == server)?.group.clone()
    }

    fn url_of(&self, server: &str) -> Option<String> {
        let configuration = self.configuration();
        let config = configuration.servers.iter().find(|config| config.name == server)?;
        match &config.endpoint {
            Endpoint::Http { url, .. } => Some(att_core::redact(url)),
            Endpoint::Stdio { .. } => None,
        }
    }

    async fn command_of(&self, state: &ServerState) -> Option<ConsentDto> {
        let digest = state.command_digest.clone()?;
        let approved = match self.journal() {
            Ok(journal) => journal.consent(&state.server, &digest).await.unwrap_or(false),
            Err(_) => false,
        };
        Some(ConsentDto {
            digest,
            argv: state.command_line.clone(),
            env_names: state.command_env.clone(),
            approved,
        })
    }

    /// A server's snapshots, newest first, at most 50.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn snapshots_list(&self, server: String) -> Result<Vec<SnapshotSummaryDto>, Report> {
        let snapshots = self.journal()?.snapshots(&server, SNAPSHOTS).await.map_err(store_report)?;
        Ok(snapshots.iter().map(convert_snapshot::summary).collect())
    }

    async fn kept_snapshot(&self, server: &str, id: &str) -> Result<Snapshot, Report> {
        let found = self.journal()?.snapshot(id).await.map_err(store_report)?;
        found.filter(|snapshot| snapshot.server == server).ok_or_else(|| {
            Report::new(Code::NotFound, format!("`{server}` has no snapshot {id}"))
                .cure(format!("see `att snapshot list {server}`"))
        })
    }

    /// One snapshot in full.
    ///
    /// # Errors
    /// When the server has none of that id.
    pub async fn snapshot_show(&self, server: String, snapshot_id: String) -> Result<SnapshotDto, Report> {
        Ok(convert_snapshot::snapshot(&self.kept_snapshot(&server, &snapshot_id).await?))
    }

    /// The difference between two snapshots of a server.
    ///
    /// # Errors
    /// When the server does not have both.
    pub async fn snapshot_diff(
        &self,
        server: String,
        from: String,
        to: String,
    ) -> Result<SnapshotDiffDto, Report> {
        let from = self.kept_snapshot(&server, &from).await?;
        let to = self.kept_snapshot(&server, &to).await?;
        Ok(convert_snapshot::diff(&diff(&from, &to)))
    }

    /// Calls a tool, reads a resource or gets a prompt. Where another process watches the fleet, over a short
    /// connection of its own.
    ///
    /// # Errors
    /// When the request is no request. A call that fails is an answer with its attempts.
    pub async fn server_call(&self, request: CallRequestDto) -> Result<CallAnswerDto, Report> {
        self.may_act()?;
        let driver = self.driver().await;
        let Some(fleet) = driver.as_ref().and_then(|driver| driver.fleet()).cloned() else {
            drop(driver);
            return once::call_once(&self.0.home, None, request, once::company::Company::default()).await;
        };
        drop(driver);
        once::invoke(&fleet, request, &crate::convert::word(&self.0.face)).await
    }

    /// Cancels a call that is under way; one that has ended is left as it is.
    ///
    /// # Errors
    /// Never; the signature is that of every operation.
    pub async fn call_cancel(&self, request_id: String) -> Result<(), Report> {
        let driver = self.driver().await;
        if let Some(fleet) = driver.as_ref().and_then(|driver| driver.fleet()) {
            // One that has ended is left as it is.
            let _ = fleet.cancel(&RequestId::from(request_id));
        }
        Ok(())
    }
}
