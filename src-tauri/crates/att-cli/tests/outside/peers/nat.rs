//! `att call --group` against two instances of NVIDIA NeMo Agent Toolkit: what it prints and how it exits when the
//! first dies or freezes in the middle of a call.

use super::{peer, said};
use crate::outside::{att, child_of, config, send};
use crate::support::{TestHome, eventually, run_to_end};
use att_process::{CommandSpec, GuardedChild, RunOutcome};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One `nat mcp serve`, which counts its calls in a file.
struct Nat {
    child: GuardedChild,
    pid: i64,
    port: u16,
    counter: PathBuf,
}

impl Nat {
    async fn start(home: &TestHome, name: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let counter = home.path().join(format!("{name}.calls"));
        let functions = format!(
            "functions:\n  current_datetime: {{_type: current_datetime}}\n  \
             counted_wait: {{_type: counted_wait, counter: {}}}\nworkflow: {{_type: current_datetime}}\n",
            counter.display()
        );
        let workflow = home.write(&format!("{name}.yml"), &functions).display().to_string();
        let plugin =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/peers/nat-plugin");
        let port_word = port.to_string();
        let words = ["mcp", "serve", "--host", "127.0.0.1", "--port", &port_word, "--config_file", &workflow];
        let argv = std::iter::once(peer("ATT_PEER_NAT")).chain(words.map(str::to_owned));
        let spec = CommandSpec::new(argv)
            .env("PYTHONPATH", plugin.display().to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let child = GuardedChild::spawn(&spec).unwrap();
        let guard = i64::from(child.pid());
        let pid = eventually("nat runs", Duration::from_secs(10), async || child_of(guard)).await;
        Self { child, pid, port, counter }
    }

    fn ran(&self, mark: &str) -> usize {
        let text = std::fs::read_to_string(&self.counter).unwrap_or_default();
        text.lines().filter(|line| *line == mark).count()
    }

    async fn in_the_middle_of(&self, mark: &str) {
        let what = format!("{mark} runs");
        eventually(&what, Duration::from_secs(20), async || (self.ran(mark) > 0).then_some(())).await;
    }

    fn entry(&self, idempotent: bool) -> Value {
        let safe: &[&str] = if idempotent { &["counted_wait"] } else { &[] };
        json!({"url": format!("http://127.0.0.1:{}/mcp", self.port), "att": {"group": "clocks", "idempotent": safe}})
    }
}

/// A call of the group under way, with the time it took.
fn call(
    home: &TestHome,
    file: &str,
    mark: &str,
    seconds: f64,
    total_ms: u32,
) -> tokio::task::JoinHandle<(RunOutcome, Duration)> {
    let arguments = json!({"seconds": seconds, "mark": mark}).to_string();
    let total = total_ms.to_string();
    let spec = home.command(
        "att",
        &[
            "call",
            "counted_wait",
            "--group",
            "clocks",
            "--args",
            &arguments,
            "--timeout-ms",
            &total,
            "--config",
            file,
            "--json",
        ],
    );
    let begun = Instant::now();
    tokio::spawn(async move { (run_to_end(&spec).await, begun.elapsed()) })
}

async fn ended(
    call: tokio::task::JoinHandle<(RunOutcome, Duration)>,
    code: i32,
) -> (Value, Vec<[String; 3]>, Duration) {
    let (outcome, took) = call.await.unwrap();
    assert_eq!(outcome.exit.code, Some(code), "{}\n{}", outcome.stdout, outcome.stderr);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let word = |attempt: &Value, key: &str| attempt[key].as_str().unwrap_or_default().to_owned();
    let attempts = answer["attempts"].as_array().unwrap();
    let told = attempts.iter().map(|a| ["server", "stage", "outcome"].map(|key| word(a, key))).collect();
    (answer, told, took)
}

fn attempt(server: &str, stage: &str, outcome: &str) -> [String; 3] {
    [server, stage, outcome].map(str::to_owned)
}

#[tokio::test]
async fn a_group_of_nat_peers_fails_over_exactly_when_the_operator_said_that_a_tool_may_be_repeated() {
    let home = TestHome::empty();
    let (a, b) = tokio::join!(Nat::start(&home, "a"), Nat::start(&home, "b"));
    let write = |name: &str, safe: bool| {
        config(&home, name, &json!({"a": a.entry(safe), "b": b.entry(safe)})).display().to_string()
    };
    let (marked, unmarked) = (write("marked.json", true), write("unmarked.json", false));
    eventually("both are healthy", Duration::from_secs(60), async || {
        let outcome = att(&home, &["check", "--config", &unmarked, "--json"]).await;
        (outcome.exit.code == Some(0)).then_some(())
    })
    .await;

    // All is well: the first of the two answers.
    let (answer, told, _) = ended(call(&home, &unmarked, "well", 0.0, 20_000), 0).await;
    assert_eq!(said(&answer), "waited for well");
    assert_eq!(told, [attempt("a", "invoke", "replied_ok")]);

    // Frozen in the middle, not marked: told when the first one's share of the time is over.
    let under_way = call(&home, &unmarked, "frozen", 60.0, 8_000);
    a.in_the_middle_of("frozen").await;
    send(a.pid, Signal::STOP);
    let (failure, told, took) = ended(under_way, 1).await;
    assert_eq!((&failure["code"], &failure["status"]), (&json!("not_reissued"), &json!(502)), "{failure}");
    assert_eq!(told, [attempt("a", "invoke", "sent_no_reply")]);
    assert!(took < Duration::from_millis(7_500), "{took:?}");
    assert_eq!((a.ran("frozen"), b.ran("frozen")), (1, 0), "it was not asked of the other");

    // The next call finds the first one frozen before anything is sent to it, and goes to the second.
    let (answer, told, took) = ended(call(&home, &unmarked, "next", 0.0, 8_000), 0).await;
    assert_eq!(said(&answer), "waited for next");
    assert_eq!(told, [attempt("a", "initialize", "not_sent"), attempt("b", "invoke", "replied_ok")]);
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(b.ran("next"), 1);
    send(a.pid, Signal::CONT);
    eventually("the first one is back", Duration::from_secs(30), async || {
        let outcome = att(&home, &["check", "--config", &unmarked, "--json"]).await;
        (outcome.exit.code == Some(0)).then_some(())
    })
    .await;

    // Frozen in the middle, marked: the second answers within the same deadline.
    let under_way = call(&home, &marked, "moved", 1.0, 12_000);
    a.in_the_middle_of("moved").await;
    send(a.pid, Signal::STOP);
    let (answer, told, took) = ended(under_way, 0).await;
    assert_eq!(said(&answer), "waited for moved");
    assert_eq!(told, [attempt("a", "invoke", "sent_no_reply"), attempt("b", "invoke", "replied_ok")]);
    assert!(took < Duration::from_secs(12), "{took:?}");
    assert_eq!((a.ran("moved"), b.ran("moved")), (1, 1));
    send(a.pid, Signal::CONT);
    eventually("the first one is back", Duration::from_secs(30), async || {
        let outcome = att(&home, &["check", "--config", &unmarked, "--json"]).await;
        (outcome.exit.code == Some(0)).then_some(())
    })
    .await;

    // Killed in the middle, marked: the second answers at once.
    let under_way = call(&home, &marked, "survived", 1.0, 20_000);
    a.in_the_middle_of("survived").await;
    send(a.pid, Signal::KILL);
    let killed = Instant::now();
    let (answer, told, _) = ended(under_way, 0).await;
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    assert_eq!(said(&answer), "waited for survived");
    assert_eq!(told, [attempt("a", "invoke", "sent_no_reply"), attempt("b", "invoke", "replied_ok")]);

    // The first one is gone: nothing was sent to it, so even an unmarked call goes on to the second ...
    let under_way = call(&home, &unmarked, "last", 60.0, 20_000);
    b.in_the_middle_of("last").await;
    // ... and when that dies in the middle, it is told at once and asked of nobody.
    send(b.pid, Signal::KILL);
    let killed = Instant::now();
    let (failure, told, _) = ended(under_way, 1).await;
    assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
    assert_eq!((&failure["code"], &failure["status"]), (&json!("not_reissued"), &json!(502)), "{failure}");
    assert_eq!(told, [attempt("a", "initialize", "not_sent"), attempt("b", "invoke", "sent_no_reply")]);
    assert_eq!(b.ran("last"), 1);

    // Nobody is left.
    let (failure, told, _) = ended(call(&home, &unmarked, "nobody", 0.0, 8_000), 1).await;
    assert_eq!(
        (&failure["code"], &failure["status"]),
        (&json!("all_attempts_failed"), &json!(503)),
        "{failure}"
    );
    assert_eq!(told, [attempt("a", "initialize", "not_sent"), attempt("b", "initialize", "not_sent")]);
    a.child.shutdown(Duration::from_millis(100)).await;
    b.child.shutdown(Duration::from_millis(100)).await;
}
