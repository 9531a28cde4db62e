//! A home of one's own for each test, and the programs under test.
#![allow(dead_code, reason = "shared by several test binaries, each of which uses its part")]

use att_process::{CommandSpec, RunLimits, RunOutcome, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A program that was built beside the test binary.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(Path::parent).unwrap();
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: build it first (`cargo build --workspace`)", path.display());
    path
}

/// An `ATT_HOME` in a temporary folder, marked as a test's, gone with the test.
pub struct TestHome {
    dir: tempfile::TempDir,
}

impl TestHome {
    /// An empty home.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("att-test-").tempdir().unwrap();
        std::fs::write(dir.path().join("test-home"), "").unwrap();
        Self { dir }
    }

    /// A home with the demo fleet and the demo project.
    pub async fn demo() -> Self {
        let home = Self::empty();
        let made = home.att(&["demo", "init"]).await;
        assert!(made.success(), "{}", made.stderr);
        home
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes `content` to `name` inside it.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command of `program` with this home.
    pub fn command(&self, program_name: &str, arguments: &[&str]) -> CommandSpec {
        let program = program(program_name).display().to_string();
        CommandSpec::new(std::iter::once(program).chain(arguments.iter().map(ToString::to_string)))
            .env("ATT_HOME", self.path().display().to_string())
            .env("NO_COLOR", "1")
    }

    /// Runs `att` to its end.
    pub async fn att(&self, arguments: &[&str]) -> RunOutcome {
        run_to_end(&self.command("att", arguments)).await
    }

    /// Runs `att ... --json` and reads what it printed.
    pub async fn att_json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let outcome = self.att(&arguments).await;
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}\nstdout: {}\nstderr: {}", outcome.stdout, outcome.stderr)
        })
    }

    /// Runs `att` on a terminal of its own, with `answers` typed at its questions.
    pub async fn att_on_terminal(&self, arguments: &[&str], answers: &[&str]) -> RunOutcome {
        let program = program("att").display().to_string();
        let line: Vec<String> = std::iter::once(program)
            .chain(arguments.iter().map(ToString::to_string))
            .map(|word| format!("'{word}'"))
            .collect();
        let typed =
            self.write("typed", &answers.iter().map(|answer| format!("{answer}\n")).collect::<String>());
        // `script` gives the program a terminal; what is typed waits in it until it is read.
        let shell = format!(
            "(cat {}; sleep 60) | script --quiet --return --command \"{}\" /dev/null",
            typed.display(),
            line.join(" ")
        );
        let spec = CommandSpec::new(["sh", "-c", &shell]).env("ATT_HOME", self.path().display().to_string());
        run_to_end(&spec).await
    }

    /// The audit chain is whole.
    pub async fn assert_journal_whole(&self) {
        let report = self.att_json(&["journal", "verify"]).await;
        assert_eq!(report["ok"], true, "{report}");
    }
}

/// Runs `spec` for at most two minutes.
pub async fn run_to_end(spec: &CommandSpec) -> RunOutcome {
    let limits = RunLimits { timeout: Duration::from_secs(120), max_output_bytes: 4 * 1024 * 1024 };
    let outcome = run(spec, &limits).await.unwrap();
    assert!(
        !outcome.timed_out,
        "{:?} hangs\nstdout: {}\nstderr: {}",
        spec.argv, outcome.stdout, outcome.stderr
    );
    outcome
}

/// Looks again and again until `found` answers something.
pub async fn eventually<T>(what: &str, limit: Duration, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = found().await {
            return answer;
        }
        assert!(started.elapsed() < limit, "after {limit:?} still not: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// True while process `pid` runs (a zombie does not).
pub fn alive(pid: i64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

/// Every process whose environment names `home`: all that ATT started there.
pub fn processes_of(home: &Path) -> Vec<(i64, String)> {
    let wanted = format!("ATT_HOME={}", home.display());
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i64>().ok())
        .filter(|pid| *pid != i64::from(std::process::id()) && alive(*pid))
        .filter_map(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment.split(|b| *b == 0).any(|entry| entry == wanted.as_bytes()).then_some(pid)
        })
        .map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}
