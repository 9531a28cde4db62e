//! SIGKILL at any moment: the chain verifies, and nothing that was reported as written is gone.

use crate::support::{child_program, home, open};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[tokio::test]
async fn after_sigkill_the_chain_verifies_and_holds_what_was_promised() {
    let home = home();
    let mut promised = 0;
    for round in 0..12_u64 {
        #[allow(clippy::disallowed_methods, reason = "the test's own child, killed and waited for below")]
        let mut child = std::process::Command::new(child_program())
            .arg("write")
            .arg(home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let goal = promised + 1 + i64::try_from(round % 4).unwrap();
        while promised < goal {
            promised = lines.next().expect("the writer ended by itself").unwrap().parse().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_micros(round * 173));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            promised = line.parse().unwrap_or(promised);
        }
        let journal = open(home.path()).await;
        let report = journal.verify().await.unwrap();
        assert!(report.ok, "round {round}: {report:?}");
        assert!(report.entries >= promised, "round {round}: {} of {promised}", report.entries);
        promised = report.entries;
        journal.close().await;
    }
}
