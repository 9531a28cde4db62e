//! The old HTTP+SSE transport: a stream per client, and an address for its messages. Each client is served over lines
//! as stdio is, so that every fault works here too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use futures::{StreamExt as _, stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::Mutex as AsyncMutex;

use crate::DemoError;
use crate::control::Control;
use crate::server::Demo;
use crate::stdio::serve_lines;

/// Buffer between a client and the server, in bytes.
const PIPE_BYTES: usize = 256 * 1024;
/// Largest request taken, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

type Client = Arc<AsyncMutex<DuplexStream>>;

struct Clients {
    demo: Demo,
    control: Arc<Control>,
    next: AtomicU64,
    listed: Mutex<HashMap<u64, Client>>,
}

/// Serves on loopback until the process ends.
pub(crate) async fn serve(demo: Demo, control: Arc<Control>, port: u16) -> Result<(), DemoError> {
    let clients = Arc::new(Clients { demo, control, next: AtomicU64::new(1), listed: Mutex::default() });
    let app = Router::new()
        .route("/sse", get(open))
        .route("/messages/{client}", post(take))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(clients);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(DemoError::io(format!("listening on port {port}")))?;
    let port = listener.local_addr().map_err(DemoError::io("asking for the port"))?.port();
    eprintln!("listening on http://127.0.0.1:{port}/sse");
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await.map_err(DemoError::io("serving"))
}

async fn open(State(clients): State<Arc<Clients>>) -> Response {
    let number = clients.next.fetch_add(1, Ordering::Relaxed);
    let (to_server, input) = tokio::io::duplex(PIPE_BYTES);
    let (from_server, output) = tokio::io::duplex(PIPE_BYTES);
    clients
        .listed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(number, Arc::new(AsyncMutex::new(to_server)));
    let (demo, control) = (clients.demo.clone(), Arc::clone(&clients.control));
    tokio::spawn(async move {
        if let Err(error) = serve_lines(demo, control, input, output).await {
            eprintln!("att-demo-server: client {number}: {error}");
        }
    });
    let first = format!("event: endpoint\ndata: /messages/{number}\n\n");
    let gone = Gone { clients, number };
    let lines = BufReader::new(from_server).lines();
    let messages = stream::unfold((lines, gone), |(mut lines, gone)| async {
        let line = lines.next_line().await.ok().flatten()?;
        Some((format!("event: message\ndata: {line}\n\n"), (lines, gone)))
    });
    let body = stream::once(std::future::ready(first)).chain(messages).map(Ok::<_, std::io::Error>);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

async fn take(State(clients): State<Arc<Clients>>, Path(number): Path<u64>, body: Bytes) -> StatusCode {
    let client = clients.listed.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
    let Some(client) = client else { return StatusCode::NOT_FOUND };
    let mut line = body.to_vec();
    line.push(b'\n');
    match client.lock().await.write_all(&line).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::NOT_FOUND,
    }
}

/// Forgets a client with its stream.
struct Gone {
    clients: Arc<Clients>,
    number: u64,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.clients.listed.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}
