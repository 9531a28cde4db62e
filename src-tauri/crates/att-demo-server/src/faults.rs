//! The faults in force: what the flags say, unless the control file says otherwise.

use crate::arguments::{Arguments, Profile};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// How it misbehaves now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Answer everything but lists this late.
    pub slow_ms: u64,
    /// Never answer the opening handshake.
    pub hang_on_connect: bool,
    /// Never answer a call.
    pub hang_on_call: bool,
    /// Die in the middle of a call.
    pub die_on_call: bool,
    /// Exit on `server/discover`.
    pub exit_on_discover: bool,
    /// HTTP status 500 for everything.
    pub http_500: bool,
    /// Answers that are no JSON.
    pub malformed_json: bool,
    /// One broken tool among the good ones.
    pub malformed_tool: bool,
    /// A grandchild left behind.
    pub grandchild: bool,
    /// When the surface changes, in ms after the first start.
    pub drift_after_ms: Option<u64>,
    /// How long `flapping` stays up.
    pub flap_up_ms: u64,
    /// How many attempts it then fails.
    pub flap_down_attempts: u32,
}

/// What a control file may hold; each key overrules the flag of that name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Overrides {
    slow_ms: Option<u64>,
    hang_on_connect: Option<bool>,
    hang_on_call: Option<bool>,
    die_on_call: Option<bool>,
    exit_on_discover: Option<bool>,
    http_500: Option<bool>,
    malformed_json: Option<bool>,
    malformed_tool: Option<bool>,
    grandchild: Option<bool>,
    drift_after_ms: Option<u64>,
    flap_up_ms: Option<u64>,
    flap_down_attempts: Option<u32>,
}

/// Flags and control file together.
#[derive(Debug)]
pub struct Control {
    flags: Faults,
    path: Option<PathBuf>,
}

impl Control {
    /// As the command line says.
    pub fn new(arguments: &Arguments) -> Self {
        let drifts = arguments.profile == Profile::Drifting;
        let late = if arguments.profile == Profile::Slow { 6_000 } else { 0 };
        Self {
            flags: Faults {
                slow_ms: if arguments.slow_ms > 0 { arguments.slow_ms } else { late },
                hang_on_connect: arguments.hang_on_connect,
                hang_on_call: arguments.hang_on_call,
                die_on_call: arguments.die_on_call,
                exit_on_discover: arguments.exit_on_discover || arguments.legacy,
                http_500: arguments.http_500,
                malformed_json: arguments.malformed_json,
                malformed_tool: arguments.malformed_tool,
                grandchild: arguments.grandchild,
                drift_after_ms: arguments.drift_after_ms.or_else(|| drifts.then_some(60_000)),
                flap_up_ms: arguments.flap_up_ms,
                flap_down_attempts: arguments.flap_down_attempts,
            },
            path: arguments.control.clone(),
        }
    }

    /// The control file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The faults in force now. A control file that cannot be read or understood changes nothing, and says so.
    pub fn now(&self) -> Faults {
        let mut faults = self.flags.clone();
        let Some(text) = self.path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()) else {
            return faults;
        };
        let overrides: Overrides = match serde_json::from_str(&text) {
            Ok(overrides) => overrides,
            Err(error) => {
                crate::say(&format!("the control file is not understood: {error}"));
                return faults;
            }
        };
        let set = |flag: &mut bool, value: Option<bool>| *flag = value.unwrap_or(*flag);
        set(&mut faults.hang_on_connect, overrides.hang_on_connect);
        set(&mut faults.hang_on_call, overrides.hang_on_call);
        set(&mut faults.die_on_call, overrides.die_on_call);
        set(&mut faults.exit_on_discover, overrides.exit_on_discover);
        set(&mut faults.http_500, overrides.http_500);
        set(&mut faults.malformed_json, overrides.malformed_json);
        set(&mut faults.malformed_tool, overrides.malformed_tool);
        set(&mut faults.grandchild, overrides.grandchild);
        faults.slow_ms = overrides.slow_ms.unwrap_or(faults.slow_ms);
        faults.drift_after_ms = overrides.drift_after_ms.or(faults.drift_after_ms);
        faults.flap_up_ms = overrides.flap_up_ms.unwrap_or(faults.flap_up_ms);
        faults.flap_down_attempts = overrides.flap_down_attempts.unwrap_or(faults.flap_down_attempts);
        faults
    }
}

/// What the edges do to one request before it reaches the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// Let it through after so many milliseconds.
    Pass {
        /// The delay.
        after_ms: u64,
    },
    /// Never answer.
    Swallow,
    /// End the process without an answer.
    Die,
    /// Answer with garbage.
    Garbage,
}

impl Faults {
    /// How a request for `method` is treated.
    pub fn treatment(&self, method: &str) -> Treatment {
        let opens = matches!(method, "initialize" | "server/discover");
        let calls = method == "tools/call";
        if method == "server/discover" && self.exit_on_discover || calls && self.die_on_call {
            return Treatment::Die;
        }
        if opens && self.hang_on_connect || calls && self.hang_on_call {
            return Treatment::Swallow;
        }
        if self.malformed_json {
            return Treatment::Garbage;
        }
        let lists = method.ends_with("/list");
        Treatment::Pass {
            after_ms: if lists || method.starts_with("notifications/") { 0 } else { self.slow_ms },
        }
    }

    /// The answer to `method` as it goes out.
    pub fn spoil(&self, method: &str, answer: &mut serde_json::Value) {
        if !self.malformed_tool || method != "tools/list" {
            return;
        }
        if let Some(tools) = answer.pointer_mut("/result/tools").and_then(serde_json::Value::as_array_mut) {
            let middle = tools.len() / 2;
            tools.insert(middle, serde_json::json!({"name": 42, "inputSchema": "not a schema"}));
        }
    }
}

/// Starts a process in a session of its own that outlives this one.
#[allow(clippy::disallowed_methods, reason = "leaving a grandchild behind is this fault")]
pub fn leave_grandchild() {
    match std::process::Command::new("setsid").args(["sleep", "1000"]).spawn() {
        Ok(child) => crate::say(&format!("grandchild {}", child.id())),
        Err(error) => crate::say(&format!("no grandchild: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn control(flags: &[&str]) -> Control {
        Control::new(&Arguments::parse_from(std::iter::once(&"att-demo-server").chain(flags)))
    }

    #[test]
    fn the_control_file_overrules_the_flags_and_is_read_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("control.json");
        let control = control(&["--slow-ms", "5", "--control", file.to_str().unwrap()]);
        assert_eq!(control.now().slow_ms, 5);
        std::fs::write(&file, r#"{"slow_ms": 7, "hang_on_call": true}"#).unwrap();
        assert_eq!((control.now().slow_ms, control.now().hang_on_call), (7, true));
        std::fs::write(&file, "{").unwrap();
        assert_eq!((control.now().slow_ms, control.now().hang_on_call), (5, false));
    }

    #[test]
    fn each_fault_meets_the_requests_it_is_meant_for() {
        let treat = |flags: &[&str], method: &str| control(flags).now().treatment(method);
        assert_eq!(treat(&["--die-on-call"], "tools/call"), Treatment::Die);
        assert_eq!(treat(&["--die-on-call"], "tools/list"), Treatment::Pass { after_ms: 0 });
        assert_eq!(treat(&["--hang-on-connect"], "initialize"), Treatment::Swallow);
        assert_eq!(treat(&["--legacy"], "server/discover"), Treatment::Die);
        assert_eq!(treat(&["--profile", "slow"], "ping"), Treatment::Pass { after_ms: 6_000 });
        assert_eq!(treat(&["--malformed-json"], "ping"), Treatment::Garbage);
    }
}
