//! Server-sent events, each bounded, and how a stream that broke is taken up again.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use reqwest::Response;
use sse_stream::{Sse, SseStream};

use super::broken;
use crate::model::ErrorCategory;
use crate::wire::{MAX_MESSAGE_BYTES, WireFault};

/// A stream that brought nothing is taken up again so many times in a row.
const MAX_TRIES: u32 = 5;
/// Wait before the first try, unless the server says another one.
const FIRST_WAIT: Duration = Duration::from_millis(1_000);
/// Bounds of what a server may ask for.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Longest event id that is repeated to the server.
const MAX_ID_BYTES: usize = 1_024;

pub(super) type Events = BoxStream<'static, Result<Sse, WireFault>>;

/// The events of `response`.
pub(super) fn events(response: Response) -> Events {
    let chunks = response.bytes_stream().map(|chunk| chunk.map_err(|error| broken(&error)));
    of_chunks(chunks)
}

/// The events in `chunks`. An event beyond the bound ends the stream.
fn of_chunks<S, B>(chunks: S) -> Events
where
    S: Stream<Item = Result<B, WireFault>> + Send + 'static,
    B: AsRef<[u8]> + Into<bytes::Bytes> + Send + 'static,
{
    let mut size = Size::default();
    let bounded = chunks.map(move |chunk| match chunk {
        Ok(chunk) if size.fits(chunk.as_ref()) => Ok(chunk.into()),
        Ok(_) => {
            let text = format!("the server sent an event of more than {MAX_MESSAGE_BYTES} bytes");
            Err(Broken(WireFault::new(ErrorCategory::InvalidPayload, text)))
        }
        Err(fault) => Err(Broken(fault)),
    });
    let events = SseStream::from_bytes_stream(bounded).map(|event| event.map_err(fault_of));
    // What comes after a fault says nothing.
    events
        .scan(false, |over, event| {
            let next = (!*over).then_some(event);
            *over = next.as_ref().is_some_and(Result::is_err);
            futures::future::ready(next)
        })
        .boxed()
}

#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
struct Broken(WireFault);

fn fault_of(error: sse_stream::Error) -> WireFault {
    match error {
        sse_stream::Error::Body(inner) => match inner.downcast::<Broken>() {
            Ok(broken) => broken.0,
            Err(other) => {
                WireFault::new(ErrorCategory::TransportError, format!("the event stream broke: {other}"))
            }
        },
        other => WireFault::new(
            ErrorCategory::InvalidPayload,
            format!("the server's event stream is malformed: {other}"),
        ),
    }
}

/// The size of the event that is being read. A blank line ends one, whichever line ends the server uses.
#[derive(Debug, Default)]
struct Size {
    event: usize,
    line: usize,
    after_return: bool,
}

impl Size {
    fn fits(&mut self, chunk: &[u8]) -> bool {
        for byte in chunk {
            let second_half = std::mem::take(&mut self.after_return) && *byte == b'\n';
            if second_half {
                continue;
            }
            match byte {
                b'\r' | b'\n' => {
                    self.after_return = *byte == b'\r';
                    if self.line == 0 {
                        self.event = 0;
                    }
                    self.line = 0;
                }
                _ => self.line += 1,
            }
            self.event += 1;
            if self.event > MAX_MESSAGE_BYTES {
                return false;
            }
        }
        true
    }
}

/// What a server said about taking a stream up again.
#[derive(Debug, Default)]
pub(super) struct Resumption {
    pub last_id: Option<String>,
    wait: Option<Duration>,
    tries: u32,
}

impl Resumption {
    /// Notes an event.
    pub fn note(&mut self, event: &Sse) {
        if let Some(id) = event.id.as_ref().filter(|id| id.len() <= MAX_ID_BYTES) {
            self.last_id = (!id.is_empty()).then(|| id.clone());
        }
        if let Some(retry) = event.retry {
            self.wait = Some(Duration::from_millis(retry).clamp(SHORTEST_WAIT, LONGEST_WAIT));
        }
        if event.data.as_ref().is_some_and(|data| !data.is_empty()) {
            self.tries = 0;
        }
    }

    /// The last stream was a good one, though it may have brought nothing.
    pub fn lived(&mut self) {
        self.tries = 0;
    }

    /// How long to wait before the next try, none when it was tried often enough. Without a word of the server the
    /// wait grows; either way up to a fifth is added, so that many clients do not come back in one moment.
    pub fn next_wait(&mut self, random: u128) -> Option<Duration> {
        if self.tries >= MAX_TRIES {
            return None;
        }
        let wait = match self.wait {
            Some(asked) => asked,
            None => FIRST_WAIT * 2u32.pow(self.tries),
        };
        self.tries += 1;
        let permille = u32::try_from(random % 201).unwrap_or(0);
        Some(wait + wait * permille / 1_000)
    }
}

#[cfg(test)]
mod tests;
