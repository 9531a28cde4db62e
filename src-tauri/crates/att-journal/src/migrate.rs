//! Forward-only migrations, embedded, applied under the write lock.

use crate::journal::Fault;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

/// "ATTJ": marks a SQLite file as an ATT journal (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x4154_544a;

/// The steps, oldest first. A step that has been released is never edited; a new one is added.
const MIGRATIONS: [&str; 6] = [
    include_str!("../migrations/0001_audit.sql"),
    include_str!("../migrations/0002_fleet.sql"),
    include_str!("../migrations/0003_cycle.sql"),
    include_str!("../migrations/0004_engine.sql"),
    include_str!("../migrations/0005_baseline.sql"),
    include_str!("../migrations/0006_calls.sql"),
];

/// The schema version that this program writes (`PRAGMA user_version`).
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Nothing in it yet.
    Fresh,
    /// A journal of this version.
    Ours(i64),
    /// Another program's tables.
    Foreign,
}

/// Looks at the marks of the file without changing it.
pub(crate) async fn ownership(conn: &mut SqliteConnection) -> Result<Ownership, Fault> {
    let application = pragma(conn, "PRAGMA application_id").await?;
    let version = pragma(conn, "PRAGMA user_version").await?;
    let objects: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *conn).await?;
    Ok(match application {
        APPLICATION_ID => Ownership::Ours(version),
        0 if version == 0 && objects == 0 => Ownership::Fresh,
        _ => Ownership::Foreign,
    })
}

/// Brings the file to [`SCHEMA_VERSION`] in one transaction. Two programs that do it at once take turns.
pub(crate) async fn migrate(conn: &mut SqliteConnection) -> Result<(), Fault> {
    migrate_to(conn, MIGRATIONS.len()).await
}

pub(crate) async fn migrate_to(conn: &mut SqliteConnection, steps: usize) -> Result<(), Fault> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    match apply(conn, steps).await {
        Ok(()) => {
            sqlx::raw_sql("COMMIT").execute(&mut *conn).await?;
            Ok(())
        }
        Err(fault) => {
            // A transaction that SQLite has already rolled back has nothing more to roll back.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await;
            Err(fault)
        }
    }
}

async fn apply(conn: &mut SqliteConnection, steps: usize) -> Result<(), Fault> {
    let done = usize::try_from(pragma(conn, "PRAGMA user_version").await?).unwrap_or(0);
    for (index, step) in MIGRATIONS.iter().enumerate().take(steps).skip(done) {
        sqlx::raw_sql(*step).execute(&mut *conn).await?;
        // PRAGMA takes no bound parameters; the number is our own.
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};", index + 1);
        sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn pragma(conn: &mut SqliteConnection, question: &'static str) -> Result<i64, Fault> {
    let row: SqliteRow = sqlx::query(question).fetch_one(conn).await?;
    Ok(row.try_get::<i64, _>(0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuditDraft, Journal, OpenOptions};
    use att_core::Actor;
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    /// One row of the kind that each step brought, written as the program of that step would have.
    const ROWS: [&str; 6] = [
        "INSERT INTO audit VALUES (1, 'a', 5, '{}', 'Old', 's', '{}', 'p', 'h')",
        "INSERT INTO consent VALUES ('files', 'd1', 5, '{}')",
        "INSERT INTO project VALUES ('shop', '{}')",
        "INSERT INTO lease VALUES ('engine', '{}', 1, 3, 1, 2, 3)",
        "INSERT INTO baseline VALUES ('files', 's1', 5, '{}', 'seen', NULL)",
        "INSERT INTO question VALUES ('q1', 'files', 5, 0, '{}', '{}')",
    ];

    const COUNTS: [&str; 6] = [
        "SELECT count(*) FROM audit WHERE kind = 'Old'",
        "SELECT count(*) FROM consent WHERE digest = 'd1'",
        "SELECT count(*) FROM project WHERE id = 'shop'",
        "SELECT count(*) FROM lease WHERE epoch = 3",
        "SELECT count(*) FROM baseline WHERE snapshot_id = 's1'",
        "SELECT count(*) FROM question WHERE id = 'q1'",
    ];

    #[tokio::test]
    async fn a_journal_of_every_earlier_version_comes_forward_with_its_rows() {
        for version in 1..=MIGRATIONS.len() {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("journal.db");
            let mut conn =
                SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
            migrate_to(&mut conn, version).await.unwrap();
            for row in &ROWS[..version] {
                sqlx::raw_sql(*row).execute(&mut conn).await.unwrap();
            }
            std::fs::write(home.path().join("journal.head"), r#"{"sequence":1,"hash":"h"}"#).unwrap();
            assert_eq!(ownership(&mut conn).await.unwrap(), Ownership::Ours(i64::try_from(version).unwrap()));
            drop(conn);
            let journal = Journal::open(home.path(), OpenOptions::default()).await.unwrap();
            let mut conn = journal.access().reader().await.unwrap();
            assert_eq!(ownership(&mut conn).await.unwrap(), Ownership::Ours(SCHEMA_VERSION));
            for question in &COUNTS[..version] {
                let found: i64 = sqlx::query_scalar(*question).fetch_one(&mut conn).await.unwrap();
                assert_eq!(found, 1, "from version {version}: {question}");
            }
            let draft = AuditDraft {
                id: None,
                at_ms: 6,
                actor: Actor::engine(1),
                kind: "New".into(),
                subject: "s".into(),
                body: serde_json::json!({}),
            };
            assert_eq!(journal.record(draft).await.unwrap(), 2, "from version {version}");
        }
    }

    #[tokio::test]
    async fn every_table_is_strict() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::open(home.path(), OpenOptions::default()).await.unwrap();
        let loose: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(journal.readers())
        .await
        .unwrap();
        assert_eq!(loose, Vec::<String>::new());
    }

    #[tokio::test]
    async fn the_writer_is_durable_and_keeps_the_rules() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::open(home.path(), OpenOptions::default()).await.unwrap();
        let mut conn = journal.access().writer().await.unwrap();
        for (question, wanted) in [
            ("PRAGMA synchronous", 2_i64),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA recursive_triggers", 1),
            ("PRAGMA busy_timeout", 10_000),
        ] {
            let found: i64 = sqlx::query_scalar(question).fetch_one(&mut conn).await.unwrap();
            assert_eq!(found, wanted, "{question}");
        }
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.unwrap();
        assert_eq!(mode, "wal");
    }
}
