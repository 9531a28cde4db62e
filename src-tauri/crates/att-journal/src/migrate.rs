//! Forward-only migrations, embedded, applied under the write lock.

use crate::journal::Fault;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

/// "ATTJ": marks a SQLite file as an ATT journal (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x4154_544a;

/// The steps, oldest first. A step that has been released is never edited; a new one is added.
const MIGRATIONS: [&str; 4] = [
    include_str!("../migrations/0001_audit.sql"),
    include_str!("../migrations/0002_fleet.sql"),
    include_str!("../migrations/0003_cycle.sql"),
    include_str!("../migrations/0004_engine.sql"),
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
