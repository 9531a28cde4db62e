//! Commands that edit `mcp.json`.

use att_api::ControlRoom;
use att_api::dto::ErrorDto;
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
