//! The demo project: a bare remote, a checkout, two releases that were really put live.

use super::{actor, io};
use crate::{ControlRoom, Home};
use att_core::{Code, Report};
use att_process::{CommandSpec, RunLimits, run};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The project's files, as `(path, content)`; `@SITE@` stands for the folder of the site.
const FILES: [(&str, &str); 11] = [
    ("README.md", include_str!("../../demo/project/README.md")),
    ("att.toml", include_str!("../../demo/project/att.toml")),
    ("app/health.json", include_str!("../../demo/project/app/health.json")),
    ("app/index.html", include_str!("../../demo/project/app/index.html")),
    ("deploy/deploy.sh", include_str!("../../demo/project/deploy/deploy.sh")),
    ("deploy/rollback.sh", include_str!("../../demo/project/deploy/rollback.sh")),
    ("deploy/observe.sh", include_str!("../../demo/project/deploy/observe.sh")),
    ("deploy/watchdog.sh", include_str!("../../demo/project/deploy/watchdog.sh")),
    ("deploy/health.sh", include_str!("../../demo/project/deploy/health.sh")),
    ("deploy/preflight.sh", include_str!("../../demo/project/deploy/preflight.sh")),
    ("tests/run.sh", include_str!("../../demo/project/tests/run.sh")),
];

/// One release of the demo's past.
pub(crate) struct PastRelease {
    /// Its id.
    pub(crate) id: &'static str,
    /// Its commit.
    pub(crate) commit: String,
}

/// Makes the project unless it is there. True when it was made.
pub(crate) async fn make(room: &ControlRoom, home: &Home) -> Result<bool, Report> {
    let base = home.root().join("demo");
    let project = base.join("project");
    if room.knows_project(super::PROJECT).await? {
        return Ok(false);
    }
    // A half-made project of a set-up that was interrupted.
    if base.join("project").exists() || base.join("remote.git").exists() {
        for dir in ["project", "remote.git", "site"] {
            let _ = std::fs::remove_dir_all(base.join(dir));
        }
    }
    let site = base.join("site");
    for dir in [&project, &site] {
        std::fs::create_dir_all(dir).map_err(|error| io("making the demo's folders", &error))?;
    }
    let remote = base.join("remote.git");
    git(&base, &["init", "--quiet", "--bare", "--initial-branch=main", &remote.display().to_string()])
        .await?;
    git(&project, &["init", "--quiet", "--initial-branch=main"]).await?;
    git(&project, &["remote", "add", "origin", &remote.display().to_string()]).await?;
    for (path, content) in FILES {
        write(&project.join(path), &content.replace("@SITE@", &site.display().to_string()))?;
    }
    let first = commit(&project, "Open the shop").await?;
    put_live(&project, &site, "shop-v1", &first, None).await?;
    write(
        &project.join("app/index.html"),
        "<!doctype html><title>Demo shop</title><h1>Demo shop</h1>\n<p>Open from 9 to 18 o'clock</p>\n",
    )?;
    let second = commit(&project, "Show the opening hours").await?;
    put_live(&project, &site, "shop-v2", &second, Some("shop-v1")).await?;
    git(&project, &["push", "--quiet", "origin", "main"]).await?;
    let past = [PastRelease { id: "shop-v1", commit: first }, PastRelease { id: "shop-v2", commit: second }];
    room.adopt_demo(&project, &past, actor()).await?;
    Ok(true)
}

fn write(path: &Path, content: &str) -> Result<(), Report> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|error| io(&format!("writing {}", path.display()), &error))
}

async fn commit(project: &Path, message: &str) -> Result<String, Report> {
    git(project, &["add", "--all"]).await?;
    git(project, &["commit", "--quiet", "--message", message]).await?;
    Ok(git(project, &["rev-parse", "HEAD"]).await?.trim().to_owned())
}

/// Puts a release live with the project's own script, as the engine would.
async fn put_live(
    project: &Path,
    site: &Path,
    id: &str,
    commit: &str,
    previous: Option<&str>,
) -> Result<(), Report> {
    let spec = CommandSpec::new(["sh", "deploy/deploy.sh", &site.display().to_string()])
        .cwd(project)
        .env("ATT_RELEASE_ID", id)
        .env("ATT_PREVIOUS_RELEASE_ID", previous.unwrap_or_default())
        .env("ATT_COMMIT", commit)
        .env("ATT_WORKTREE", project.display().to_string());
    run_well(&spec, "putting a demo release live").await.map(drop)
}

async fn git(folder: &Path, arguments: &[&str]) -> Result<String, Report> {
    let spec = CommandSpec::new(std::iter::once("git").chain(arguments.iter().copied()))
        .cwd(folder)
        .env("GIT_AUTHOR_NAME", "Demo")
        .env("GIT_AUTHOR_EMAIL", "demo@example.invalid")
        .env("GIT_COMMITTER_NAME", "Demo")
        .env("GIT_COMMITTER_EMAIL", "demo@example.invalid")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    run_well(&spec, &format!("git {}", arguments.first().copied().unwrap_or_default())).await
}

async fn run_well(spec: &CommandSpec, what: &str) -> Result<String, Report> {
    let limits = RunLimits { timeout: Duration::from_secs(60), max_output_bytes: 16 * 1024 };
    let failed = |cause: String| {
        Report::new(Code::SpawnFailed, format!("{what} failed"))
            .cause(cause)
            .cure("install git and a POSIX shell")
    };
    let outcome = run(spec, &limits).await.map_err(|error| failed(error.to_string()))?;
    if outcome.success() {
        Ok(outcome.stdout)
    } else {
        Err(failed(format!("{}: {}", outcome.exit, outcome.stderr.trim())))
    }
}
