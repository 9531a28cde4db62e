//! `att demo init`: a home with five servers that misbehave in their own ways, and a project with two healthy
//! releases whose next one will not be healthy. Everything in it is real: processes, git, the journal.

mod fleet;
mod project;

use crate::{ControlRoom, Drive, Home};
use att_core::actor::{Actor, ActorKind, Face};
use att_core::{Code, Report};
use att_journal::{Journal, OpenOptions};
use serde::Serialize;

pub(crate) use project::PastRelease;

/// The demo project's name.
pub(crate) const PROJECT: &str = "demo-shop";

/// What was made, or was there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoMade {
    /// The home.
    pub home: String,
    /// True when this call made something.
    pub made: bool,
    /// One sentence.
    pub text: String,
}

/// Makes the demo in `home`. Safe to repeat: what is there stays as it is.
///
/// # Errors
/// When `home` is somebody's own home already, or something cannot be made.
pub async fn demo_init(home: &Home) -> Result<DemoMade, Report> {
    if !home.is_demo() && is_used(home).await {
        return Err(Report::new(
            Code::InvalidInput,
            format!("{} is in use and is no demo home", home.root().display()),
        )
        .cause("it holds an mcp.json or a journal that the demo did not make")
        .cure("set ATT_HOME to an empty folder for the demo"));
    }
    home.prepare()?;
    home.mark_demo().map_err(|error| io("marking the home", &error))?;
    let room = ControlRoom::open(home.clone(), att_core::Face::Cli, Drive::Nothing).await;
    let made = make(&room, home).await;
    room.close().await;
    let made = made?;
    let state = if made { "was made" } else { "is there already" };
    Ok(DemoMade {
        home: home.root().display().to_string(),
        made,
        text: format!(
            "The demo {state} in {}: five servers, one project, two releases.",
            home.root().display()
        ),
    })
}

/// Is there anything of somebody's own? A journal without entries is not: `att servers` leaves one.
async fn is_used(home: &Home) -> bool {
    if home.mcp_json().exists() {
        return true;
    }
    if !home.root().join("journal.db").exists() {
        return false;
    }
    match Journal::open(home.root(), OpenOptions::read_only()).await {
        Ok(journal) => {
            let entries = journal.head_sequence().await;
            journal.close().await;
            !matches!(entries, Ok(0))
        }
        Err(_) => true,
    }
}

async fn make(room: &ControlRoom, home: &Home) -> Result<bool, Report> {
    let fleet = fleet::make(room, home).await?;
    let project = project::make(room, home).await?;
    Ok(fleet || project)
}

/// The demo itself, as an actor.
pub(crate) fn actor() -> Actor {
    Actor { kind: ActorKind::Demo, name: "demo".into(), face: Face::Cli, pid: std::process::id() }
}

pub(crate) fn io(what: &str, error: &std::io::Error) -> Report {
    Report::new(Code::Internal, format!("{what} failed"))
        .cause(error.to_string())
        .cure("check that the folder is writable and the disk is not full")
}

/// The request of "Run the demo release": a change whose new version fails its health check.
pub(crate) fn release_request(stamp: &str) -> serde_json::Value {
    serde_json::json!({
        "files": [
            {
                "file_path": "app/index.html",
                "content": format!("<!doctype html><title>Demo shop</title><h1>Demo shop</h1>\n<p>Checkout in one click ({stamp})</p>\n"),
            },
            { "file_path": "app/health.json", "content": format!("{{\"status\": \"failing\", \"reason\": \"checkout times out\", \"build\": \"{stamp}\"}}\n") },
        ],
        "commit_message": "Check out in one click\n\nSkips the basket page.",
        "deploy_target": "shop",
    })
}
