//! Tells the window what is newer: tiny notices, coalesced, none while it is hidden.

use att_api::ControlRoom;
use std::collections::BTreeMap;
use std::time::Duration;
use tauri::{AppHandle, Emitter as _, Manager as _};

/// At most one notice a topic in this time.
const BEAT: Duration = Duration::from_millis(150);
/// How often a hidden window is looked at.
const HIDDEN_BEAT: Duration = Duration::from_millis(500);

/// Pumps until the control room is closed.
pub(crate) async fn pump(app: AppHandle, room: ControlRoom) {
    let mut notices = room.notices();
    let mut sent = BTreeMap::new();
    loop {
        if notices.changed().await.is_err() {
            return;
        }
        while app.get_webview_window("main").is_some_and(|window| !window.is_visible().unwrap_or(true)) {
            tokio::time::sleep(HIDDEN_BEAT).await;
        }
        for notice in notices.borrow_and_update().iter() {
            if sent.insert(notice.topic, notice.version) != Some(notice.version)
                && let Err(error) = app.emit("notice", notice)
            {
                tracing::debug!(%error, "a notice was not delivered");
            }
        }
        tokio::time::sleep(BEAT).await;
    }
}
