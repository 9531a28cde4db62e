//! stdio: one JSON message a line. Bounded, cancel-safe, and telling at once when a line is no message.

use std::collections::VecDeque;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::{EndOfTransport, MAX_MESSAGE_BYTES, Wire, WireFault};
use crate::model::ErrorCategory;

/// Why a line could not be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the message has no JSON form: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("the server's input is closed")]
    Closed,
}

type Outbound = (Option<String>, Vec<u8>, oneshot::Sender<Result<(), LineError>>);

/// Messages waiting to be written, at most.
const OUTBOUND_CAPACITY: usize = 64;

/// A pair of byte streams as a transport.
pub(crate) struct LineTransport<R> {
    wire: Arc<Wire>,
    reader: BufReader<R>,
    line: Vec<u8>,
    ready: VecDeque<Value>,
    outbound: Option<mpsc::Sender<Outbound>>,
    /// Lines on stdout that are no messages.
    noise: mpsc::Sender<String>,
    _end: EndOfTransport,
}

impl<R: AsyncRead + Send + Unpin> LineTransport<R> {
    /// `noise` takes what a server prints to stdout that is no message.
    pub fn new<W>(reader: R, writer: W, wire: Arc<Wire>, noise: mpsc::Sender<String>) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (outbound, queue) = mpsc::channel(OUTBOUND_CAPACITY);
        // A task of its own, so that a cancelled request never leaves half a line behind. It ends when the
        // transport is dropped, and closes the server's input with that.
        tokio::spawn(write_lines(writer, queue, Arc::clone(&wire)));
        let _end = EndOfTransport(Arc::clone(&wire));
        Self {
            _end,
            wire,
            reader: BufReader::new(reader),
            line: Vec::new(),
            ready: VecDeque::new(),
            outbound: Some(outbound),
            noise,
        }
    }

    /// The next line without its end; none at the end of the stream or when it is too long.
    async fn next_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let available = match self.reader.fill_buf().await {
                Ok(bytes) => bytes,
                Err(error) => {
                    let text = format!("reading from the server failed: {error}");
                    self.wire.break_with(WireFault::new(ErrorCategory::TransportError, text));
                    return None;
                }
            };
            if available.is_empty() {
                self.wire.end();
                return None;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |at| at + 1);
            self.line.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            if end.is_some() {
                return Some(std::mem::take(&mut self.line));
            }
            if self.line.len() > MAX_MESSAGE_BYTES {
                let text = format!("the server sent a line of more than {MAX_MESSAGE_BYTES} bytes");
                self.wire.break_with(WireFault::new(ErrorCategory::InvalidPayload, text));
                return None;
            }
        }
    }

    /// False when the line makes the connection unusable.
    fn take_line(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return true;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(batch)) => self.ready.extend(batch),
            Ok(message @ Value::Object(_)) => self.ready.push_back(message),
            Err(error) if text.starts_with('{') => {
                let text = format!("the server sent a line that is broken JSON: {error}");
                self.wire.break_with(WireFault::new(ErrorCategory::InvalidPayload, text));
                return false;
            }
            Ok(_) | Err(_) => {
                let _ = self.noise.try_send(format!("stdout: {text}"));
            }
        }
        true
    }
}

async fn write_lines<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut queue: mpsc::Receiver<Outbound>,
    wire: Arc<Wire>,
) {
    while let Some((id, line, done)) = queue.recv().await {
        if let Some(id) = &id {
            wire.mark_sent(id);
        }
        let written = async {
            writer.write_all(&line).await?;
            writer.flush().await
        };
        let outcome = written.await.map_err(|_| LineError::Closed);
        let failed = outcome.is_err();
        let _ = done.send(outcome);
        if failed {
            return;
        }
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleClient> for LineTransport<R> {
    type Error = LineError;

    fn send(
        &mut self,
        item: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.wire.register(&item);
        let id = match &item {
            ClientJsonRpcMessage::Request(request) => Some(request.id.to_string()),
            _ => None,
        };
        let outbound = self.outbound.clone();
        async move {
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let (done, written) = oneshot::channel();
            let outbound = outbound.ok_or(LineError::Closed)?;
            outbound.send((id, line, done)).await.map_err(|_| LineError::Closed)?;
            written.await.map_err(|_| LineError::Closed)?
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            while let Some(raw) = self.ready.pop_front() {
                self.wire.note(&raw);
                match serde_json::from_value::<ServerJsonRpcMessage>(raw) {
                    Ok(message) => return Some(self.wire.swap(message)),
                    Err(error) => {
                        let text = format!("stdout: a message that is no MCP message: {error}");
                        let _ = self.noise.try_send(text);
                    }
                }
            }
            let line = self.next_line().await?;
            if !self.take_line(&line) {
                return None;
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.outbound = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
