//! The parameters of one server, with the defaults and bounds of design 1.1.

use serde::{Deserialize, Serialize};

/// How a quiet connection is asked whether it lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// `ping` in the legacy era, an uncached `server/discover` in the modern one.
    #[default]
    Ping,
    /// Not at all: some upstreams bill per request.
    None,
}

/// What a surface that leaves its baseline leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftPolicy {
    /// Say so.
    #[default]
    Notify,
    /// Forbid the changed items.
    QuarantineItems,
    /// Forbid the server.
    QuarantineServer,
}

/// Timings and limits of one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How it is probed.
    pub probe: Probe,
    /// Time between probes, before 20 % of jitter.
    pub probe_interval_ms: i64,
    /// Longest wait for a probe's answer.
    pub probe_timeout_ms: i64,
    /// Slower answers are `degraded(slow)`.
    pub slow_after_ms: i64,
    /// Failures in a row that make `unreachable`.
    pub fall: u32,
    /// Successes in a row that make `healthy` again.
    pub rise: u32,
    /// First bound of the wait before a reconnect.
    pub backoff_base_ms: i64,
    /// Growth of that bound per attempt.
    pub backoff_factor: f64,
    /// Largest bound.
    pub backoff_cap_ms: i64,
    /// Time of `ready` after which the backoff starts anew.
    pub backoff_reset_after_ms: i64,
    /// Longest time from spawn or dial to the end of the handshake.
    pub connect_timeout_ms: i64,
    /// Longest wait for the answer to `server/discover`, after which the server is taken for a legacy one.
    pub discover_timeout_ms: i64,
    /// Longest wait for one list.
    pub list_timeout_ms: i64,
    /// Total time of a call, unless the caller says otherwise.
    pub call_timeout_ms: i64,
    /// Silence after which a session counts as stale and is made anew before the next call.
    #[serde(default = "session_window_default")]
    pub session_window_ms: i64,
    /// Hard end of a call that keeps telling of its progress, where the caller set no time.
    pub call_max_ms: i64,
    /// Whether a call that tells of its progress gets its `call_timeout_ms` anew.
    pub progress_resets: bool,
    /// Whether its wire log goes to disk as well.
    #[serde(default)]
    pub wire_log: bool,
    /// Longest time of one attempt of a call; with several candidates its share of the time left may be shorter.
    pub attempt_timeout_ms: i64,
    /// Calls in a row that fail on the way and open the breaker.
    pub breaker_failures: u32,
    /// How many of the last calls the breaker looks at, at most 64.
    pub breaker_window: u32,
    /// How many calls it wants to have seen before their share counts.
    pub breaker_min_calls: u32,
    /// The share of failed calls, in percent, that opens it.
    pub breaker_percent: u32,
    /// How long it stays open the first time; the n-th time n times as long.
    pub breaker_open_ms: i64,
    /// Longest time it stays open.
    pub breaker_open_cap_ms: i64,
    /// Longest time that calls under way are waited for when the server is switched off, changed or removed.
    pub drain_timeout_ms: i64,
    /// Time between unasked snapshots, before 20 % of jitter.
    pub snapshot_interval_ms: i64,
    /// Quiet time after a `list_changed` before a snapshot is taken.
    pub list_debounce_ms: i64,
}

fn session_window_default() -> i64 {
    300_000
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            probe: Probe::Ping,
            probe_interval_ms: 30_000,
            probe_timeout_ms: 10_000,
            slow_after_ms: 5_000,
            fall: 3,
            rise: 2,
            backoff_base_ms: 1_000,
            backoff_factor: 1.6,
            backoff_cap_ms: 120_000,
            backoff_reset_after_ms: 60_000,
            connect_timeout_ms: 30_000,
            discover_timeout_ms: 8_000,
            list_timeout_ms: 20_000,
            call_timeout_ms: 60_000,
            session_window_ms: session_window_default(),
            call_max_ms: 600_000,
            progress_resets: true,
            wire_log: false,
            attempt_timeout_ms: 120_000,
            breaker_failures: 5,
            breaker_window: 20,
            breaker_min_calls: 10,
            breaker_percent: 50,
            breaker_open_ms: 30_000,
            breaker_open_cap_ms: 300_000,
            drain_timeout_ms: 5_000,
            snapshot_interval_ms: 900_000,
            list_debounce_ms: 500,
        }
    }
}

/// One numeric setting: key, smallest and largest value, and where it goes.
pub(super) struct Bound {
    pub key: &'static str,
    pub min: i64,
    pub max: i64,
    pub set: fn(&mut Settings, i64),
}

const DAY_MS: i64 = 86_400_000;

/// Every numeric key under `att`, with its bounds.
pub(super) const BOUNDS: [Bound; 25] = [
    Bound { key: "probe_interval_ms", min: 100, max: DAY_MS, set: |s, v| s.probe_interval_ms = v },
    Bound { key: "probe_timeout_ms", min: 50, max: 600_000, set: |s, v| s.probe_timeout_ms = v },
    Bound { key: "slow_after_ms", min: 1, max: 600_000, set: |s, v| s.slow_after_ms = v },
    Bound { key: "fall", min: 1, max: 100, set: |s, v| s.fall = u32::try_from(v).unwrap_or(3) },
    Bound { key: "rise", min: 1, max: 100, set: |s, v| s.rise = u32::try_from(v).unwrap_or(2) },
    Bound { key: "backoff_base_ms", min: 10, max: 600_000, set: |s, v| s.backoff_base_ms = v },
    Bound { key: "backoff_cap_ms", min: 10, max: DAY_MS, set: |s, v| s.backoff_cap_ms = v },
    Bound { key: "backoff_reset_after_ms", min: 0, max: DAY_MS, set: |s, v| s.backoff_reset_after_ms = v },
    Bound { key: "connect_timeout_ms", min: 100, max: 600_000, set: |s, v| s.connect_timeout_ms = v },
    Bound { key: "discover_timeout_ms", min: 50, max: 9_500, set: |s, v| s.discover_timeout_ms = v },
    Bound { key: "list_timeout_ms", min: 100, max: 600_000, set: |s, v| s.list_timeout_ms = v },
    Bound { key: "call_timeout_ms", min: 100, max: 3_600_000, set: |s, v| s.call_timeout_ms = v },
    Bound { key: "session_window_ms", min: 1_000, max: DAY_MS, set: |s, v| s.session_window_ms = v },
    Bound { key: "call_max_ms", min: 100, max: DAY_MS, set: |s, v| s.call_max_ms = v },
    Bound { key: "attempt_timeout_ms", min: 50, max: 3_600_000, set: |s, v| s.attempt_timeout_ms = v },
    Bound { key: "breaker_failures", min: 1, max: 1_000, set: |s, v| s.breaker_failures = whole(v) },
    Bound { key: "breaker_window", min: 1, max: 64, set: |s, v| s.breaker_window = whole(v) },
    Bound { key: "breaker_min_calls", min: 1, max: 64, set: |s, v| s.breaker_min_calls = whole(v) },
    Bound { key: "breaker_percent", min: 1, max: 100, set: |s, v| s.breaker_percent = whole(v) },
    Bound { key: "breaker_open_ms", min: 10, max: DAY_MS, set: |s, v| s.breaker_open_ms = v },
    Bound { key: "breaker_open_cap_ms", min: 10, max: DAY_MS, set: |s, v| s.breaker_open_cap_ms = v },
    Bound { key: "drain_timeout_ms", min: 0, max: 600_000, set: |s, v| s.drain_timeout_ms = v },
    Bound { key: "snapshot_interval_ms", min: 500, max: 7 * DAY_MS, set: |s, v| s.snapshot_interval_ms = v },
    Bound { key: "list_debounce_ms", min: 0, max: 60_000, set: |s, v| s.list_debounce_ms = v },
    Bound {
        key: "backoff_factor_percent",
        min: 100,
        max: 1_000,
        set: |s, v| {
            s.backoff_factor = f64::from(u32::try_from(v).unwrap_or(160)) / 100.0;
        },
    },
];

/// A number within its bounds as a count.
fn whole(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
