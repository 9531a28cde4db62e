//! SIGKILL at any moment: the chain verifies, and nothing that was reported as written is gone.

use crate::support::{draft, home, open};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// Run by the test below until it is killed.
#[tokio::test]
#[ignore = "run by another test, which kills it"]
async fn writes_until_killed() {
    let journal = open(std::path::Path::new(&std::env::var("ATT_TEST_HOME").unwrap())).await;
    for n in 0.. {
        let sequence = journal.record(draft(n)).await.unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "wrote {sequence}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn after_sigkill_the_chain_verifies_and_holds_what_was_promised() {
    let home = home();
    let mut promised = 0;
    for round in 0..12_u64 {
        #[allow(clippy::disallowed_methods, reason = "the test's own child, killed and waited for below")]
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::writes_until_killed", "--ignored", "--nocapture"])
            .env("ATT_TEST_HOME", home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let goal = promised + 1 + i64::try_from(round % 4).unwrap();
        while promised < goal {
            let line = lines.next().expect("the writer ended by itself").unwrap();
            // The harness prints the test's name on the same line as its first output.
            if let Some((_, number)) = line.split_once("wrote ") {
                promised = number.trim().parse().unwrap();
            }
        }
        std::thread::sleep(std::time::Duration::from_micros(round * 173));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some((_, number)) = line.split_once("wrote ") {
                promised = number.trim().parse().unwrap_or(promised);
            }
        }
        let journal = open(home.path()).await;
        let report = journal.verify().await.unwrap();
        assert!(report.ok, "round {round}: {report:?}");
        assert!(report.entries >= promised, "round {round}: {} of {promised}", report.entries);
        promised = report.entries;
        journal.close().await;
    }
}
