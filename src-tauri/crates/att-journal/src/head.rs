//! `journal.head`: the newest sequence and hash of the audit chain, kept outside the database.
//!
//! Without it a cut-off tail could not be seen. It is written after the commit, so it may lag behind the chain
//! by what a crash left out; it never runs ahead.

use crate::error::JournalError;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The hash that stands before the first entry.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Sequence and hash of one audit entry, taken as the end of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The entry's number; 0 before the first one.
    pub sequence: i64,
    /// Its SHA-256 in hex; 64 zeros before the first one.
    pub hash: String,
}

impl Head {
    /// The head of an empty chain.
    pub(crate) fn genesis() -> Self {
        Self { sequence: 0, hash: GENESIS.into() }
    }
}

/// The head file of one home, and the lock that orders its writers.
#[derive(Debug, Clone)]
pub(crate) struct HeadFile {
    path: PathBuf,
    lock_path: PathBuf,
}

impl HeadFile {
    pub(crate) fn of(home: &Path) -> Self {
        Self { path: home.join("journal.head"), lock_path: home.join("run").join("journal.lock") }
    }

    /// The stored head; `None` when there is no file, an error when it holds something else.
    pub(crate) fn read(&self) -> Result<Option<Head>, JournalError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(JournalError::from_io(&self.path, &error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| JournalError::Damaged {
            sequence: 0,
            detail: format!("{} does not hold a sequence and a hash ({error})", self.path.display()),
        })
    }

    /// Takes the lock that orders opening and head writing between processes. Freed when dropped.
    pub(crate) fn lock(&self, timeout: Duration) -> Result<File, JournalError> {
        let failed = |error: &std::io::Error| JournalError::from_io(&self.lock_path, error);
        if let Some(folder) = self.lock_path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| JournalError::from_io(folder, &error))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock_path)
            .map_err(|error| failed(&error))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::Error(error)) => return Err(failed(&error)),
                Err(std::fs::TryLockError::WouldBlock) if began.elapsed() >= timeout => {
                    let waited_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                    return Err(JournalError::Locked { path: self.lock_path.clone(), waited_ms });
                }
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Moves the head to `head` if that is forward. A missing file stays missing: that is damage to be seen.
    pub(crate) fn advance(&self, head: &Head, timeout: Duration) -> Result<(), JournalError> {
        let _lock = self.lock(timeout)?;
        match self.read()? {
            Some(stored) if stored.sequence < head.sequence => self.replace(head),
            _ => Ok(()),
        }
    }

    /// Writes the head of a journal that is about to be made, unless a head is already there.
    pub(crate) fn begin(&self) -> Result<(), JournalError> {
        match self.read()? {
            Some(_) => Ok(()),
            None => self.replace(&Head::genesis()),
        }
    }

    fn replace(&self, head: &Head) -> Result<(), JournalError> {
        let failed = |error: std::io::Error| JournalError::from_io(&self.path, &error);
        let mut text = serde_json::to_string(head)?;
        text.push('\n');
        let draft = self.path.with_extension("head.new");
        let mut file = File::create(&draft).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&draft, &self.path).map_err(failed)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_only_moves_forward() {
        let home = tempfile::tempdir().unwrap();
        let file = HeadFile::of(home.path());
        file.begin().unwrap();
        let at = |sequence| Head { sequence, hash: format!("{sequence:064x}") };
        file.advance(&at(5), Duration::from_secs(1)).unwrap();
        file.advance(&at(3), Duration::from_secs(1)).unwrap();
        assert_eq!(file.read().unwrap(), Some(at(5)));
    }

    #[test]
    fn a_lost_head_is_not_made_anew_by_the_next_entry() {
        let home = tempfile::tempdir().unwrap();
        let file = HeadFile::of(home.path());
        file.advance(&Head { sequence: 9, hash: GENESIS.into() }, Duration::from_secs(1)).unwrap();
        assert_eq!(file.read().unwrap(), None);
    }
}
