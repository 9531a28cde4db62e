//! Notices that `mcp.json` or `settings.toml` changed, and has the fleet follow. Only what changed is touched.

use crate::dto::Topic;
use crate::editing::read_text;
use crate::room::ControlRoom;
use att_core::sha256_hex;
use notify::{RecursiveMode, Watcher as _};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the file must be left alone before it is read: editors write in steps.
const QUIET: Duration = Duration::from_millis(300);
/// The longest wait for that.
const LONGEST: Duration = Duration::from_secs(3);
/// How often it is looked at where the system does not tell: network folders, a link that leads elsewhere.
const LOOK: Duration = Duration::from_secs(3);

/// The files that are watched, all in one folder.
const FILES: [&str; 2] = ["mcp.json", "settings.toml"];

/// Watches until the room closes.
pub(crate) async fn watch(room: ControlRoom) {
    let path = room.0.home.mcp_json();
    // One waiting word is enough: it says "look".
    let (tell, mut told) = mpsc::channel(1);
    let _watcher = start(&path, tell.clone());
    let settings = room.0.home.settings_toml();
    let prints = || (fingerprint(&path), fingerprint(&settings));
    let mut seen = prints();
    // A change between the reading at the start and now.
    room.follow_configuration().await;
    loop {
        tokio::select! {
            _ = told.recv() => {
                let quiet = async { while let Ok(Some(())) = tokio::time::timeout(QUIET, told.recv()).await {} };
                let _ = tokio::time::timeout(LONGEST, quiet).await;
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = prints();
        if now != seen {
            seen = now;
            tracing::info!("mcp.json or settings.toml changed and is read again");
            room.follow_configuration().await;
        }
    }
}

fn start(path: &Path, tell: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let folder = path.parent()?;
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours = event.map_or(true, |event| {
            event.need_rescan()
                || event.paths.iter().any(|path| FILES.iter().any(|file| path.ends_with(file)))
        });
        if ours {
            // Full means that a look is due already.
            let _ = tell.try_send(());
        }
    });
    // The folder and not the file: a replaced file is another one.
    let watched = watcher.and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched
        .inspect_err(
            |error| tracing::warn!(%error, "the system does not tell of changes; the file is looked at"),
        )
        .ok()
}

/// What the file holds, in short; whether it is there and can be read is part of it.
fn fingerprint(path: &Path) -> Result<Option<String>, String> {
    read_text(path).map(|text| text.map(sha256_hex)).map_err(|report| report.to_string())
}

impl ControlRoom {
    /// Reads `mcp.json` again and has the fleet that is watched here follow it.
    pub(crate) async fn follow_configuration(&self) {
        self.read_configuration();
        let fleet = self.driver().await.as_ref().and_then(|driver| driver.fleet().cloned());
        if let Some(fleet) = fleet {
            let servers = self.configuration().servers.clone();
            fleet.reload(servers).await;
        }
        self.0.notices.tell(&[Topic::System, Topic::Fleet]);
    }
}
