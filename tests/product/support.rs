//! A home of one's own for each test, and the programs under test.
#![allow(dead_code, reason = "shared by several test binaries, each of which uses its part")]

use att_process::{CommandSpec, GuardedChild, RunLimits, RunOutcome, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// So long a program may take at most.
const LONGEST: Duration = Duration::from_secs(120);

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

    /// Runs `att` on a terminal of its own, with `answers` typed at its questions. Everything that it writes comes
    /// out as stdout.
    pub async fn att_on_terminal(&self, arguments: &[&str], answers: &[&str]) -> RunOutcome {
        self.att_on_terminal_with(arguments, answers, &[]).await
    }

    /// The same, with more in its environment.
    pub async fn att_on_terminal_with(
        &self,
        arguments: &[&str],
        answers: &[&str],
        environment: &[(&str, &str)],
    ) -> RunOutcome {
        let command = self.command("att", arguments);
        let line: Vec<String> = command.argv.iter().map(|word| format!("'{word}'")).collect();
        let spec = CommandSpec {
            argv: ["script", "--quiet", "--return", "--command", &line.join(" "), "/dev/null"]
                .map(Into::into)
                .into(),
            ..environment.iter().fold(command, |command, (name, value)| command.env(*name, *value))
        };
        let mut child = GuardedChild::spawn(&spec).unwrap();
        let started = Instant::now();
        // What is typed waits in the terminal until it is read; the end of stdin would hang it up.
        let mut keyboard = child.take_stdin().unwrap();
        let typed: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
        keyboard.write_all(typed.as_bytes()).await.unwrap();
        keyboard.flush().await.unwrap();
        let mut screen = child.take_stdout().unwrap();
        let mut shown = Vec::new();
        let ended = async {
            screen.read_to_end(&mut shown).await.unwrap();
            child.wait().await
        };
        let exit = tokio::time::timeout(LONGEST, ended).await;
        let stdout = String::from_utf8_lossy(&shown).into_owned();
        let exit = exit.unwrap_or_else(|_| panic!("{arguments:?} hangs on its terminal"));
        drop(keyboard);
        RunOutcome {
            exit,
            timed_out: false,
            stdout,
            stderr: String::new(),
            truncated: false,
            duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap(),
        }
    }

    /// The audit chain is whole.
    pub async fn assert_journal_whole(&self) {
        let report = self.att_json(&["journal", "verify"]).await;
        assert_eq!(report["ok"], true, "{report}");
    }
}

/// Runs `spec` for at most two minutes.
pub async fn run_to_end(spec: &CommandSpec) -> RunOutcome {
    let limits = RunLimits { timeout: LONGEST, max_output_bytes: 4 * 1024 * 1024 };
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

/// Every process with the folder of `home` in its command line or its environment: all that ATT started there.
pub fn processes_of(home: &Path) -> Vec<(i64, String)> {
    let wanted = home.display().to_string();
    let names_home = |path: String| {
        std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(wanted.as_str()))
    };
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i64>().ok())
        .filter(|pid| *pid != i64::from(std::process::id()) && alive(*pid))
        .filter(|pid| {
            names_home(format!("/proc/{pid}/cmdline")) || names_home(format!("/proc/{pid}/environ"))
        })
        .map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}
