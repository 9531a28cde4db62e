//! Homes, drafts, and a raw connection that does what no program should.

use att_core::Actor;
use att_journal::{AuditDraft, Journal, OpenOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

pub fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The example `journal_child`, which lies in a folder beside that of the tests.
pub fn child_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join("examples/journal_child");
    let cure = "build it: `cargo build -p att-journal --all-targets`";
    assert!(program.is_file(), "{} is missing; {cure}", program.display());
    program
}

pub async fn open(home: &Path) -> Journal {
    Journal::open(home, OpenOptions::default()).await.unwrap()
}

pub fn impatient() -> OpenOptions {
    OpenOptions { busy_timeout: Duration::from_millis(150), ..OpenOptions::default() }
}

pub fn draft(n: i64) -> AuditDraft {
    AuditDraft {
        id: None,
        at_ms: 1_000 + n,
        actor: Actor::engine(7),
        kind: "CycleMoved".into(),
        subject: format!("cycle-{}", n % 3),
        body: serde_json::json!({"n": n, "note": "naïve ✓", "list": [1, 2.5, null, true]}),
    }
}

/// A journal with `count` entries, closed again.
pub async fn written(home: &Path, count: i64) {
    let journal = open(home).await;
    for n in 1..=count {
        assert_eq!(journal.record(draft(n)).await.unwrap(), n);
    }
    journal.close().await;
}

/// A connection that is not the journal's: no pragmas, no manners.
pub async fn raw(home: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(home.join("journal.db"))
        .create_if_missing(true)
        .foreign_keys(false)
        .connect()
        .await
        .unwrap()
}

pub async fn run(conn: &mut SqliteConnection, sql: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(conn).await.unwrap();
}

/// What somebody with the file in hands would do first.
pub const WITHOUT_TRIGGERS: &str = "DROP TRIGGER audit_refuses_update; DROP TRIGGER audit_refuses_delete;
     DROP TRIGGER audit_refuses_gap; DROP TRIGGER audit_refuses_fork; DROP TRIGGER audit_refuses_second_id;";

pub async fn lines(journal: &Journal) -> Vec<String> {
    let mut out = Vec::new();
    let count = journal.export(&mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len() as u64, count);
    lines
}
