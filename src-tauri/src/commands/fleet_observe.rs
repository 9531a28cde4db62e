//! Commands that only look into the fleet: the wire log, the history of snapshots, names of secrets,
//! calls under way.

use att_api::ControlRoom;
use att_api::dto::{CallUnderWayDto, ErrorDto, SecretListDto, SessionDto, SnapshotHistoryDto, WirePageDto};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn server_wire(
    room: State<'_, ControlRoom>,
    server: String,
    after_seq: Option<u32>,
    limit: u32,
) -> Result<WirePageDto, ErrorDto> {
    Ok(room.server_wire(server, after_seq, limit).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn snapshot_history(
    room: State<'_, ControlRoom>,
    server: String,
    before: Option<String>,
    limit: Option<u32>,
) -> Result<SnapshotHistoryDto, ErrorDto> {
    Ok(room.snapshot_history(server, before, limit).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn secrets_list(room: State<'_, ControlRoom>) -> Result<SecretListDto, ErrorDto> {
    Ok(room.secrets_list().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn calls_under_way(room: State<'_, ControlRoom>) -> Result<Vec<CallUnderWayDto>, ErrorDto> {
    Ok(room.calls_under_way().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn sessions(room: State<'_, ControlRoom>) -> Result<Vec<SessionDto>, ErrorDto> {
    Ok(room.sessions().await?)
}
