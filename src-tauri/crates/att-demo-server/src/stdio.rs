//! stdio, with the mischief between the pipes and rmcp's server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::ServiceExt;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

use crate::DemoError;
use crate::control::Control;
use crate::hostile::{Reply, reply};
use crate::mischief::{Act, Cut, TOOLS_CHANGED, half, on_answer, on_request, refusal, told_changes};
use crate::server::Demo;

/// Buffer between the edge and the server, in bytes.
const PIPE_BYTES: usize = 256 * 1024;

/// Bytes on their way out, and what becomes of the server when they are out.
type Piece = (Vec<u8>, Option<Cut>);

/// Serves until stdin ends.
pub(crate) async fn serve(demo: Demo, control: Arc<Control>) -> Result<(), DemoError> {
    serve_lines(demo, control, tokio::io::stdin(), tokio::io::stdout()).await
}

/// Serves a message a line until `input` ends.
pub(crate) async fn serve_lines(
    demo: Demo,
    control: Arc<Control>,
    input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), DemoError> {
    let (edge, inner) = tokio::io::duplex(PIPE_BYTES);
    let (from_server, mut to_server) = tokio::io::split(edge);
    let (out, mut outgoing) = mpsc::channel::<Piece>(256);
    let (inn, mut incoming) = mpsc::channel::<String>(256);
    let methods: Arc<Mutex<HashMap<String, String>>> = Arc::default();

    let writer = tokio::spawn(async move {
        while let Some((bytes, cut)) = outgoing.recv().await {
            if output.write_all(&bytes).await.is_err() || output.flush().await.is_err() {
                return;
            }
            if let Some(cut) = cut {
                cut.follow().await;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(mut line) = incoming.recv().await {
            line.push('\n');
            if to_server.write_all(line.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let answers = {
        let (control, methods, out) = (Arc::clone(&control), Arc::clone(&methods), out.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(from_server).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let id =
                    serde_json::from_str::<Value>(&line).ok().and_then(|m| m.get("id").map(Value::to_string));
                let method =
                    id.and_then(|id| methods.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
                let sent = match method {
                    Some(method) => answer(&control, &method, &line, &out).await,
                    None => out.send(as_line(line)).await.is_ok(),
                };
                if !sent {
                    return;
                }
            }
        })
    };
    let server = tokio::spawn(async move {
        match demo.serve(inner).await {
            Ok(running) => {
                let _ = running.waiting().await;
                Ok(())
            }
            Err(error) => Err(DemoError::Handshake(error.to_string())),
        }
    });

    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await.map_err(DemoError::io("reading the input"))? {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        if let (Some(id), Some(method)) = (message.get("id"), message.get("method").and_then(Value::as_str)) {
            methods.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), method.to_owned());
        }
        match on_request(&control.faults(), control.era, &message) {
            Act::Pass => {
                let _ = inn.send(line).await;
            }
            Act::Delay(wait) => {
                let inn = inn.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    let _ = inn.send(line).await;
                });
            }
            Act::Hang => {}
            Act::Exit => std::process::exit(9),
            Act::Status(status, _) => {
                let refused = refusal(&message, -32603, &format!("status {status}"));
                let _ = out.send(as_line(refused.to_string())).await;
            }
            Act::Refuse(code, text) => {
                let _ = out.send(as_line(refusal(&message, code, text).to_string())).await;
            }
        }
    }
    drop(inn);
    drop(out);
    server.abort();
    answers.abort();
    let _ = tokio::time::timeout(std::time::Duration::from_millis(200), writer).await;
    Ok(())
}

/// Sends the answer to `method`, or what comes in its place; false when nobody reads any more.
async fn answer(control: &Control, method: &str, line: &str, out: &mpsc::Sender<Piece>) -> bool {
    let faults = control.faults();
    for _ in 0..told_changes(&faults, method) {
        if out.send(as_line(TOOLS_CHANGED.to_owned())).await.is_err() {
            return false;
        }
    }
    let line = on_answer(&faults, method, line);
    if let Some(cut) = Cut::of(&faults, method) {
        return out.send((half(&line).as_bytes().to_vec(), Some(cut))).await.is_ok();
    }
    let Some(act) = faults.hostile_to(method) else { return out.send(as_line(line)).await.is_ok() };
    match reply(act, &line) {
        Reply::Messages(all) => {
            for bytes in all {
                if out.send(message(bytes)).await.is_err() {
                    return false;
                }
            }
            true
        }
        Reply::Garbage(bytes) | Reply::Half(bytes) => out.send((bytes, None)).await.is_ok(),
        Reply::Flood(bytes) => {
            while out.send(message(bytes.clone())).await.is_ok() {}
            false
        }
        Reply::EndlessLine(bytes) => {
            while out.send((bytes.clone(), None)).await.is_ok() {}
            false
        }
    }
}

fn as_line(text: String) -> Piece {
    message(text.into_bytes())
}

fn message(mut bytes: Vec<u8>) -> Piece {
    bytes.push(b'\n');
    (bytes, None)
}
