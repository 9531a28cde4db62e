//! Commands that change something (permission `act`).

use att_api::ControlRoom;
use att_api::dto::{
    ApproveDto, CallAnswerDto, CallRequestDto, CycleSummaryDto, DecisionDto, ErrorDto, ReleaseRequestDto,
};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn server_retry(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.server_retry(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_set_enabled(
    room: State<'_, ControlRoom>,
    server: String,
    enabled: bool,
) -> Result<(), ErrorDto> {
    Ok(room.server_set_enabled(server, enabled).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_refresh(room: State<'_, ControlRoom>, server: String) -> Result<(), ErrorDto> {
    Ok(room.server_refresh(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_approve_command(
    room: State<'_, ControlRoom>,
    server: String,
    digest: String,
) -> Result<(), ErrorDto> {
    Ok(room.server_approve_command(server, digest).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_call(
    room: State<'_, ControlRoom>,
    request: CallRequestDto,
) -> Result<CallAnswerDto, ErrorDto> {
    Ok(room.server_call(request).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn call_cancel(room: State<'_, ControlRoom>, request_id: String) -> Result<(), ErrorDto> {
    Ok(room.call_cancel(request_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn fleet_reload(room: State<'_, ControlRoom>) -> Result<(), ErrorDto> {
    Ok(room.fleet_reload().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn release_run(
    room: State<'_, ControlRoom>,
    request: ReleaseRequestDto,
) -> Result<CycleSummaryDto, ErrorDto> {
    Ok(room.release_run(request).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn release_run_demo(room: State<'_, ControlRoom>) -> Result<CycleSummaryDto, ErrorDto> {
    Ok(room.release_run_demo().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn release_rollback(
    room: State<'_, ControlRoom>,
    target: String,
    release_id: String,
) -> Result<CycleSummaryDto, ErrorDto> {
    Ok(room.release_rollback(target, release_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn cycle_cancel(
    room: State<'_, ControlRoom>,
    cycle_id: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.cycle_cancel(cycle_id, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn cycle_continue(
    room: State<'_, ControlRoom>,
    cycle_id: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.cycle_continue(cycle_id, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn project_approve_config(
    room: State<'_, ControlRoom>,
    project: String,
    digest: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.project_approve_config(project, digest, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn decision_approve(
    room: State<'_, ControlRoom>,
    approval: ApproveDto,
) -> Result<DecisionDto, ErrorDto> {
    Ok(room.decision_approve(approval).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn decision_reject(
    room: State<'_, ControlRoom>,
    decision_id: String,
    version: u32,
    reason: String,
) -> Result<DecisionDto, ErrorDto> {
    Ok(room.decision_reject(decision_id, version, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn decision_evaluate_again(
    room: State<'_, ControlRoom>,
    decision_id: String,
) -> Result<DecisionDto, ErrorDto> {
    Ok(room.decision_evaluate_again(decision_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn interruption_acknowledge(
    room: State<'_, ControlRoom>,
    interruption_id: String,
    note: String,
) -> Result<(), ErrorDto> {
    Ok(room.interruption_acknowledge(interruption_id, note).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn operator_statement(
    room: State<'_, ControlRoom>,
    cycle_id: String,
    live_release_id: Option<String>,
    next: String,
    reason: String,
) -> Result<(), ErrorDto> {
    Ok(room.operator_statement(cycle_id, live_release_id, next, reason).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn safe_mode_set(room: State<'_, ControlRoom>, on: bool, reason: String) -> Result<(), ErrorDto> {
    Ok(room.safe_mode_set(on, reason).await?)
}
