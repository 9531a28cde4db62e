//! Starts the control room and its window, and ends everything that was started.

use crate::{bindings, pump};
use att_api::{ControlRoom, Drive, Face, Home};
use std::process::ExitCode;
use tauri::RunEvent;

/// Runs the desktop until its window is closed or the process is told to end.
#[must_use]
pub fn run() -> ExitCode {
    att_api::log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the async runtime did not start: {error}")),
    };
    let home = match Home::locate() {
        Ok(home) => home,
        Err(report) => return complain(&report.to_string()),
    };
    let room = runtime.block_on(ControlRoom::open(home, Face::Desktop, Drive::FleetAndCycles));
    tauri::async_runtime::set(runtime.handle().clone());
    let builder = bindings::builder();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_shell::init())
        .manage(room.clone())
        .invoke_handler(builder.invoke_handler())
        .setup({
            let room = room.clone();
            move |app| {
                tauri::async_runtime::spawn(pump::pump(app.handle().clone(), room));
                end_on_signal(app.handle().clone());
                Ok(())
            }
        })
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            runtime.block_on(room.close());
            return complain(&format!("the window did not open: {error}"));
        }
    };
    let closing = room.clone();
    let handle = runtime.handle().clone();
    app.run(move |_app, event| {
        if let RunEvent::Exit = event {
            handle.block_on(closing.close());
        }
    });
    ExitCode::SUCCESS
}

/// TERM and INT end the app as closing its window does: children first.
fn end_on_signal(app: tauri::AppHandle) {
    tauri::async_runtime::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        app.exit(0);
    });
}

fn complain(text: &str) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "att-desktop: {text}");
    ExitCode::FAILURE
}
