//! What the tests of this binary share: configurations, errors as JSON, and a control room that runs.

use crate::support::{TestHome, eventually, processes_of, program};
use att_api::{ControlRoom, Drive, Face, Home};
use att_process::{CommandSpec, GuardedChild, RunOutcome};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// The demo server, as `mcp.json` names it.
pub fn demo_server() -> String {
    program("att-demo-server").display().to_string()
}

/// A stdio entry that runs the demo server with `arguments`. Its environment names the home, so that
/// [`processes_of`] finds it and whatever it leaves behind.
pub fn stdio(home: &TestHome, arguments: &[&str]) -> Value {
    json!({"command": demo_server(), "args": arguments, "env": {"ATT_HOME": home.path()}})
}

/// Writes a configuration with `servers` under `name`.
pub fn config(home: &TestHome, name: &str, servers: &Value) -> PathBuf {
    home.write(name, &serde_json::to_string_pretty(&json!({"mcpServers": servers})).unwrap())
}

/// Runs `att`; it must not panic.
pub async fn att(home: &TestHome, arguments: &[&str]) -> RunOutcome {
    let outcome = home.att(arguments).await;
    assert!(!outcome.stderr.contains("panicked"), "{arguments:?}\n{}", outcome.stderr);
    outcome
}

/// Runs `att ... --json`, which must fail with `exit_code` and an error of `code` that says what to do.
pub async fn refused(home: &TestHome, arguments: &[&str], exit_code: i32, code: &str) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    refused_by(&home.command("att", &arguments), exit_code, code).await
}

/// The same for a whole command.
pub async fn refused_by(spec: &CommandSpec, exit_code: i32, code: &str) -> Value {
    let outcome = crate::support::run_to_end(spec).await;
    assert!(!outcome.stderr.contains("panicked"), "{:?}\n{}", spec.argv, outcome.stderr);
    assert_eq!(outcome.exit.code, Some(exit_code), "{:?}\n{}\n{}", spec.argv, outcome.stdout, outcome.stderr);
    let said: Value = serde_json::from_str(&outcome.stderr).unwrap_or_else(|error| {
        panic!("{:?}: stderr is no JSON error: {error}\n{}", spec.argv, outcome.stderr)
    });
    let error = said["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    assert!(error["cure"].as_str().is_some_and(|cure| cure.len() > 10), "no cure: {error}");
    error
}

/// The row of `server` in what `att check` or `att servers` printed.
pub fn row<'a>(answer: &'a Value, server: &str) -> &'a Value {
    ["results", "failures", "servers"]
        .iter()
        .filter_map(|list| answer[list].as_array())
        .flatten()
        .find(|row| row["server"] == server)
        .unwrap_or_else(|| panic!("no row of {server} in {answer}"))
}

/// `att watch` in a home of its own.
pub struct Watch<'h> {
    home: &'h TestHome,
    child: GuardedChild,
    /// The control room's own process, which is not the guard's.
    pub pid: i64,
}

impl<'h> Watch<'h> {
    /// Starts it and waits until it owns the engine.
    pub async fn start(home: &'h TestHome, environment: &[(&str, &str)]) -> Self {
        let spec = environment
            .iter()
            .fold(home.command("att", &["watch"]), |spec, (name, value)| spec.env(*name, *value));
        let child = GuardedChild::spawn(&spec).unwrap();
        let pid = eventually("att watch owns the engine", Duration::from_secs(20), async || {
            home.att_json(&["servers"]).await["engine"]["pid"].as_i64()
        })
        .await;
        Self { home, child, pid }
    }

    /// Sends `signal` to the control room itself.
    pub fn signal(&self, signal: rustix::process::Signal) {
        send(self.pid, signal);
    }

    /// Waits until `server` has `status`; answers its row.
    pub async fn reaches(&self, server: &str, status: &str, limit: Duration) -> Value {
        let what = format!("{server} is {status}");
        eventually(&what, limit, async || {
            let answer = self.home.att_json(&["servers"]).await;
            let found = row_of(&answer, server)?;
            (found["status"] == status).then_some(found)
        })
        .await
    }

    /// Waits for its end; answers all that it wrote.
    pub async fn ended(mut self, limit: Duration) -> String {
        let mut written = Vec::new();
        let (mut out, mut err) = (self.child.take_stdout().unwrap(), self.child.take_stderr().unwrap());
        tokio::time::timeout(limit, async {
            out.read_to_end(&mut written).await.unwrap();
            err.read_to_end(&mut written).await.unwrap();
            self.child.wait().await
        })
        .await
        .expect("att watch does not end");
        String::from_utf8_lossy(&written).into_owned()
    }
}

/// The row of `server`, if it is there yet.
pub fn row_of(answer: &Value, server: &str) -> Option<Value> {
    answer["servers"].as_array()?.iter().find(|row| row["server"] == server).cloned()
}

/// A person at another face approves the command of `server` as it is shown.
pub async fn approve(home: &TestHome, server: &str) {
    let room = ControlRoom::open(Home::at(home.path()), Face::Desktop, Drive::Nothing).await;
    let digest = eventually("its command is shown", Duration::from_secs(10), async || {
        room.server_show(server.to_owned()).await.ok()?.command.map(|command| command.digest)
    })
    .await;
    room.server_approve_command(server.to_owned(), digest).await.unwrap();
    room.close().await;
}

/// Sends `signal` to the process `pid`.
pub fn send(pid: i64, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The one process that the guard `guard` runs.
pub fn child_of(guard: i64) -> Option<i64> {
    let children = std::fs::read_to_string(format!("/proc/{guard}/task/{guard}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Waits until nothing of `home` runs any more.
pub async fn nothing_is_left(home: &TestHome, limit: Duration) {
    let started = std::time::Instant::now();
    loop {
        let left = processes_of(home.path());
        if left.is_empty() {
            return;
        }
        assert!(started.elapsed() < limit, "after {limit:?} still running: {left:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
