//! The stdio edge: lines pass through the faults on their way in and out.

use crate::faults::{Control, Treatment};
use crate::handler::DemoServer;
use rmcp::ServiceExt as _;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

/// Room between the edge and the server.
const PIPE_BYTES: usize = 64 * 1024;

/// Which method each open request id belongs to.
type Open = Arc<Mutex<HashMap<String, String>>>;

/// Serves until standard input ends.
///
/// # Errors
/// When rmcp cannot be started or standard output is gone.
pub async fn serve(server: DemoServer, control: Arc<Control>) -> std::io::Result<()> {
    let (to_server, server_reads) = tokio::io::duplex(PIPE_BYTES);
    let (server_writes, from_server) = tokio::io::duplex(PIPE_BYTES);
    let open: Open = Arc::default();
    let (out, mut lines_out) = tokio::sync::mpsc::channel::<String>(256);
    let writer = tokio::spawn(async move {
        let mut stdout = tokio::io::stdout();
        while let Some(line) = lines_out.recv().await {
            if stdout.write_all(format!("{line}\n").as_bytes()).await.is_err()
                || stdout.flush().await.is_err()
            {
                return;
            }
        }
    });
    tokio::spawn(outward(from_server, Arc::clone(&control), Arc::clone(&open), out.clone()));
    tokio::spawn(inward(to_server, control, open, out));
    let running = server.serve((server_reads, server_writes)).await.map_err(std::io::Error::other)?;
    running.waiting().await.map_err(std::io::Error::other)?;
    // What was written last still has to leave.
    let _ = tokio::time::timeout(Duration::from_millis(200), writer).await;
    Ok(())
}

async fn inward(
    to_server: DuplexStream,
    control: Arc<Control>,
    open: Open,
    out: tokio::sync::mpsc::Sender<String>,
) {
    let to_server = Arc::new(tokio::sync::Mutex::new(to_server));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(id) = message.get("id").filter(|_| !method.is_empty()) {
            open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), method.clone());
        }
        match control.now().treatment(&method) {
            Treatment::Pass { after_ms: 0 } => forward(&to_server, &line).await,
            Treatment::Pass { after_ms } => {
                let to_server = Arc::clone(&to_server);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    forward(&to_server, &line).await;
                });
            }
            Treatment::Swallow => {}
            Treatment::Die => {
                crate::say(&format!("dying on {method}, as told"));
                std::process::exit(9);
            }
            Treatment::Garbage => {
                let _ = out.send("{\"jsonrpc\": \"2.0\", \"id\": oops".to_owned()).await;
            }
        }
    }
    let _ = to_server.lock().await.shutdown().await;
}

async fn forward(to_server: &tokio::sync::Mutex<DuplexStream>, line: &str) {
    let _ = to_server.lock().await.write_all(format!("{line}\n").as_bytes()).await;
}

async fn outward(
    from_server: DuplexStream,
    control: Arc<Control>,
    open: Open,
    out: tokio::sync::mpsc::Sender<String>,
) {
    let mut lines = BufReader::new(from_server).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let line = spoiled(&line, &control, &open).unwrap_or(line);
        if out.send(line).await.is_err() {
            return;
        }
    }
}

fn spoiled(line: &str, control: &Control, open: &Open) -> Option<String> {
    let mut answer: Value = serde_json::from_str(line).ok()?;
    let id = answer.get("id")?.to_string();
    let method = open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)?;
    control.now().spoil(&method, &mut answer);
    serde_json::to_string(&answer).ok()
}
