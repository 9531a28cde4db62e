//! Faults: by flag, or by a control file that is read again at each request and so outlives a restart.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::hostile::Hostile;
use crate::{Era, Profile};

/// A moment of a `tools/call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moment {
    /// The request came in; nothing was done.
    Request,
    /// The tool did its work; nothing of the answer went out.
    Work,
    /// Half of the answer went out.
    Answer,
}

/// Every fault. What the control file says wins over the flag of the same name.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Faults {
    /// Answer this late, in milliseconds.
    #[arg(long)]
    pub slow_ms: Option<u64>,
    /// Never answer `initialize` and `server/discover`.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub hang_on_connect: Option<bool>,
    /// Never answer `tools/call`.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub hang_on_call: Option<bool>,
    /// End at once when a tool is called; `count` counts first.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub die_on_call: Option<bool>,
    /// End at this moment of a call.
    #[arg(long, value_enum)]
    pub die_at: Option<Moment>,
    /// Fall silent for good at this moment of a call.
    #[arg(long, value_enum)]
    pub freeze_at: Option<Moment>,
    /// End when `server/discover` is asked, as some legacy servers do.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub exit_on_discover: Option<bool>,
    /// Answer every HTTP request with 500.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub http_500: Option<bool>,
    /// Answer every HTTP request with this status.
    #[arg(long)]
    pub http_status: Option<u16>,
    /// Say `Retry-After` with that status, in seconds.
    #[arg(long)]
    pub retry_after_s: Option<u32>,
    /// Do this in place of an answer.
    #[arg(long, value_enum)]
    pub hostile: Option<Hostile>,
    /// The method whose answers are hostile; `tools/list` without it.
    #[arg(long)]
    pub hostile_at: Option<String>,
    /// Tell so often that the tools changed before each answer to `tools/call`.
    #[arg(long)]
    pub changes_told: Option<u32>,
    /// Answer this method with broken JSON; `all` for every method.
    #[arg(long)]
    pub malformed_json: Option<String>,
    /// List one malformed tool among the good ones.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub malformed_tool: Option<bool>,
    /// Refuse `prompts/list` with an error, though prompts are announced.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub fail_prompts: Option<bool>,
    /// Start a grandchild that sleeps, and say its process id on stderr.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub grandchild: Option<bool>,
    /// Change a tool's schema this long after the first start, in milliseconds.
    #[arg(long)]
    pub drift_after_ms: Option<i64>,
    /// Go down after this time of being up, in milliseconds.
    #[arg(long)]
    pub flap_up_ms: Option<i64>,
    /// How many starts are refused while down.
    #[arg(long)]
    pub flap_down_attempts: Option<u32>,
}

impl Faults {
    /// `self` where it says something, else `other`.
    pub fn over(self, other: Self) -> Self {
        Self {
            slow_ms: self.slow_ms.or(other.slow_ms),
            hang_on_connect: self.hang_on_connect.or(other.hang_on_connect),
            hang_on_call: self.hang_on_call.or(other.hang_on_call),
            die_on_call: self.die_on_call.or(other.die_on_call),
            die_at: self.die_at.or(other.die_at),
            freeze_at: self.freeze_at.or(other.freeze_at),
            exit_on_discover: self.exit_on_discover.or(other.exit_on_discover),
            http_500: self.http_500.or(other.http_500),
            http_status: self.http_status.or(other.http_status),
            retry_after_s: self.retry_after_s.or(other.retry_after_s),
            hostile: self.hostile.or(other.hostile),
            hostile_at: self.hostile_at.or(other.hostile_at),
            changes_told: self.changes_told.or(other.changes_told),
            malformed_json: self.malformed_json.or(other.malformed_json),
            malformed_tool: self.malformed_tool.or(other.malformed_tool),
            fail_prompts: self.fail_prompts.or(other.fail_prompts),
            grandchild: self.grandchild.or(other.grandchild),
            drift_after_ms: self.drift_after_ms.or(other.drift_after_ms),
            flap_up_ms: self.flap_up_ms.or(other.flap_up_ms),
            flap_down_attempts: self.flap_down_attempts.or(other.flap_down_attempts),
        }
    }

    /// What is hostile about the answers to `method`.
    pub fn hostile_to(&self, method: &str) -> Option<Hostile> {
        self.hostile.filter(|_| self.hostile_at.as_deref().unwrap_or("tools/list") == method)
    }

    /// What a profile does by itself.
    fn of(profile: Profile) -> Self {
        match profile {
            Profile::Slow => Self { slow_ms: Some(6_000), ..Self::default() },
            Profile::Drifting => Self { drift_after_ms: Some(60_000), ..Self::default() },
            Profile::Flapping => {
                Self { flap_up_ms: Some(20_000), flap_down_attempts: Some(4), ..Self::default() }
            }
            Profile::Everything | Profile::Echo | Profile::Asking | Profile::Faulty => Self::default(),
        }
    }
}

/// What outlives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// When the server was started for the first time, Unix ms.
    pub first_start_ms: Option<i64>,
    /// True while the schedule says down.
    pub down: bool,
    /// Starts refused since it went down.
    pub refused: u32,
}

/// The control file, the flags and the kept state as one.
#[derive(Debug)]
pub(crate) struct Control {
    file: Option<PathBuf>,
    flags: Faults,
    profile: Profile,
    pub era: Era,
    kept: Mutex<Kept>,
}

impl Control {
    pub fn new(file: Option<PathBuf>, flags: Faults, profile: Profile, era: Era) -> Self {
        let control = Self { file, flags, profile, era, kept: Mutex::default() };
        let kept = control.beside("state").and_then(|path| read::<Kept>(&path)).unwrap_or_default();
        control.keep(|now| *now = kept);
        control.keep(|kept| {
            kept.first_start_ms.get_or_insert_with(now_ms);
        });
        control
    }

    /// The faults as they are now.
    pub fn faults(&self) -> Faults {
        let file = self.file.as_deref().and_then(read::<Faults>).unwrap_or_default();
        file.over(self.flags.clone()).over(Faults::of(self.profile))
    }

    /// Changes what outlives a restart.
    pub fn keep(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.clone();
        change(&mut kept);
        if let Some(path) = self.beside("state").filter(|_| *kept != before) {
            write(&path, &kept);
        }
    }

    pub fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True once a drifting server has drifted.
    pub fn has_drifted(&self) -> bool {
        let started = self.kept().first_start_ms;
        match (self.faults().drift_after_ms, started) {
            (Some(after), Some(start)) => now_ms() >= start + after,
            _ => false,
        }
    }

    /// A file beside the control file.
    pub fn beside(&self, what: &str) -> Option<PathBuf> {
        let file = self.file.as_ref()?;
        let name = file.file_name()?.to_str()?;
        Some(file.with_file_name(format!("{name}.{what}")))
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    let text = std::fs::read_to_string(path).ok()?;
    match serde_json::from_str(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            eprintln!("att-demo-server: {} is ignored: {error}", path.display());
            None
        }
    }
}

fn write(path: &Path, kept: &Kept) {
    let Ok(text) = serde_json::to_string(kept) else { return };
    if let Err(error) = std::fs::write(path, text) {
        eprintln!("att-demo-server: {} cannot be written: {error}", path.display());
    }
}

/// The wall clock, Unix ms.
#[allow(clippy::disallowed_methods, reason = "this program is no part of ATT and has no clock handed in")]
pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_file_wins_over_flags_and_flags_over_the_profile() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("control.json");
        let flags = Faults { slow_ms: Some(2), ..Faults::default() };
        let control = Control::new(Some(file.clone()), flags, Profile::Slow, Era::Both);
        assert_eq!(control.faults().slow_ms, Some(2));
        std::fs::write(&file, r#"{"slow_ms": 3, "hang_on_call": true}"#).unwrap();
        assert_eq!((control.faults().slow_ms, control.faults().hang_on_call), (Some(3), Some(true)));
        std::fs::remove_file(&file).unwrap();
        assert_eq!((control.faults().slow_ms, control.faults().hang_on_call), (Some(2), None));
    }

    #[test]
    fn what_is_kept_outlives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = Some(dir.path().join("control.json"));
        let first = Control::new(file.clone(), Faults::default(), Profile::Echo, Era::Both);
        first.keep(|kept| kept.refused = 3);
        let second = Control::new(file, Faults::default(), Profile::Echo, Era::Both);
        assert_eq!(second.kept(), first.kept());
        assert_eq!(second.kept().refused, 3);
    }
}
