//! stdio: one JSON message a line. Bounded, cancel-safe, and telling at once when a line is no message.

use std::collections::VecDeque;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::incoming::{Arrival, Heard, excerpt};
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

type Outbound = (ClientJsonRpcMessage, Vec<u8>, oneshot::Sender<Result<(), LineError>>);

/// Messages waiting to be written, at most.
const OUTBOUND_CAPACITY: usize = 64;

/// A pair of byte streams as a transport.
pub(crate) struct LineTransport<R> {
    wire: Arc<Wire>,
    reader: BufReader<R>,
    line: Vec<u8>,
    ready: VecDeque<ServerJsonRpcMessage>,
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
        let line = line.trim_ascii();
        if line.is_empty() {
            return true;
        }
        if !matches!(line.first(), Some(b'{' | b'[')) {
            self.say(&excerpt(line));
            return true;
        }
        for heard in self.wire.hear(line, Arrival::default()) {
            match heard {
                Heard::Message(message) => self.ready.push_back(*message),
                Heard::Taken => {}
                Heard::Ignored(why) => self.say(&why),
                Heard::Broken(why) if line.starts_with(b"{") => {
                    let text = format!("the server sent a line that is {why}");
                    self.wire.break_with(WireFault::new(ErrorCategory::InvalidPayload, text));
                    return false;
                }
                Heard::Broken(_) => self.say(&excerpt(line)),
            }
        }
        true
    }

    fn say(&self, what: &str) {
        let _ = self.noise.try_send(format!("stdout: {what}"));
    }
}

async fn write_lines<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut queue: mpsc::Receiver<Outbound>,
    wire: Arc<Wire>,
) {
    while let Some((message, mut line, done)) = queue.recv().await {
        wire.going_out(&message, &line, None);
        line.push(b'\n');
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
        let outbound = self.outbound.clone();
        async move {
            let line = serde_json::to_vec(&item)?;
            let (done, written) = oneshot::channel();
            let outbound = outbound.ok_or(LineError::Closed)?;
            outbound.send((item, line, done)).await.map_err(|_| LineError::Closed)?;
            written.await.map_err(|_| LineError::Closed)?
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
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
