//! Commands about what servers ask of the operator in the middle of a call.

use crate::pages::{no_question_page, open_in_browser};
use att_api::ControlRoom;
use att_api::dto::{ErrorDto, QuestionAnswerDto, QuestionDto};
use tauri::{AppHandle, State};

#[tauri::command]
#[specta::specta]
pub async fn questions_list(room: State<'_, ControlRoom>) -> Result<Vec<QuestionDto>, ErrorDto> {
    Ok(room.questions_list().await?)
}

#[tauri::command]
#[specta::specta]
pub async fn question_answer(room: State<'_, ControlRoom>, given: QuestionAnswerDto) -> Result<(), ErrorDto> {
    Ok(room.question_answer(given).await?)
}

/// Opens the page that this open question names: the web view names no address.
#[tauri::command]
#[specta::specta]
pub async fn question_page_open(
    app: AppHandle,
    room: State<'_, ControlRoom>,
    question_id: String,
) -> Result<(), ErrorDto> {
    let open = room.questions_list().await?;
    let question = open.into_iter().find(|question| question.id == question_id);
    let url = question.and_then(|question| question.url).ok_or_else(no_question_page)?;
    open_in_browser(&app, &url)
}
