//! Every way in which a journal cannot be opened or written says what is wrong and what to do.

use crate::support::{child_program, draft, home, impatient, open, raw, run, written};
use att_core::{Code, Report};
use att_journal::{Journal, JournalError, OpenOptions, SCHEMA_VERSION};
use std::path::Path;
use std::time::Duration;

async fn refusal(home: &Path, options: OpenOptions) -> JournalError {
    let error = Journal::open(home, options).await.expect_err("the journal should not open");
    speaks(&error);
    error
}

fn speaks(error: &JournalError) {
    let report = Report::from(error.clone());
    assert_eq!(report.code, error.code());
    assert!(report.cure.is_some_and(|cure| cure.ends_with('.') && cure.len() > 20), "{error:?}");
    assert!(!error.to_string().contains('\n'));
}

#[tokio::test]
async fn a_new_home_gets_a_journal_that_opens_again() {
    let home = home();
    let nested = home.path().join("a/b");
    let journal = open(&nested).await;
    assert!(!journal.is_read_only());
    journal.record(draft(1)).await.unwrap();
    journal.close().await;
    let again = open(&nested).await;
    assert!(again.verify().await.unwrap().ok);
    assert_eq!(again.audit_entries(None, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let home = home();
    let path = home.path().join("journal.db");
    std::fs::write(&path, "dear diary").unwrap();
    assert_eq!(
        refusal(home.path(), OpenOptions::default()).await,
        JournalError::NotADatabase { path: path.clone() }
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "dear diary");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(refusal(home.path(), OpenOptions::default()).await, JournalError::NotADatabase { path });
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let home = home();
    let mut conn = raw(home.path()).await;
    run(&mut conn, "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x');").await;
    let before = std::fs::read(home.path().join("journal.db")).unwrap();
    for options in [OpenOptions::default(), OpenOptions::read_only()] {
        let error = refusal(home.path(), options).await;
        assert!(matches!(error, JournalError::Foreign { .. }), "{error:?}");
        assert_eq!(error.code(), Code::JournalUnavailable);
    }
    assert_eq!(std::fs::read(home.path().join("journal.db")).unwrap(), before);
}

#[tokio::test]
async fn a_journal_of_a_newer_program_is_read_and_not_written() {
    let home = home();
    written(home.path(), 3).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1)).await;
    let journal = open(home.path()).await;
    assert_eq!(journal.newer_schema(), Some(SCHEMA_VERSION + 1));
    assert_eq!(journal.audit_entries(None, 0, 10).await.unwrap().len(), 3);
    let error = journal.record(draft(4)).await.unwrap_err();
    speaks(&error);
    assert_eq!(error.code(), Code::JournalTooNew);
    assert_eq!(journal.verify().await.unwrap().entries, 3);
}

#[tokio::test]
async fn an_older_journal_is_not_read_as_if_it_were_a_new_one() {
    let home = home();
    written(home.path(), 1).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, "PRAGMA user_version = 1").await;
    let error = refusal(home.path(), OpenOptions::read_only()).await;
    assert_eq!(
        error,
        JournalError::TooOld { path: home.path().join("journal.db"), found: 1, known: SCHEMA_VERSION }
    );
}

#[tokio::test]
async fn the_journal_is_for_its_owner_s_eyes_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let journal = open(home.path()).await;
    journal.record(draft(1)).await.unwrap();
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let mode = std::fs::metadata(home.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn reading_only_needs_a_journal_and_refuses_every_write() {
    let home = home();
    assert!(matches!(refusal(home.path(), OpenOptions::read_only()).await, JournalError::Missing { .. }));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    written(home.path(), 2).await;
    let journal = Journal::open(home.path(), OpenOptions::read_only()).await.unwrap();
    assert!(journal.verify().await.unwrap().ok);
    let error = journal.record(draft(3)).await.unwrap_err();
    speaks(&error);
    assert!(matches!(error, JournalError::ReadOnly { .. }));
}

#[tokio::test]
async fn a_home_that_cannot_be_made_is_named() {
    let home = home();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refusal(&file.join("att"), OpenOptions::default()).await;
    assert!(matches!(error, JournalError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_lock_held_too_long_is_named_and_later_forgotten() {
    let home = home();
    let journal = Journal::open(home.path(), impatient()).await.unwrap();
    let mut other = raw(home.path()).await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let error = journal.record(draft(1)).await.unwrap_err();
    speaks(&error);
    assert!(matches!(error, JournalError::Locked { waited_ms: 150, .. }), "{error:?}");
    run(&mut other, "ROLLBACK").await;
    assert_eq!(journal.record(draft(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn opening_waits_for_another_program_that_is_opening() {
    let home = home();
    let run_folder = home.path().join("run");
    std::fs::create_dir_all(&run_folder).unwrap();
    let lock = std::fs::File::create(run_folder.join("journal.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(refusal(home.path(), impatient()).await, JournalError::Locked { .. }));
    let patient = tokio::spawn({
        let home = home.path().to_path_buf();
        async move { Journal::open(&home, OpenOptions::default()).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    lock.unlock().unwrap();
    assert!(patient.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_is_over_once_there_is_room() {
    let home = home();
    open(home.path()).await.close().await;
    let size = std::fs::metadata(home.path().join("journal.db")).unwrap().len();
    let pages = u32::try_from(size / 4096 + 4).unwrap();
    let small = OpenOptions { max_pages: Some(pages), ..OpenOptions::default() };
    let journal = Journal::open(home.path(), small).await.unwrap();
    let big = |n| {
        let mut big = draft(n);
        big.body = serde_json::json!({"text": "x y ".repeat(1_000)});
        big
    };
    let mut written = 0;
    let error = loop {
        match journal.record(big(written)).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the cap should have been met");
    };
    speaks(&error);
    assert!(matches!(error, JournalError::DiskFull { .. }), "{error:?}");
    let report = journal.verify().await.unwrap();
    assert!(report.ok && report.entries == written, "{report:?}");
    journal.close().await;
    let journal = open(home.path()).await;
    assert_eq!(journal.record(big(0)).await.unwrap(), written + 1);
    assert!(journal.verify().await.unwrap().ok);
}

#[tokio::test]
async fn a_file_cut_short_is_called_corrupt() {
    let home = home();
    written(home.path(), 50).await;
    let path = home.path().join("journal.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = match Journal::open(home.path(), OpenOptions::default()).await {
        Err(error) => error,
        Ok(journal) => journal.record(draft(51)).await.unwrap_err(),
    };
    speaks(&error);
    assert_eq!(error.code(), Code::JournalDamaged, "{error:?}");
}

#[tokio::test]
async fn two_programs_may_make_the_journal_at_the_same_moment() {
    let home = home();
    let opened = (0..6).map(|_| {
        let home = home.path().to_path_buf();
        tokio::spawn(async move { Journal::open(&home, OpenOptions::default()).await })
    });
    for (n, journal) in opened.collect::<Vec<_>>().into_iter().enumerate() {
        journal.await.unwrap().unwrap().record(draft(i64::try_from(n).unwrap())).await.unwrap();
    }
    assert_eq!(open(home.path()).await.verify().await.unwrap().entries, 6);
}

#[test]
fn a_home_of_somebody_else_is_named_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let home = home();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // A copy, because the build folder may be closed to others.
    let program = home.path().join("journal_child");
    std::fs::copy(child_program(), &program).unwrap();
    let theirs = home.path().join("theirs");
    tokio::runtime::Runtime::new().unwrap().block_on(written(&theirs, 3));
    for name in ["journal.db", "journal.head"] {
        std::fs::set_permissions(theirs.join(name), std::fs::Permissions::from_mode(0o444)).unwrap();
    }
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o555)).unwrap();
    #[allow(clippy::disallowed_methods, reason = "the test's own child, waited for below")]
    let mut child = std::process::Command::new(&program);
    child.arg("refused").arg(&theirs).current_dir("/");
    // Root may write everywhere; nobody may not.
    if std::fs::write(theirs.join("probe"), "").is_ok() {
        std::fs::remove_file(theirs.join("probe")).unwrap();
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3\n", "it reads every entry");
}
