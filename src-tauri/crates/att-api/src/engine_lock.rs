//! One process per home drives the engine: a file lock, which the system gives back however its holder dies, and a
//! lease row, which tells the others who it is and fences what a former holder still wants to write.

use crate::home::Home;
use std::fs::{File, OpenOptions, TryLockError};

/// The lease's name in the journal.
pub(crate) const LEASE: &str = "engine";
/// How long a lease holds without a sign of life.
pub(crate) const LEASE_TTL_MS: i64 = 15_000;

/// The held file lock; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct EngineLock {
    _file: File,
}

impl EngineLock {
    /// Takes the lock. `None`: another process holds it.
    ///
    /// # Errors
    /// When the file cannot be made or locked at all.
    pub(crate) fn try_take(home: &Home) -> std::io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(home.engine_lock())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// True while some process holds the lock.
pub(crate) fn is_held(home: &Home) -> bool {
    match File::open(home.engine_lock()).map(|file| file.try_lock_shared()) {
        Ok(Err(TryLockError::WouldBlock)) => true,
        Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_lock_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        assert!(!is_held(&home));
        let held = EngineLock::try_take(&home).unwrap();
        assert!(held.is_some() && is_held(&home));
        assert!(EngineLock::try_take(&home).unwrap().is_none());
        drop(held);
        assert!(!is_held(&home));
        assert!(EngineLock::try_take(&home).unwrap().is_some());
    }
}
