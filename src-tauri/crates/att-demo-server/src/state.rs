//! What must outlive a restart, in a file beside the control file; in memory where there is none.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The kept state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// When the server was first started, Unix ms.
    first_start_ms: i64,
    /// Up since, Unix ms; 0 while down.
    up_since_ms: i64,
    /// Attempts made while down.
    attempts: u32,
    /// True while down.
    down: bool,
    /// Calls of the counting tool.
    calls: u64,
}

/// The file, or its stand-in in memory.
#[derive(Debug)]
pub struct StateFile {
    path: Option<PathBuf>,
    memory: Mutex<Kept>,
}

impl StateFile {
    /// The state beside `control`.
    pub fn new(control: Option<&Path>) -> Self {
        let state = Self { path: control.map(|path| path.with_extension("state")), memory: Mutex::default() };
        state.change(|kept| {
            if kept.first_start_ms == 0 {
                kept.first_start_ms = now_ms();
            }
        });
        state
    }

    /// An attempt to start: while down it fails, until `down_attempts` have failed.
    pub fn enter(&self, down_attempts: u32) -> Result<(), String> {
        self.change(|kept| {
            if kept.down && kept.attempts < down_attempts {
                kept.attempts += 1;
                return Err(format!("down, as scheduled: attempt {} of {down_attempts}", kept.attempts));
            }
            *kept = Kept { down: false, attempts: 0, up_since_ms: now_ms(), ..kept.clone() };
            Ok(())
        })
    }

    /// Goes down when it was up for `up_ms`. True when it just did.
    pub fn fall_if_due(&self, up_ms: u64) -> bool {
        self.change(|kept| {
            let due = kept.up_since_ms.saturating_add_unsigned(up_ms) <= now_ms();
            if due && !kept.down {
                kept.down = true;
                kept.attempts = 0;
            }
            due
        })
    }

    /// True from `after_ms` after the first start on.
    pub fn drifted(&self, after_ms: Option<u64>) -> bool {
        let first = self.change(|kept| kept.first_start_ms);
        after_ms.is_some_and(|after| first.saturating_add_unsigned(after) <= now_ms())
    }

    /// Counts one call; answers how many there were.
    pub fn count_call(&self) -> u64 {
        self.change(|kept| {
            kept.calls += 1;
            kept.calls
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut memory = self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(text) = self.path.as_ref().and_then(|path| std::fs::read_to_string(path).ok())
            && let Ok(kept) = serde_json::from_str(&text)
        {
            *memory = kept;
        }
        let before = memory.clone();
        let answer = change(&mut memory);
        if *memory != before
            && let Some(path) = &self.path
        {
            let temporary = path.with_extension("state.new");
            let text = serde_json::to_string(&*memory).unwrap_or_default();
            let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
            if let Err(error) = written {
                crate::say(&format!("the state file is not written: {error}"));
            }
        }
        answer
    }
}

#[allow(clippy::disallowed_methods, reason = "a schedule across restarts needs the wall clock")]
fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_server_fails_its_attempts_and_then_comes_back_across_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let control = dir.path().join("flapping.json");
        let start = || StateFile::new(Some(&control));
        assert!(start().enter(3).is_ok());
        assert!(start().fall_if_due(0));
        for attempt in 1..=3 {
            assert!(start().enter(3).unwrap_err().contains(&format!("attempt {attempt} of 3")));
        }
        assert!(start().enter(3).is_ok());
        assert!(!start().fall_if_due(60_000));
    }

    #[test]
    fn the_counter_and_the_first_start_outlive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let control = dir.path().join("c.json");
        assert_eq!(StateFile::new(Some(&control)).count_call(), 1);
        assert_eq!(StateFile::new(Some(&control)).count_call(), 2);
        assert!(StateFile::new(Some(&control)).drifted(Some(0)));
        assert!(!StateFile::new(Some(&control)).drifted(Some(60_000)));
        assert!(!StateFile::new(Some(&control)).drifted(None));
    }
}
