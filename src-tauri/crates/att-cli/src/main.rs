//! `att`: the headless face, over `att-api`. It only translates.

mod args;
mod ask;
mod authorize;
mod consent;
mod decision;
mod doctor;
mod fleet;
mod import;
mod print;
mod question;
mod release;
mod secret;
mod server;
mod session;
mod settings;
mod snapshot;
mod target;
mod wire;

use args::{Arguments, Command, DemoCommand, JournalCommand};
use att_api::{ControlRoom, Drive, Face, Home, Report};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    att_api::log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::remark(&format!("the async runtime did not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let as_json = arguments.json;
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(report) => print::failure(&report, as_json),
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Report> {
    let home = Home::locate()?;
    let json = arguments.json;
    match arguments.command {
        Command::Check(config) => fleet::check(home, config.config, json).await,
        Command::Servers => {
            with_room(home, Drive::Nothing, async |room| fleet::servers(&room, json).await).await
        }
        Command::Retry { servers } => {
            with_room(home, Drive::Nothing, async |room| session::retry(&room, servers, json).await).await
        }
        Command::Refresh { servers } => {
            with_room(home, Drive::Nothing, async |room| session::refresh(&room, servers, json).await).await
        }
        Command::Session { command } => {
            with_room(home, Drive::Nothing, async |room| session::run(&room, command, json).await).await
        }
        Command::Server { command } => server::run(home, command, json).await,
        Command::Import(arguments) => import::run(home, arguments, json).await,
        Command::Consent { command } => consent::run(home, command, json).await,
        Command::Doctor(arguments) => doctor::run(home, arguments, json).await,
        Command::Settings { command } => settings::run(home, command, json).await,
        Command::Call(call) => fleet::call(home, call, json).await,
        Command::Read(read) => fleet::read(home, read, json).await,
        Command::Snapshot { command } => {
            with_room(home, Drive::Nothing, async |room| snapshot::run(&room, command, json).await).await
        }
        Command::Events(filter) => {
            with_room(home, Drive::Nothing, async |room| fleet::events(&room, filter, json).await).await
        }
        Command::Authorize(arguments) => authorize::run(home, arguments, json).await,
        Command::Secret { command } => secret::run(home, command, json).await,
        Command::Wire(arguments) => {
            with_room(home, Drive::Nothing, async |room| wire::wire(&room, arguments, json).await).await
        }
        Command::Release { command } => release::run(home, command, json).await,
        Command::Question { command } => {
            with_room(home, Drive::Nothing, async |room| question::run(&room, command, json).await).await
        }
        Command::Decision { command } => decision::run(home, command, json).await,
        Command::Journal { command } => {
            with_room(home, Drive::Nothing, async |room| journal(&room, &command, json).await).await
        }
        Command::Target { command } => target::run(home, command, json).await,
        Command::Watch => watch(home, json).await,
        Command::Demo { command: DemoCommand::Init } => {
            let made = att_api::demo_init(&home).await?;
            if json {
                print::json(&made);
            } else {
                print::line(&made.text);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Opens the control room, does `work`, and closes it whatever came out.
pub(crate) async fn with_room(
    home: Home,
    drive: Drive,
    work: impl AsyncFnOnce(ControlRoom) -> Result<ExitCode, Report>,
) -> Result<ExitCode, Report> {
    let room = ControlRoom::open(home, Face::Cli, drive).await;
    remark_on_home(&room, drive).await;
    let answer = work(room.clone()).await;
    room.close().await;
    answer
}

/// Says on stderr what is wrong with the home though the command goes on: a journal that is only read, and, where
/// the fleet is watched, a journal that cannot be used and what is broken in `mcp.json`.
async fn remark_on_home(room: &ControlRoom, drive: Drive) {
    let Ok(status) = room.system_status().await else { return };
    let watches = drive == Drive::FleetAndCycles;
    if let Some(problem) =
        status.journal_problem.filter(|problem| watches || problem.code == "journal_too_new")
    {
        print::remark(&format!("warning[{}]: {}", problem.code, problem.message));
        for (name, text) in [("cause", problem.cause), ("cure", problem.cure)] {
            if let Some(text) = text {
                print::remark(&format!("  {name}: {text}"));
            }
        }
    }
    if watches {
        fleet::print_problems(&status.config_problems);
    }
}

async fn journal(room: &ControlRoom, command: &JournalCommand, json: bool) -> Result<ExitCode, Report> {
    match command {
        JournalCommand::Export => {
            room.journal_export(&mut std::io::stdout()).await?;
            Ok(ExitCode::SUCCESS)
        }
        JournalCommand::Verify => {
            let report = room.journal_verify().await?;
            if json {
                print::json(&report);
            } else if report.ok {
                print::line(&format!("The audit chain is whole: {} entries.", report.entries));
            } else {
                let at = report.first_bad_sequence.map_or_else(|| "its end".into(), |n| format!("entry {n}"));
                let problem = report.problem.as_deref().unwrap_or("unknown");
                print::line(&format!("The audit chain is damaged at {at}: {}", print::plain(problem)));
            }
            Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(4) })
        }
    }
}

/// Runs the control room until INT or TERM, and tells each change of a server's status.
async fn watch(home: Home, json: bool) -> Result<ExitCode, Report> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = |error: std::io::Error| print::bad_input(format!("signals cannot be watched: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(stop)?;
    let mut int = signal(SignalKind::interrupt()).map_err(stop)?;
    with_room(home, Drive::FleetAndCycles, async |room| {
        let mut notices = room.notices();
        let mut seen = std::collections::BTreeMap::new();
        loop {
            fleet::print_changes(&room, &mut seen, json).await?;
            tokio::select! {
                _ = term.recv() => return Ok(ExitCode::SUCCESS),
                _ = int.recv() => return Ok(ExitCode::SUCCESS),
                changed = notices.changed() => if changed.is_err() { return Ok(ExitCode::SUCCESS) },
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    })
    .await
}
