//! `att-guard`: stands between ATT and what it starts. Not for people; ATT calls it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "att-guard child --parent PID --grace-ms N -- PROGRAM [ARG...]
att-guard exec --guard PID -- PROGRAM [ARG...]
att-guard operation --dir DIR";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let split = arguments.iter().position(|a| a == "--").unwrap_or(arguments.len());
    let (flags, argv) = (&arguments[..split], arguments.get(split + 1..).unwrap_or_default());
    let flag = |name: &str| {
        flags
            .iter()
            .position(|a| a == name)
            .and_then(|at| flags.get(at + 1))
            .map(|v| v.to_string_lossy().into_owned())
    };
    let number = |name: &str| flag(name).and_then(|text| text.parse::<u32>().ok());
    let mode = flags.first().map(|m| m.to_string_lossy().into_owned()).unwrap_or_default();
    match (mode.as_str(), number("--parent"), number("--guard"), flag("--dir")) {
        ("child", Some(parent), _, _) => {
            let grace = Duration::from_millis(u64::from(number("--grace-ms").unwrap_or(2_000)));
            finish(on_runtime(att_process::guard::guard_child(parent, grace, argv)))
        }
        ("exec", _, Some(guard), _) => {
            complain(&format!(
                "{}: {}",
                argv.first().map(|p| p.to_string_lossy()).unwrap_or_default(),
                att_process::guard::exec_child(guard, argv)
            ));
            ExitCode::from(127)
        }
        ("operation", _, _, Some(dir)) => {
            finish(on_runtime(
                async move { att_process::run_operation(&PathBuf::from(dir)).await.map(|()| 0) },
            ))
        }
        _ => {
            complain(USAGE);
            ExitCode::from(2)
        }
    }
}

/// One thread: the parent-death signal of a child follows the thread that spawned it, and this one never ends early.
fn on_runtime(work: impl Future<Output = std::io::Result<u8>>) -> std::io::Result<u8> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn finish(outcome: std::io::Result<u8>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(126)
        }
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "att-guard: {text}");
}
