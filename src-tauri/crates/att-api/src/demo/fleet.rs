//! The demo fleet: five servers that come with ATT, each with a habit of its own.

use super::{actor, io};
use crate::{ControlRoom, Home};
use att_core::{Code, Report};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes `mcp.json` and gives the consents for it, unless there is one. True when it was made.
pub(crate) async fn make(room: &ControlRoom, home: &Home) -> Result<bool, Report> {
    let path = home.mcp_json();
    if path.exists() {
        return Ok(false);
    }
    let server = server_program()?;
    let control = home.root().join("demo/control");
    std::fs::create_dir_all(&control).map_err(|error| io("making the demo's folders", &error))?;
    let text =
        serde_json::to_string_pretty(&servers(&server, &control, free_port()?)).unwrap_or_default() + "\n";
    // The consents first: once the file is there, whatever is changed in it asks a person.
    room.consent_to_all(&att_mcp::parse(&text, None).servers, actor()).await?;
    std::fs::write(&path, text).map_err(|error| io("writing mcp.json", &error))?;
    room.read_configuration();
    Ok(true)
}

fn servers(server: &Path, control: &Path, port: u16) -> Value {
    let server = server.display().to_string();
    let file = |name: &str| control.join(format!("{name}.json")).display().to_string();
    let stdio = |name: &str, more: &[&str]| {
        let mut arguments = vec!["--profile".to_owned(), name.to_owned(), "--control".to_owned(), file(name)];
        arguments.extend(more.iter().map(ToString::to_string));
        arguments
    };
    let port = port.to_string();
    json!({"mcpServers": {
        "everything": {"command": server, "args": stdio("everything", &[])},
        "echo-http": {
            "url": format!("http://127.0.0.1:{port}/mcp"),
            "att": {"start": [server, "--transport", "http", "--port", port, "--profile", "echo", "--control", file("echo-http")]},
        },
        // Answers after 6 s: slower than the 5 s from which a server counts as slow.
        "slow": {"command": server, "args": stdio("slow", &[])},
        // Looked at often, so that going down and coming back can be watched.
        "flapping": {
            "command": server, "args": stdio("flapping", &["--flap-up-ms", "30000", "--flap-down-attempts", "5"]),
            "att": {"probe_interval_ms": 5_000},
        },
        "drifting": {"command": server, "args": stdio("drifting", &[])},
    }})
}

/// The demo server beside our own program.
fn server_program() -> Result<PathBuf, Report> {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("att-demo-server")));
    beside.filter(|path| path.is_file()).ok_or_else(|| {
        Report::new(Code::SpawnFailed, "att-demo-server is not beside this program")
            .cure("build it: `cargo build -p att-demo-server`, or start the demo with ./run")
    })
}

/// A port that is free now. Should somebody take it later, `mcp.json` can be edited.
fn free_port() -> Result<u16, Report> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| io("finding a free port on loopback", &error))
}
