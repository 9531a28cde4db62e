//! The wire log on disk: JSON lines, redacted, rotated, bounded. Written behind everybody's back; what does not fit
//! into the queue is counted and the gap is written down.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::log::Passed;
use crate::target::KnownSecrets;

/// Messages waiting to be written, at most.
const QUEUE: usize = 2_048;
/// Messages written in one go.
const BATCH: usize = 256;
/// A file is rotated beyond this size.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Older files kept beside the current one, per server.
pub(super) const OLDER_FILES: u32 = 3;
/// All files together; the oldest go first.
pub(crate) const FOLDER_BYTES: u64 = 128 * 1024 * 1024;

/// A server's name, what its secrets are, and the message.
type Line = (Arc<str>, KnownSecrets, Arc<Passed>);

/// A handle to the writing task, which ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct DiskLog {
    queue: mpsc::Sender<Line>,
    dropped: Arc<AtomicU64>,
}

impl DiskLog {
    /// Starts writing into `folder`, which is made when the first message comes.
    pub fn start(folder: PathBuf) -> Self {
        let (queue, lines) = mpsc::channel(QUEUE);
        let dropped = Arc::<AtomicU64>::default();
        tokio::spawn(write(folder, lines, Arc::clone(&dropped)));
        Self { queue, dropped }
    }

    pub fn put(&self, server: &Arc<str>, known: &KnownSecrets, passed: Arc<Passed>) {
        if self.queue.try_send((Arc::clone(server), known.clone(), passed)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn write(folder: PathBuf, mut lines: mpsc::Receiver<Line>, dropped: Arc<AtomicU64>) {
    let mut batch = Vec::new();
    while lines.recv_many(&mut batch, BATCH).await > 0 {
        let (folder, taken) = (folder.clone(), std::mem::take(&mut batch));
        let lost = dropped.swap(0, Ordering::Relaxed);
        let written = tokio::task::spawn_blocking(move || write_batch(&folder, &taken, lost)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a part of the wire log was not written"),
            Err(error) => tracing::warn!(%error, "the wire log's writer failed"),
        }
    }
}

fn write_batch(folder: &Path, batch: &[Line], lost: u64) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if lost > 0 {
        tracing::warn!(lost, "the disk is too slow for the wire log: messages were left out");
    }
    let mut open: Option<(&str, File)> = None;
    for (server, known, passed) in batch {
        let name = &**server;
        let mut file = match open.take() {
            Some((of, file)) if of == name => file,
            _ => append_to(folder, name)?,
        };
        let mut line = serde_json::to_vec(&passed.shown(known))?;
        line.push(b'\n');
        file.write_all(&line)?;
        if file.metadata()?.len() > FILE_BYTES {
            rotate(folder, name)?;
            keep_budget(folder, FOLDER_BYTES)?;
        } else {
            open = Some((name, file));
        }
    }
    Ok(())
}

fn append_to(folder: &Path, server: &str) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(file_of(folder, server, 0))
}

/// The file of `server`; `older` counts back from the current one, 0.
pub(super) fn file_of(folder: &Path, server: &str, older: u32) -> PathBuf {
    let mut name = String::new();
    for byte in server.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    // A name of many bytes that are not plain letters would be too long for a file.
    if name.len() > 150 {
        name = att_core::sha256_hex(server);
    }
    match older {
        0 => folder.join(format!("{name}.jsonl")),
        older => folder.join(format!("{name}.{older}.jsonl")),
    }
}

fn rotate(folder: &Path, server: &str) -> std::io::Result<()> {
    for older in (0..OLDER_FILES).rev() {
        let from = file_of(folder, server, older);
        if from.exists() {
            std::fs::rename(from, file_of(folder, server, older + 1))?;
        }
    }
    Ok(())
}

/// Takes the oldest files away until all together fit.
fn keep_budget(folder: &Path, budget: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.is_file() && entry.path().extension().is_some_and(|end| end == "jsonl") {
            files.push((meta.modified()?, meta.len(), entry.path()));
        }
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in files {
        if total <= budget {
            break;
        }
        std::fs::remove_file(path)?;
        total -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
