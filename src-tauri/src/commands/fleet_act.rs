//! Commands that change something about the fleet: authorization, secrets, baselines,
//! sessions, all servers at once.

use crate::pages::{Pages, no_page, open_in_browser};
use att_api::ControlRoom;
use att_api::dto::{AuthorizePageDto, CheckDto, ErrorDto, SecretSetDto};
use tauri::{AppHandle, State};

#[tauri::command]
#[specta::specta]
pub async fn server_authorize(
    room: State<'_, ControlRoom>,
    pages: State<'_, Pages>,
    server: String,
) -> Result<AuthorizePageDto, ErrorDto> {
    let page = room.server_authorize(server).await?;
    pages.remember(&page);
    Ok(page)
}

/// Opens the page that `server_authorize` named for this server: the web view names no address.
#[tauri::command]
#[specta::specta]
pub async fn authorize_page_open(
    app: AppHandle,
    pages: State<'_, Pages>,
    server: String,
) -> Result<(), ErrorDto> {
    let url = pages.of(&server).ok_or_else(|| no_page(&server))?;
    open_in_browser(&app, &url)
}

#[tauri::command]
#[specta::specta]
pub async fn server_authorize_cancel(
    room: State<'_, ControlRoom>,
    pages: State<'_, Pages>,
    server: String,
) -> Result<(), ErrorDto> {
    pages.forget(&server);
    Ok(room.server_authorize_cancel(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_forget_authorization(
    room: State<'_, ControlRoom>,
    pages: State<'_, Pages>,
    server: String,
) -> Result<(), ErrorDto> {
    pages.forget(&server);
    Ok(room.server_forget_authorization(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn secret_set(
    room: State<'_, ControlRoom>,
    name: String,
    value: String,
) -> Result<SecretSetDto, ErrorDto> {
    Ok(room.secret_set(name, value).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn snapshot_accept(
    room: State<'_, ControlRoom>,
    server: String,
    snapshot_id: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.snapshot_accept(server, snapshot_id, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn baseline_clear(
    room: State<'_, ControlRoom>,
    server: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.baseline_clear(server, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn fleet_connect_all(
    room: State<'_, ControlRoom>,
    servers: Vec<String>,
) -> Result<CheckDto, ErrorDto> {
    Ok(room.fleet_connect_all(servers).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn fleet_refresh_all(
    room: State<'_, ControlRoom>,
    servers: Vec<String>,
) -> Result<CheckDto, ErrorDto> {
    Ok(room.fleet_refresh_all(servers).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn session_invalidate(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.session_invalidate(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn session_refresh(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.session_refresh(server).await?)
}
