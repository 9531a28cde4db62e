//! `att-demo-server`: a real MCP server that misbehaves on request. The demo's and the tests' peer.
//!
//! What it offers depends on `--profile`; how it misbehaves on flags and on a control file, which is read again
//! at each request. What must outlive a restart (the flap schedule, the time from which it drifts, the counter)
//! is kept in a state file beside the control file.

mod arguments;
mod catalog;
mod edge_http;
mod edge_stdio;
mod faults;
mod handler;
mod state;

use arguments::{Arguments, Profile, Transport};
use clap::Parser as _;
use faults::Control;
use handler::DemoServer;
use state::StateFile;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let control = Arc::new(Control::new(&arguments));
    let state = Arc::new(StateFile::new(control.path()));
    if control.now().grandchild {
        faults::leave_grandchild();
    }
    if arguments.profile == Profile::Flapping {
        let schedule = control.now();
        if let Err(why) = state.enter(schedule.flap_down_attempts) {
            say(&why);
            return ExitCode::FAILURE;
        }
        tokio::spawn(fall_when_due(Arc::clone(&state), schedule.flap_up_ms));
    }
    let server = DemoServer::new(arguments.profile, Arc::clone(&control), state);
    let served = match arguments.transport {
        Transport::Stdio => edge_stdio::serve(server, control).await,
        Transport::Http => edge_http::serve(server, control, arguments.port).await,
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Goes down when its time is up; the next attempts find it down until enough were made.
async fn fall_when_due(state: Arc<StateFile>, up_ms: u64) {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if state.fall_if_due(up_ms) {
            say("going down now, as scheduled");
            std::process::exit(1);
        }
    }
}

pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "att-demo-server: {text}");
}
