//! One list of commands: it makes the invoke handler and the TypeScript bindings.

use crate::commands;
use att_api::dto::Notice;
use std::sync::atomic::{AtomicU32, Ordering};
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands};

/// Every command the window may call. Their permissions are in `src-tauri/permissions`.
pub(crate) fn builder() -> Builder<tauri::Wry> {
    Builder::<tauri::Wry>::new()
        .error_handling(ErrorHandlingMode::Result)
        .disable_serde_phases()
        .commands(collect_commands![
            commands::observe::system_status,
            commands::observe::fleet_list,
            commands::observe::server_show,
            commands::observe::snapshot_show,
            commands::observe::snapshot_diff,
            commands::observe::events_list,
            commands::observe::releases_list,
            commands::observe::cycle_show,
            commands::observe::cycle_output,
            commands::observe::decisions_list,
            commands::observe::decision_show,
            commands::observe::journal_verify,
            commands::fleet_observe::server_wire,
            commands::fleet_observe::snapshot_history,
            commands::fleet_observe::secrets_list,
            commands::fleet_observe::calls_under_way,
            commands::fleet_observe::sessions,
            commands::questions::questions_list,
            commands::questions::question_answer,
            commands::questions::question_page_open,
            commands::act::server_retry,
            commands::act::server_set_enabled,
            commands::act::server_refresh,
            commands::act::server_approve_command,
            commands::act::server_call,
            commands::act::call_cancel,
            commands::act::fleet_reload,
            commands::act::release_run,
            commands::act::release_run_demo,
            commands::act::release_rollback,
            commands::act::cycle_cancel,
            commands::act::cycle_continue,
            commands::act::project_approve_config,
            commands::act::decision_approve,
            commands::act::decision_reject,
            commands::act::decision_evaluate_again,
            commands::act::interruption_acknowledge,
            commands::act::operator_statement,
            commands::act::safe_mode_set,
            commands::fleet_act::server_authorize,
            commands::fleet_act::authorize_page_open,
            commands::fleet_act::server_authorize_cancel,
            commands::fleet_act::server_forget_authorization,
            commands::fleet_act::secret_set,
            commands::fleet_act::snapshot_accept,
            commands::fleet_act::baseline_clear,
            commands::configure::server_add,
            commands::configure::server_remove,
            commands::configure::server_rename,
            commands::configure::server_set,
            commands::fleet_act::fleet_connect_all,
            commands::fleet_act::fleet_refresh_all,
            commands::fleet_act::session_invalidate,
            commands::fleet_act::session_refresh,
            commands::configure::import_plan,
            commands::configure::import_apply,
            commands::configure::server_withdraw_consent,
            commands::configure::server_doctor,
        ])
        .typ::<Notice>()
}

/// The text of `ui/src/backend/bindings.ts`.
///
/// # Errors
/// When a type has no TypeScript form.
pub fn typescript_bindings() -> Result<String, Box<dyn std::error::Error>> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("att-bindings-{}-{call}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let file = dir.join("bindings.ts");
    let written = builder().export(specta_typescript::Typescript::default(), &file).map_err(Box::from);
    let text = written.and_then(|()| std::fs::read_to_string(&file).map_err(Into::into));
    std::fs::remove_dir_all(&dir)?;
    text
}
