//! Commands that edit `mcp.json`, take servers over from other clients, and examine one.

use att_api::ControlRoom;
use att_api::dto::{DoctorDto, ErrorDto, ImportDoneDto, ImportPlanDto};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn server_add(room: State<'_, ControlRoom>, server: String, entry: String) -> Result<(), ErrorDto> {
    Ok(room.server_add(server, entry).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_remove(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.server_remove(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_rename(room: State<'_, ControlRoom>, server: String, to: String) -> Result<(), ErrorDto> {
    Ok(room.server_rename(server, to).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_set(
    room: State<'_, ControlRoom>,
    server: String,
    key: String,
    value: Option<String>,
) -> Result<(), ErrorDto> {
    Ok(room.server_set(server, key, value).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn import_plan(
    room: State<'_, ControlRoom>,
    from: String,
    file: Option<String>,
    folder: Option<String>,
) -> Result<ImportPlanDto, ErrorDto> {
    Ok(room.import_plan(from, file, folder).await?)
}

/// The digest is that of the plan on screen: a window never imports what nobody saw.
#[tauri::command]
#[specta::specta]
pub async fn import_apply(
    room: State<'_, ControlRoom>,
    from: String,
    file: Option<String>,
    folder: Option<String>,
    digest: String,
    on_conflict: String,
    only: Vec<String>,
) -> Result<ImportDoneDto, ErrorDto> {
    Ok(room.import_apply(from, file, folder, Some(digest), on_conflict, only).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_withdraw_consent(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.server_withdraw_consent(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_doctor(room: State<'_, ControlRoom>, server: String) -> Result<DoctorDto, ErrorDto> {
    Ok(room.server_doctor(server).await?)
}
