//! The demo shop: its project, its site, and what really happened to them.

use crate::support::{TestHome, eventually, program};
use att_process::{CommandSpec, GuardedChild, RunOutcome};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Long enough for a whole cycle on a busy machine.
pub const A_CYCLE: Duration = Duration::from_secs(60);

/// A demo home without servers, whose remote keeps a log of every push.
pub struct Shop {
    pub home: TestHome,
}

impl Shop {
    pub async fn open() -> Self {
        let home = TestHome::demo().await;
        home.write("mcp.json", "{\"mcpServers\": {}}\n");
        let shop = Self { home };
        shop.git(&["config", "core.logAllRefUpdates", "true"]).await;
        shop
    }

    /// The demo's release, with `more` in its request: its new version fails the health check.
    pub fn request(&self, more: Value) -> PathBuf {
        let mut request = json!({
            "file_path": "app/health.json",
            "content": "{\"status\": \"failing\", \"reason\": \"checkout times out\"}\n",
            "commit_message": "Check out in one click",
            "deploy_target": "shop",
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.home.write("request.json", &request.to_string())
    }

    pub async fn release(&self) -> RunOutcome {
        self.release_with(json!({})).await
    }

    pub async fn release_with(&self, more: Value) -> RunOutcome {
        let request = self.request(more).display().to_string();
        self.home.att(&["release", "run", &request, "--project", "demo-shop"]).await
    }

    /// The newest cycle, in full.
    pub async fn cycle(&self) -> Value {
        let listed = self.home.att_json(&["release", "list"]).await;
        let id = listed["cycles"][0]["id"].as_str().expect("a cycle is in the journal").to_owned();
        self.home.att_json(&["release", "show", &id]).await
    }

    pub async fn state(&self) -> String {
        let listed = self.home.att_json(&["release", "list"]).await;
        listed["cycles"][0]["state"].as_str().expect("a cycle is in the journal").to_owned()
    }

    /// Waits until the newest cycle is in `state`.
    pub async fn reaches(&self, state: &str) {
        let mut last = String::new();
        eventually(&format!("the cycle is {state}"), A_CYCLE, async || {
            last = self.state().await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            (last == state).then_some(())
        })
        .await;
    }

    /// The decision of the newest cycle.
    pub async fn decision_id(&self) -> String {
        self.cycle().await["summary"]["decision_id"].as_str().expect("the cycle has a decision").to_owned()
    }

    /// Answers as a person at a terminal would.
    pub async fn approve(&self, release_id: &str, reason: &str) -> RunOutcome {
        self.approve_with(release_id, reason, &[]).await
    }

    pub async fn approve_with(
        &self,
        release_id: &str,
        reason: &str,
        environment: &[(&str, &str)],
    ) -> RunOutcome {
        let id = self.decision_id().await;
        let answers = [release_id, reason];
        self.home.att_on_terminal_with(&["decision", "approve", &id], &answers, environment).await
    }

    /// `att` on its own, outside any guard: what it leaves running when it dies goes on, as it would for an operator.
    #[allow(clippy::disallowed_methods, reason = "a guard would end what outlives the killed process")]
    pub fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> tokio::process::Child {
        tokio::process::Command::new(program("att"))
            .args(arguments)
            .env("ATT_HOME", self.home.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// A PATH whose `sleep`, which the shop's deploy and rollback commands call midway, lasts until [`Shop::wake`].
    pub fn drowsy_path(&self) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let home = self.home.path().display();
        let script =
            format!("#!/bin/sh\ntouch {home}/asleep\nuntil [ -e {home}/awake ]; do /bin/sleep 0.05; done\n");
        let program = self.home.write("bin/sleep", &script);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{home}/bin:{}", std::env::var("PATH").unwrap())
    }

    /// Waits until such a command is midway.
    pub async fn is_asleep(&self) {
        let mark = self.home.path().join("asleep");
        eventually("a command is midway", A_CYCLE, async || mark.exists().then_some(())).await;
    }

    /// Lets it go on.
    pub fn wake(&self) {
        self.home.write("awake", "");
    }

    /// A headless control room that drives.
    pub fn watch(&self) -> GuardedChild {
        GuardedChild::spawn(&self.home.command("att", &["watch"])).unwrap()
    }

    /// Has a new control room bring the cycle to `state`, then stops it.
    pub async fn watch_until(&self, state: &str) {
        let watch = self.watch();
        self.reaches(state).await;
        let exit = watch.shutdown(Duration::ZERO).await;
        assert!(exit.success(), "att watch ends well on TERM, not with {exit}");
    }

    pub async fn git(&self, arguments: &[&str]) -> String {
        let remote = self.home.path().join("demo/remote.git").display().to_string();
        let spec = CommandSpec::new(["git", "-C", &remote].into_iter().chain(arguments.iter().copied()));
        let outcome = crate::support::run_to_end(&spec).await;
        assert!(outcome.success(), "{}", outcome.stderr);
        outcome.stdout
    }

    /// What the deploy and rollback commands put live, one after the other, since the demo was made.
    pub fn went_live(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.home.path().join("demo/site/runtime.log")).unwrap();
        let ids = log.lines().filter_map(|line| line.strip_prefix("release_id=")?.split(' ').next());
        ids.skip(2).map(str::to_owned).collect()
    }

    /// What the site says that it is.
    pub fn live(&self) -> String {
        let text = std::fs::read_to_string(self.home.path().join("demo/site/current/release.json")).unwrap();
        let release: Value = serde_json::from_str(&text).unwrap();
        release["release_id"].as_str().unwrap().to_owned()
    }

    /// How often a ref of the remote was moved since the demo was made.
    pub fn moves_of(&self, branch: &str) -> usize {
        let log = self.home.path().join("demo/remote.git/logs/refs/heads").join(branch);
        lines_of(&log)
    }

    /// The cycle was rolled back, and each of its effects happened exactly once.
    pub async fn assert_rolled_back_once(&self) {
        let cycle = self.cycle().await;
        assert_eq!(cycle["summary"]["state"], "rolled_back", "{cycle}");
        let operations =
            self.git(&["log", "--all", "--format=%(trailers:key=ATT-Operation,valueonly)"]).await;
        assert_eq!(operations.split_whitespace().count(), 1, "one commit: {operations}");
        let branch = cycle["summary"]["branch"].as_str().unwrap();
        assert_eq!(self.moves_of(branch), 1, "one push of {branch}");
        assert_eq!(self.moves_of("main"), 1, "one merge");
        let head = self.git(&["rev-parse", "main"]).await;
        assert_eq!(self.went_live(), [format!("shop-{}", &head[..12]), "shop-v2".to_owned()]);
        assert_eq!(self.live(), "shop-v2");
        self.home.assert_journal_whole().await;
    }
}

fn lines_of(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}
