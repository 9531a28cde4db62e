//! Commands that only look (permission `observe`).

use att_api::ControlRoom;
use att_api::dto::{
    CycleDto, DecisionDto, DecisionsDto, ErrorDto, EventDto, EventFilterDto, FleetDto, JournalVerifyDto,
    ReleasesDto, ServerDetailDto, SnapshotDiffDto, SnapshotDto, StageOutputDto, SystemDto,
};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn system_status(room: State<'_, ControlRoom>) -> Result<SystemDto, ErrorDto> {
    Ok(room.system_status().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn fleet_list(room: State<'_, ControlRoom>) -> Result<FleetDto, ErrorDto> {
    Ok(room.fleet_list().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn server_show(room: State<'_, ControlRoom>, server: String) -> Result<ServerDetailDto, ErrorDto> {
    Ok(room.server_show(server).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn snapshot_show(
    room: State<'_, ControlRoom>,
    server: String,
    snapshot_id: String,
) -> Result<SnapshotDto, ErrorDto> {
    Ok(room.snapshot_show(server, snapshot_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn snapshot_diff(
    room: State<'_, ControlRoom>,
    server: String,
    from: String,
    to: String,
) -> Result<SnapshotDiffDto, ErrorDto> {
    Ok(room.snapshot_diff(server, from, to).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn events_list(
    room: State<'_, ControlRoom>,
    filter: EventFilterDto,
) -> Result<Vec<EventDto>, ErrorDto> {
    Ok(room.events_list(filter).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn releases_list(room: State<'_, ControlRoom>) -> Result<ReleasesDto, ErrorDto> {
    Ok(room.releases_list().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn cycle_show(room: State<'_, ControlRoom>, cycle_id: String) -> Result<CycleDto, ErrorDto> {
    Ok(room.cycle_show(cycle_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn cycle_output(
    room: State<'_, ControlRoom>,
    cycle_id: String,
    stage: String,
) -> Result<StageOutputDto, ErrorDto> {
    Ok(room.cycle_output(cycle_id, stage).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn decisions_list(room: State<'_, ControlRoom>) -> Result<DecisionsDto, ErrorDto> {
    Ok(room.decisions_list().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn decision_show(
    room: State<'_, ControlRoom>,
    decision_id: String,
) -> Result<DecisionDto, ErrorDto> {
    Ok(room.decision_show(decision_id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn journal_verify(room: State<'_, ControlRoom>) -> Result<JournalVerifyDto, ErrorDto> {
    Ok(room.journal_verify().await?)
}
