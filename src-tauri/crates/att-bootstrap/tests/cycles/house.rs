//! A whole small world: a bare remote, a project with real commands, a place where it "runs", an engine.

use att_bootstrap::memory::MemoryStore;
use att_bootstrap::model::{Cycle, CycleState, Decision, DecisionState, StageOutcome, TargetId};
use att_bootstrap::request::CycleRequest;
use att_bootstrap::store::{CycleStore, LeaseFence};
use att_bootstrap::{AdoptedRelease, ApprovalRequest, Engine, EngineDeps, EngineError};
use att_core::id::{CycleId, OsRandomness};
use att_core::{Actor, Clock, Face, ManualClock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The commands of the project: small shell programs over one folder, steered by files in it.
const OPS: [(&str, &str); 6] = [
    (
        "deploy.sh",
        r#"set -e
echo "deploy $ATT_RELEASE_ID $ATT_OPERATION_ID $ATT_PREVIOUS_RELEASE_ID" >> "$1/effects"
if [ -f "$1/deploy-fails-early" ]; then echo "no space" >&2; exit 3; fi
if [ -f "$1/deploy-hangs" ]; then sleep 30; fi
if [ -f "$1/deploy-slow" ]; then sleep 1; fi
mkdir -p "$1/releases/$ATT_RELEASE_ID"
cp "$ATT_WORKTREE/app.txt" "$1/releases/$ATT_RELEASE_ID/app.txt"
printf '%s' "$ATT_COMMIT" > "$1/releases/$ATT_RELEASE_ID/commit"
printf '%s' "$ATT_RELEASE_ID" > "$1/current.new"; mv "$1/current.new" "$1/current"
echo "{\"release_id\":\"$ATT_RELEASE_ID\",\"previous_release_id\":\"$ATT_PREVIOUS_RELEASE_ID\"}" >> "$1/runtime.log"
if [ -f "$1/deploy-fails-late" ]; then echo "half done" >&2; exit 4; fi
echo deployed
"#,
    ),
    (
        "observe.sh",
        r#"if [ -f "$1/observe-fails" ]; then echo "no answer" >&2; exit 1; fi
id=$(cat "$1/current") || exit 1
printf '{"release_id": "%s", "commit": "%s"}' "$id" "$(cat "$1/releases/$id/commit")"
"#,
    ),
    (
        "health.sh",
        r#"id=$(cat "$1/current")
if grep -q hang "$1/releases/$id/app.txt"; then sleep 30; fi
if grep -q sick "$1/releases/$id/app.txt"; then echo "answers 500" >&2; exit 1; fi
"#,
    ),
    (
        "watchdog.sh",
        r#"id=$(cat "$1/current")
if grep -q crashing "$1/releases/$id/app.txt"; then echo "restarted again" >&2; exit 1; fi
"#,
    ),
    (
        "rollback.sh",
        r#"set -e
echo "rollback $ATT_RELEASE_ID $ATT_OPERATION_ID $ATT_PREVIOUS_RELEASE_ID" >> "$1/effects"
if [ -f "$1/rollback-fails" ]; then echo "cannot" >&2; exit 5; fi
if [ -f "$1/rollback-hangs" ]; then sleep 30; fi
if [ -f "$1/rollback-does-nothing" ]; then exit 0; fi
test -d "$1/releases/$ATT_RELEASE_ID"
printf '%s' "$ATT_RELEASE_ID" > "$1/current.new"; mv "$1/current.new" "$1/current"
echo "rolled back"
"#,
    ),
    ("preflight.sh", "test -d \"$1/releases/$ATT_RELEASE_ID\"\n"),
];

pub struct House {
    pub dir: tempfile::TempDir,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<dyn Clock>,
    pub manual: Option<ManualClock>,
    pub engine: Engine,
}

/// How the project's `att.toml` differs from the usual.
#[derive(Clone)]
pub struct Setup {
    pub context: &'static str,
    pub more: &'static str,
    pub ci: &'static str,
    pub tests: &'static str,
    pub leave_out: &'static [&'static str],
    pub manual_clock: bool,
    pub timeout_ms: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            context: "external",
            more: "",
            ci: "kind = \"none\"",
            tests: "grep -q . app.txt",
            leave_out: &[],
            manual_clock: false,
            timeout_ms: 5_000,
        }
    }
}

pub fn ann() -> Actor {
    Actor::person("ann", Face::Cli, 1)
}

/// A bare remote and a checkout with two commits, whose ids it prints.
const HISTORY: &str = r#"set -e
git init --quiet --bare --initial-branch=main remote.git
cd checkout
git init --quiet --initial-branch=main .
git remote add origin ../remote.git
echo one > app.txt; git add .; git commit --quiet -m One; git rev-parse HEAD
echo two > app.txt; git commit --quiet -am Two; git rev-parse HEAD
git push --quiet origin main
"#;

/// Runs a shell script to its end and answers what it printed.
pub fn sh(dir: &Path, script: &str) -> String {
    let mut spec = att_process::CommandSpec::new(["sh", "-c", script]).cwd(dir);
    for (name, value) in [("NAME", "Ann"), ("EMAIL", "ann@localhost")] {
        spec = spec.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let limits = att_process::RunLimits { timeout: Duration::from_secs(20), max_output_bytes: 100_000 };
    // A thread with a runtime of its own, so that tests may call this from anywhere.
    let outcome = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Box::pin(att_process::run(&spec, &limits)))
    });
    let outcome = outcome.join().unwrap().unwrap();
    assert!(outcome.success(), "{script}: {} {}", outcome.stdout, outcome.stderr);
    outcome.stdout.trim().to_owned()
}

impl House {
    /// A project whose releases r1 and r2 ran and were healthy; r2 runs now.
    pub async fn build(setup: &Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        for folder in ["home", "live", "checkout"] {
            std::fs::create_dir(at.join(folder)).unwrap();
        }
        let checkout = at.join("checkout");
        for (name, text) in OPS {
            std::fs::write(checkout.join(name), text).unwrap();
        }
        std::fs::write(checkout.join("att.toml"), att_toml(&at.join("live"), setup)).unwrap();
        let commits = sh(at, HISTORY);
        let (one, two) = commits.split_once('\n').unwrap();
        let (one, two) = (one.to_owned(), two.to_owned());
        for (id, commit, text) in [("r1", one.as_str(), "one\n"), ("r2", two.as_str(), "two\n")] {
            let release = at.join("live/releases").join(id);
            std::fs::create_dir_all(&release).unwrap();
            std::fs::write(release.join("app.txt"), text).unwrap();
            std::fs::write(release.join("commit"), commit).unwrap();
        }
        std::fs::write(at.join("live/current"), "r2").unwrap();
        let manual = setup.manual_clock.then(|| ManualClock::at(1_800_000_000_000));
        let clock: Arc<dyn Clock> = match &manual {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(att_core::SystemClock),
        };
        let store = Arc::new(MemoryStore::new());
        let engine = engine(&store, &clock, &at.join("home"));
        let house = Self { store, clock, manual, engine, dir };
        let (project, config) = house.engine.register_project(&checkout, ann()).await.unwrap();
        house
            .engine
            .approve_config(&project.id, &config.digest, "read it line by line", ann())
            .await
            .unwrap();
        let release = |id: &str, commit: String| AdoptedRelease {
            id: id.into(),
            commit: Some(commit),
            digest: None,
            healthy: true,
        };
        house.engine.adopt(&house.target(), &[release("r1", one), release("r2", two)], ann()).await.unwrap();
        house
    }

    /// The usual one.
    pub async fn new(context: &'static str) -> Self {
        Self::build(&Setup { context, ..Setup::default() }).await
    }

    pub fn target(&self) -> TargetId {
        TargetId::from_text("shop/web")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Switches a misbehaviour on.
    pub fn set(&self, name: &str) {
        std::fs::write(self.path("live").join(name), "").unwrap();
    }

    pub fn running(&self) -> String {
        std::fs::read_to_string(self.path("live/current")).unwrap()
    }

    /// What was really done, one line each: what, release.
    pub fn effects(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("live/effects")).unwrap_or_default();
        text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    pub fn remote(&self, args: &[&str]) -> String {
        let quoted: Vec<_> = args.iter().map(|arg| format!("'{arg}'")).collect();
        sh(&self.path("remote.git"), &format!("git {}", quoted.join(" ")))
    }

    /// A change of app.txt to `text`, to be deployed as r3.
    pub fn request(&self, text: &str) -> CycleRequest {
        CycleRequest {
            project: "shop".into(),
            file_path: Some("app.txt".into()),
            content: Some(format!("{text}\n")),
            commit_message: Some(format!("Make it {text}")),
            deploy_target: Some("web".into()),
            requested_release_id: Some("r3".into()),
            ..CycleRequest::default()
        }
    }

    pub async fn submit(&self, text: &str) -> CycleId {
        self.engine.submit(self.request(text), ann()).await.unwrap().id
    }

    pub async fn run(&self) {
        let stop = CancellationToken::new();
        tokio::time::timeout(Duration::from_secs(30), self.engine.run_until_idle(&stop))
            .await
            .expect("the engine comes to rest")
            .unwrap();
    }

    /// Submits a change and drives it until it rests.
    pub async fn release(&self, text: &str) -> Cycle {
        let id = self.submit(text).await;
        self.run().await;
        self.cycle(&id).await
    }

    pub async fn cycle(&self, id: &CycleId) -> Cycle {
        self.store.cycle(id).await.unwrap().unwrap()
    }

    pub async fn decision(&self, cycle: &Cycle) -> Decision {
        let cycle = self.cycle(&cycle.id).await;
        self.store.decision(&cycle.decision_id.unwrap()).await.unwrap().unwrap()
    }

    /// What ann would send after reading the decision on screen.
    pub async fn approval(&self, cycle: &Cycle) -> ApprovalRequest {
        let decision = self.decision(cycle).await;
        ApprovalRequest {
            decision_id: decision.id,
            version: decision.version,
            digest: decision.digest,
            typed_release_id: decision.target_release_id,
            reason: "customers see errors".into(),
        }
    }

    pub async fn approve(&self, request: ApprovalRequest) -> Result<Decision, EngineError> {
        self.engine.approve(request, ann()).await
    }

    /// A new engine over the same journal and home, as after a crash.
    pub fn restart(&mut self) {
        self.engine = engine(&self.store, &self.clock, &self.path("home"));
    }

    pub async fn chain(&self) -> Vec<String> {
        let chain = self.store.chain(&self.target(), 20).await.unwrap();
        chain.into_iter().map(|row| row.release_id).collect()
    }
}

pub fn engine(store: &Arc<MemoryStore>, clock: &Arc<dyn Clock>, home: &Path) -> Engine {
    engine_with(store, clock, home, None)
}

pub fn engine_with(
    store: &Arc<MemoryStore>,
    clock: &Arc<dyn Clock>,
    home: &Path,
    lease: Option<LeaseFence>,
) -> Engine {
    Engine::new(EngineDeps {
        store: store.clone(),
        home: home.to_owned(),
        clock: clock.clone(),
        randomness: Arc::new(OsRandomness),
        lease,
        pid: 1,
    })
}

fn att_toml(live: &Path, setup: &Setup) -> String {
    let live = live.display();
    let mut text = format!(
        "[project]\nname = \"shop\"\nbase = \"main\"\n\n[ci]\n{}\n\n[tests]\nargv = [\"sh\", \"-c\", '''{}''']\n\n\
         [targets.web]\ndeployment_context = \"{}\"\nruntime_log = \"{live}/runtime.log\"\n\
         restart_watchdog_interval_seconds = 0.02\nrestart_watchdog_retries = 1\n\
         health_check_interval_seconds = 0.02\n{}\n",
        setup.ci, setup.tests, setup.context, setup.more,
    );
    for (file, _) in OPS {
        let name = file.trim_end_matches(".sh");
        if !setup.leave_out.contains(&name) {
            let argv = format!("[\"sh\", \"{file}\", \"{live}\"]");
            text.push_str(&format!("{name} = {{ argv = {argv}, timeout_ms = {} }}\n", setup.timeout_ms));
        }
    }
    text
}

pub fn commit_and_push(checkout: &Path) {
    sh(checkout, "git commit --quiet -am 'By hand' && git push --quiet origin main");
}

pub fn stage(cycle: &Cycle, name: &str) -> StageOutcome {
    cycle.stages.iter().find(|record| record.stage.as_str() == name).unwrap().outcome
}

pub fn assert_state(cycle: &Cycle, state: CycleState) {
    assert_eq!(cycle.state, state, "{:?} / {:?} / {:?}", cycle.failure, cycle.waiting, cycle.result);
}

pub fn assert_decided(decision: &Decision, state: DecisionState, reason: &str) {
    assert_eq!((decision.state, decision.reason.as_str()), (state, reason), "{:#?}", decision.guardrails);
}
