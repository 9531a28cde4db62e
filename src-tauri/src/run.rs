//! Starts the control room and its window, and ends everything that was started.

use crate::{bindings, pages, pump};
use att_api::{ControlRoom, Drive, Face, Home};
use std::process::ExitCode;
use tauri::RunEvent;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
    // Listened for before anything is started: a request to end that comes early still ends in order.
    let told_to_end = match runtime.block_on(async { EndSignals::listen() }) {
        Ok(signals) => signals,
        Err(error) => return complain(&format!("signals cannot be watched: {error}")),
    };
    let room = runtime.block_on(ControlRoom::open(home, Face::Desktop, Drive::FleetAndCycles));
    tauri::async_runtime::set(runtime.handle().clone());
    let builder = bindings::builder();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_shell::init())
        .manage(room.clone())
        .manage(pages::Pages::default())
        .invoke_handler(builder.invoke_handler())
        .setup({
            let room = room.clone();
            move |app| {
                tauri::async_runtime::spawn(pump::pump(app.handle().clone(), room));
                tauri::async_runtime::spawn(told_to_end.end(app.handle().clone()));
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
struct EndSignals {
    term: Signal,
    int: Signal,
}

impl EndSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn end(mut self, app: tauri::AppHandle) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
        app.exit(0);
    }
}

fn complain(text: &str) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "att-desktop: {text}");
    ExitCode::FAILURE
}
