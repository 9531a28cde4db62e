//! The wire log of one server: a ring bounded by entries and by bytes. Filling it costs one copy; what is secret is
//! taken out when somebody looks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use att_core::{Clock, sha256_hex};

use super::disk::DiskLog;
use crate::model::{WireDirection, WireEntry, WireKind};
use crate::target::KnownSecrets;

/// Entries kept per server.
pub(crate) const RING_ENTRIES: usize = 512;
/// Bytes of text kept per server.
pub(crate) const RING_BYTES: usize = 1024 * 1024;
/// Longest text shown.
pub(crate) const TEXT_BYTES: usize = 64 * 1024;
/// Kept beyond what is shown, so that a secret on the edge is seen whole and taken out.
const MARGIN_BYTES: usize = 4 * 1024;
/// Longest method or id kept.
const WORD_BYTES: usize = 200;

/// A message as it is kept: raw.
#[derive(Debug)]
pub(crate) struct Passed {
    pub seq: u64,
    pub at_ms: i64,
    pub generation: u64,
    pub direction: WireDirection,
    pub kind: WireKind,
    pub method: Option<Box<str>>,
    pub id: Option<Box<str>>,
    pub bytes: usize,
    pub status: Option<u16>,
    pub session: Option<Arc<str>>,
    raw: Box<[u8]>,
}

/// What is known of a message as it passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passing<'a> {
    pub direction: WireDirection,
    pub kind: WireKind,
    pub method: Option<&'a str>,
    pub id: Option<&'a str>,
    pub status: Option<u16>,
    pub session: Option<&'a Arc<str>>,
    pub raw: &'a [u8],
}

impl Passed {
    /// As it may be shown.
    pub fn shown(&self, known: &KnownSecrets) -> WireEntry {
        let text = String::from_utf8_lossy(&self.raw);
        let mut text = att_core::redact(&known.hide(&text));
        let mut end = text.len().min(TEXT_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = end < text.len() || self.raw.len() < self.bytes;
        text.truncate(end);
        let word = |word: &str| att_core::redact(&known.hide(word));
        WireEntry {
            seq: self.seq,
            at_ms: self.at_ms,
            generation: self.generation,
            direction: self.direction,
            kind: self.kind,
            method: self.method.as_deref().map(word),
            id: self.id.as_deref().map(word),
            bytes: u64::try_from(self.bytes).unwrap_or(u64::MAX),
            status: self.status,
            session: self.session.as_deref().map(|id| sha256_hex(id).chars().take(8).collect()),
            text,
            cut,
        }
    }
}

#[derive(Debug, Default)]
struct Ring {
    passed: VecDeque<Arc<Passed>>,
    bytes: usize,
    last_seq: u64,
}

/// One server's log over all its connections.
pub(crate) struct WireLog {
    server: Arc<str>,
    known: KnownSecrets,
    clock: Arc<dyn Clock>,
    disk: Option<DiskLog>,
    ring: Mutex<Ring>,
}

impl WireLog {
    pub fn new(server: &str, known: KnownSecrets, clock: Arc<dyn Clock>, disk: Option<DiskLog>) -> Self {
        Self { server: server.into(), known, clock, disk, ring: Mutex::default() }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message of `generation`; answers its place.
    pub fn keep(&self, generation: u64, passing: Passing<'_>) -> u64 {
        let raw: Box<[u8]> = passing.raw[..passing.raw.len().min(TEXT_BYTES + MARGIN_BYTES)].into();
        let size = raw.len();
        let at_ms = self.clock.now_ms();
        let mut ring = self.ring();
        ring.last_seq += 1;
        let seq = ring.last_seq;
        let passed = Arc::new(Passed {
            seq,
            at_ms,
            generation,
            direction: passing.direction,
            kind: passing.kind,
            method: passing.method.map(word),
            id: passing.id.map(word),
            bytes: passing.raw.len(),
            status: passing.status,
            session: passing.session.cloned(),
            raw,
        });
        if let Some(disk) = &self.disk {
            disk.put(&self.server, &self.known, Arc::clone(&passed));
        }
        ring.passed.push_back(passed);
        ring.bytes += size;
        while ring.passed.len() > RING_ENTRIES || ring.bytes > RING_BYTES {
            match ring.passed.pop_front() {
                Some(gone) => ring.bytes -= gone.raw.len(),
                None => break,
            }
        }
        seq
    }

    /// The newest message, as it is kept.
    #[cfg(test)]
    pub fn newest(&self) -> Option<Arc<Passed>> {
        self.ring().passed.back().cloned()
    }

    /// The messages after `after_seq`, oldest first, `limit` at most; with none given, the newest.
    pub fn read(&self, after_seq: Option<u64>, limit: usize) -> Vec<WireEntry> {
        let chosen: Vec<Arc<Passed>> = {
            let ring = self.ring();
            let from = match after_seq {
                Some(after) => ring.passed.partition_point(|passed| passed.seq <= after),
                None => ring.passed.len().saturating_sub(limit),
            };
            ring.passed.iter().skip(from).take(limit).cloned().collect()
        };
        chosen.iter().map(|passed| passed.shown(&self.known)).collect()
    }
}

fn word(text: &str) -> Box<str> {
    let mut end = text.len().min(WORD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    att_core::visible(&text[..end]).into()
}

#[cfg(test)]
mod tests;
