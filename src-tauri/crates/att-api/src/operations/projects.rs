//! Projects and their `att.toml`: read in the background, approved by a person.

use super::releases::{engined, stored};
use crate::dto::{ProjectDto, Topic};
use crate::room::ControlRoom;
use att_bootstrap::config::{Ci, Config};
use att_bootstrap::model::{Project, ProjectId};
use att_bootstrap::store::CycleStore as _;
use att_core::{Code, Report};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How long what was read of a project's base branch counts as fresh.
const FRESH_MS: i64 = 10_000;

/// What is known of the projects' `att.toml`, and since when.
#[derive(Debug, Default)]
pub(crate) struct ProjectShelf(Mutex<BTreeMap<String, (i64, ProjectDto)>>);

impl ProjectShelf {
    fn get(&self, name: &str) -> Option<(i64, ProjectDto)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Puts it on the shelf; true when it differs from what was there.
    fn put(&self, at_ms: i64, project: ProjectDto) -> bool {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shelf.insert(project.project.clone(), (at_ms, project.clone()));
        before.is_none_or(|(_, before)| before != project)
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl ControlRoom {
    /// Every project. Its `att.toml` is read in the background: fetching can take long.
    pub(crate) async fn projects(&self) -> Result<Vec<ProjectDto>, Report> {
        let mut projects = Vec::new();
        for project in self.journal()?.projects().await.map_err(stored)? {
            let known = self.0.projects.get(project.id.as_str());
            let stale = known.as_ref().is_none_or(|(at_ms, _)| self.now_ms() - at_ms > FRESH_MS);
            let shown = known.map_or_else(|| self.plain(&project), |(_, shown)| shown);
            if stale {
                // Marked as fresh first, so that it is read once.
                self.0.projects.put(self.now_ms(), shown.clone());
                let room = self.clone();
                self.spawn(async move {
                    let fresh = room.read_project(&project).await;
                    if room.0.projects.put(room.now_ms(), fresh) {
                        room.0.notices.tell(&[Topic::Releases]);
                    }
                });
            }
            projects.push(shown);
        }
        Ok(projects)
    }

    fn plain(&self, project: &Project) -> ProjectDto {
        ProjectDto {
            project: project.id.to_string(),
            path: project.path.clone(),
            base: project.base.clone(),
            config_digest: None,
            config_approved: false,
            config_commands: Vec::new(),
            demo: self.0.home.is_demo() && project.id.as_str() == crate::demo::PROJECT,
            problem: None,
        }
    }

    async fn read_project(&self, project: &Project) -> ProjectDto {
        let read = match self.engine().await {
            Ok(engine) => engine.project_config(&project.id).await.map_err(engined),
            Err(report) => Err(report),
        };
        match read {
            Ok((config, approved)) => ProjectDto {
                config_commands: commands(&config),
                config_digest: Some(config.digest),
                config_approved: approved,
                ..self.plain(project)
            },
            Err(report) => ProjectDto {
                problem: Some(match &report.cure {
                    Some(cure) => format!("{} ({cure})", report.message),
                    None => report.message.clone(),
                }),
                ..self.plain(project)
            },
        }
    }

    /// One project by name, or by the path of its repository, which makes it known. Reads its `att.toml` now.
    ///
    /// # Errors
    /// When it is no project, or its `att.toml` is broken.
    pub async fn project_show(&self, project: String) -> Result<ProjectDto, Report> {
        let id = self.project_of(&project).await?;
        let (config, approved) = self.engine().await?.project_config(&id).await.map_err(engined)?;
        let known = self.journal()?.project(&id).await.map_err(stored)?;
        let known = known.ok_or_else(|| no_such_project(&project))?;
        Ok(ProjectDto {
            config_commands: commands(&config),
            config_digest: Some(config.digest),
            config_approved: approved,
            ..self.plain(&known)
        })
    }

    /// The id of a project given by name, or by the path of its repository.
    pub(crate) async fn project_of(&self, text: &str) -> Result<ProjectId, Report> {
        if self.knows_project(text).await? {
            return Ok(ProjectId::new(text));
        }
        let path = Path::new(text);
        if !path.is_absolute() {
            return Err(no_such_project(text));
        }
        let (project, _) =
            self.engine().await?.register_project(path, self.person()).await.map_err(engined)?;
        Ok(project.id)
    }

    /// A person approves the `att.toml` that was on screen.
    ///
    /// # Errors
    /// When the file is another one by now, or the reason too short.
    pub async fn project_approve_config(
        &self,
        project: String,
        digest: String,
        reason: String,
    ) -> Result<(), Report> {
        self.may_act()?;
        let id = ProjectId::new(project.clone());
        self.engine().await?.approve_config(&id, &digest, &reason, self.person()).await.map_err(engined)?;
        self.0.projects.forget(&project);
        self.0.notices.tell(&[Topic::Releases, Topic::Decisions]);
        self.wake().await;
        Ok(())
    }
}

fn no_such_project(text: &str) -> Report {
    Report::new(Code::NotFound, format!("there is no project `{text}`"))
        .cure("give the name of a known project (`att release list`) or the path of its git repository")
}

/// What an approval lets ATT run, one line a command.
fn commands(config: &Config) -> Vec<String> {
    let line = |stage: &str, argv: &[String]| format!("{stage}: {}", argv.join(" "));
    let mut lines = Vec::new();
    lines.extend(config.tests.as_ref().map(|command| line("tests", &command.argv)));
    match &config.ci {
        Some(Ci::Command(command)) => lines.push(line("ci", &command.argv)),
        Some(Ci::None) => lines.push("ci: none".to_owned()),
        None => lines.push("ci: not said, so nothing is merged".to_owned()),
    }
    lines.extend(config.sources.command.as_ref().map(|command| line("release source", &command.argv)));
    for (name, target) in &config.targets {
        let parts = [
            ("deploy", &target.deploy),
            ("observe", &target.observe),
            ("watchdog", &target.watchdog),
            ("health", &target.health),
            ("rollback", &target.rollback),
            ("preflight", &target.preflight),
        ];
        for (stage, command) in parts {
            lines.extend(command.as_ref().map(|command| line(&format!("{name} {stage}"), &command.argv)));
        }
    }
    lines
}
