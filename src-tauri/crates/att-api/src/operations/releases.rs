//! Projects, targets with their chains, and cycles.

use crate::convert::{self, cycle as convert_cycle};
use crate::demo;
use crate::dto::{CycleDto, CycleSummaryDto, ReleaseRequestDto, ReleasesDto, StageOutputDto, TargetDto};
use crate::room::ControlRoom;
use att_bootstrap::engine::{AdoptedRelease, RollbackRequest};
use att_bootstrap::error::EngineError;
use att_bootstrap::model::{Cycle, OutputLog, ProjectId, Release, Target, TargetId};
use att_bootstrap::request::CycleRequest;
use att_bootstrap::store::{CycleStore as _, StoreError};
use att_core::id::CycleId;
use att_core::{Actor, Code, Report};
use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How many cycles a list holds.
const CYCLES: u32 = 100;
/// How far a chain is shown.
const CHAIN: u32 = 100;
/// The most output that one answer holds.
const OUTPUT_BYTES: u64 = 64 * 1024;

/// A store's error as an operator sees it.
pub(crate) fn stored(error: StoreError) -> Report {
    EngineError::from(error).report()
}

/// An engine's error as an operator sees it.
pub(crate) fn engined(error: EngineError) -> Report {
    error.report()
}

impl ControlRoom {
    /// Projects, targets with their chains, and the newest cycles.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn releases_list(&self) -> Result<ReleasesDto, Report> {
        let journal = self.journal()?;
        let cycles = journal.cycles(CYCLES).await.map_err(stored)?;
        let mut targets = Vec::new();
        for target in journal.targets().await.map_err(stored)? {
            targets.push(self.target(&target, &cycles).await?);
        }
        Ok(ReleasesDto {
            projects: self.projects().await?,
            targets,
            cycles: cycles.iter().map(convert_cycle::summary).collect(),
        })
    }

    async fn target(&self, target: &Target, cycles: &[Cycle]) -> Result<TargetDto, Report> {
        let journal = self.journal()?;
        let chain = journal.chain(&target.id, CHAIN).await.map_err(stored)?;
        let releases = journal.releases(&target.id).await.map_err(stored)?;
        let subjects = self.subjects(target, &releases).await;
        let live = cycles
            .iter()
            .find(|cycle| cycle.target.as_ref() == Some(&target.id) && !cycle.state.is_terminal());
        Ok(convert_cycle::target(target, &chain, &releases, &subjects, live))
    }

    /// First lines of the commits of `releases`, read from our own clone; once for each commit.
    async fn subjects(&self, target: &Target, releases: &[Release]) -> BTreeMap<String, String> {
        let commits: Vec<&String> = releases.iter().filter_map(|release| release.commit.as_ref()).collect();
        let missing =
            |known: &BTreeMap<String, String>| commits.iter().any(|commit| !known.contains_key(*commit));
        if missing(&self.subject_cache())
            && let (Ok(engine), Ok(journal)) = (self.engine().await, self.journal())
            && let Ok(Some(project)) = journal.project(&target.project).await
        {
            for commit in &commits {
                // What cannot be read is not asked for again and again.
                let subject = engine.world().subject(&project, commit).unwrap_or_default();
                self.subject_cache().insert((*commit).clone(), subject);
            }
        }
        let known = self.subject_cache();
        let named =
            commits.iter().filter_map(|commit| Some(((*commit).clone(), known.get(*commit)?.clone())));
        named.filter(|(_, subject)| !subject.is_empty()).collect()
    }

    /// One cycle with its stages.
    ///
    /// # Errors
    /// When there is no such cycle.
    pub async fn cycle_show(&self, cycle_id: String) -> Result<CycleDto, Report> {
        let journal = self.journal()?;
        let cycle = self.known_cycle(&cycle_id).await?;
        let outputs = journal.output_logs(&cycle.id).await.map_err(stored)?;
        Ok(convert_cycle::cycle(&cycle, &outputs))
    }

    pub(crate) async fn known_cycle(&self, cycle_id: &str) -> Result<Cycle, Report> {
        let found = self.journal()?.cycle(&CycleId::from(cycle_id)).await.map_err(stored)?;
        found.ok_or_else(|| {
            Report::new(Code::NotFound, format!("there is no cycle `{cycle_id}`"))
                .cure("see `att release list`")
        })
    }

    /// The end of what a stage printed, at most 64 KiB.
    ///
    /// # Errors
    /// When there is no such cycle or stage.
    pub async fn cycle_output(&self, cycle_id: String, stage: String) -> Result<StageOutputDto, Report> {
        let cycle = self.known_cycle(&cycle_id).await?;
        let outputs = self.journal()?.output_logs(&cycle.id).await.map_err(stored)?;
        let Some(log) = outputs.into_iter().find(|log| convert::word(&log.stage) == stage) else {
            // A stage that runs has its file before it has its row.
            let path = format!("logs/cycles/{}/{stage}.log", cycle.id);
            let plain = stage.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            return Ok(match plain.then(|| read_tail(&self.0.home.root().join(path))).flatten() {
                Some((text, truncated)) => StageOutputDto { text, truncated },
                None => StageOutputDto { text: String::new(), truncated: false },
            });
        };
        Ok(self.output_of(&log))
    }

    fn output_of(&self, log: &OutputLog) -> StageOutputDto {
        match read_tail(&self.0.home.root().join(&log.path)) {
            Some((text, truncated)) => StageOutputDto { text, truncated: truncated || log.truncated },
            // The file was cleaned up; its last lines are in the journal.
            None => StageOutputDto { text: log.tail.clone(), truncated: true },
        }
    }

    /// Starts a cycle.
    ///
    /// # Errors
    /// When the request is refused: unknown project, laxer than its target, another live cycle.
    pub async fn release_run(&self, request: ReleaseRequestDto) -> Result<CycleSummaryDto, Report> {
        self.may_act()?;
        let project = self.project_of(&request.project).await?;
        let parsed = match request.request.trim_start().starts_with('{') {
            true => serde_json::from_str::<CycleRequest>(&request.request),
            false => Err(serde::de::Error::custom("it is no JSON object")),
        };
        let mut wanted = parsed.map_err(|error| {
            Report::new(Code::InvalidInput, "the request is not understood")
                .cause(error.to_string())
                .cure("write a JSON object with the keys of the release request, such as \"file_path\" and \"content\"")
        })?;
        wanted.project = project.as_str().to_owned();
        let cycle = self.engine().await?.submit(wanted, self.person()).await.map_err(engined)?;
        self.wake().await;
        Ok(convert_cycle::summary(&cycle))
    }

    /// Starts the demo's release, whose new version fails its health check.
    ///
    /// # Errors
    /// In a home that is no demo's; else as [`ControlRoom::release_run`].
    pub async fn release_run_demo(&self) -> Result<CycleSummaryDto, Report> {
        if !self.0.home.is_demo() {
            return Err(Report::new(Code::InvalidInput, "this home is no demo home")
                .cure("start the demo with ./run"));
        }
        let stamp = format!("{:x}", self.now_ms());
        let request = demo::release_request(&stamp).to_string();
        self.release_run(ReleaseRequestDto { project: demo::PROJECT.into(), request }).await
    }

    /// Asks for a rollback, or redeploy, of a release that ran on the target before. A person always decides.
    ///
    /// # Errors
    /// When target or release are unknown, or another cycle is live.
    pub async fn release_rollback(
        &self,
        target: String,
        release_id: String,
    ) -> Result<CycleSummaryDto, Report> {
        self.may_act()?;
        let wish = RollbackRequest { target: TargetId::from_text(target), release_id, linked_to: None };
        let cycle = self.engine().await?.plan_rollback(wish, self.person()).await.map_err(engined)?;
        self.wake().await;
        Ok(convert_cycle::summary(&cycle))
    }

    /// Stops a cycle: before the deploy it is cancelled, from it on a decision is made.
    ///
    /// # Errors
    /// When there is no such cycle, or it has ended.
    pub async fn cycle_cancel(&self, cycle_id: String, reason: String) -> Result<(), Report> {
        self.may_act()?;
        let engine = self.engine().await?;
        engine.cancel(&CycleId::from(cycle_id), self.person(), &reason).await.map_err(engined)?;
        self.wake().await;
        Ok(())
    }

    /// Lets a held merge happen.
    ///
    /// # Errors
    /// When the cycle does not wait for one.
    pub async fn cycle_continue(&self, cycle_id: String, reason: String) -> Result<(), Report> {
        self.may_act()?;
        let engine = self.engine().await?;
        engine.allow_merge(&CycleId::from(cycle_id), &reason, self.person()).await.map_err(engined)?;
        self.wake().await;
        Ok(())
    }

    /// A person states what runs on the target of a cycle whose outside state is unknown.
    ///
    /// # Errors
    /// When the cycle does not wait for it, or `next` is not `deciding`, `failed` or `cancelled`.
    pub async fn operator_statement(
        &self,
        cycle_id: String,
        live_release_id: Option<String>,
        next: String,
        reason: String,
    ) -> Result<(), Report> {
        self.may_act()?;
        let next = serde_json::from_value(serde_json::Value::String(next.clone())).map_err(|_| {
            Report::new(Code::InvalidInput, format!("`{next}` is no state"))
                .cure("use deciding, failed or cancelled")
        })?;
        let engine = self.engine().await?;
        let id = CycleId::from(cycle_id);
        engine.state_outside(&id, live_release_id, next, &reason, self.person()).await.map_err(engined)?;
        self.wake().await;
        Ok(())
    }

    /// The driver, if it is this process, looks for work at once.
    pub(crate) async fn wake(&self) {
        if let Some(driver) = self.driver().await.as_ref() {
            driver.wake();
        }
    }

    /// Is a project of that name known?
    pub(crate) async fn knows_project(&self, name: &str) -> Result<bool, Report> {
        Ok(self.journal()?.project(&ProjectId::new(name)).await.map_err(stored)?.is_some())
    }

    /// Records the demo's project, approves its `att.toml`, and takes over the releases that were put live.
    pub(crate) async fn adopt_demo(
        &self,
        path: &Path,
        past: &[demo::PastRelease],
        actor: Actor,
    ) -> Result<(), Report> {
        let engine = self.engine().await?;
        let (project, config) = engine.register_project(path, actor.clone()).await.map_err(engined)?;
        let reason = "the demo's own commands";
        engine.approve_config(&project.id, &config.digest, reason, actor.clone()).await.map_err(engined)?;
        let releases: Vec<AdoptedRelease> = past
            .iter()
            .map(|release| AdoptedRelease {
                id: release.id.to_owned(),
                commit: Some(release.commit.clone()),
                digest: None,
                healthy: true,
            })
            .collect();
        engine.adopt(&TargetId::new(&project.id, "shop"), &releases, actor).await.map_err(engined)
    }
}

/// The end of a text file, redacted, and whether its beginning is missing.
fn read_tail(path: &Path) -> Option<(String, bool)> {
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let from = length.saturating_sub(OUTPUT_BYTES);
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let whole_lines = if from > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    Some((att_core::redact(whole_lines), from > 0))
}
