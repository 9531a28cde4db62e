//! The audit chain: what is written can be verified, and no change to it goes unseen.

use crate::support::{WITHOUT_TRIGGERS, draft, home, lines, open, raw, run, written};
use att_core::Code;
use att_journal::{AuditEntry, Head, Journal, JournalError, OpenOptions, Problem, VerifyReport};
use proptest::prelude::*;
use sqlx::Row;
use std::path::Path;

async fn verdict(home: &Path) -> VerifyReport {
    let journal = Journal::open(home, OpenOptions::read_only()).await.unwrap();
    let report = journal.verify().await.unwrap();
    journal.close().await;
    report
}

async fn first_bad(home: &Path) -> (i64, Problem) {
    let report = verdict(home).await;
    assert!(!report.ok);
    let bad = report.first_bad.unwrap();
    assert!(!bad.detail.is_empty());
    (bad.sequence, bad.problem)
}

fn kept_head(home: &Path) -> Head {
    serde_json::from_str(&std::fs::read_to_string(home.join("journal.head")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_chain_verifies_and_its_head_is_kept_outside() {
    let home = home();
    written(home.path(), 5).await;
    let report = verdict(home.path()).await;
    assert_eq!((report.ok, report.entries, report.head_sequence), (true, 5, 5));
    assert_eq!(kept_head(home.path()), Head { sequence: 5, hash: report.head_hash });
}

#[tokio::test]
async fn an_empty_chain_verifies() {
    let home = home();
    written(home.path(), 0).await;
    let report = verdict(home.path()).await;
    assert_eq!((report.ok, report.entries), (true, 0));
}

#[tokio::test]
async fn secrets_are_out_before_the_hash_is_taken() {
    let home = home();
    let journal = open(home.path()).await;
    let mut entry = draft(1);
    entry.body =
        serde_json::json!({"argv": ["deploy", "--token=s3cr3t-value"], "env": {"API_KEY": "hunter2hunter2"}});
    journal.record(entry).await.unwrap();
    let text = lines(&journal).await.join("\n");
    assert!(!text.contains("s3cr3t-value") && !text.contains("hunter2"), "{text}");
    assert!(journal.verify().await.unwrap().ok);
}

#[tokio::test]
async fn an_export_can_be_verified_without_the_program() {
    let home = home();
    written(home.path(), 4).await;
    let journal = open(home.path()).await;
    let mut previous = "0".repeat(64);
    for (index, line) in lines(&journal).await.iter().enumerate() {
        let entry: AuditEntry = serde_json::from_str(line).unwrap();
        assert_eq!(entry.seq, i64::try_from(index).unwrap() + 1);
        assert_eq!(entry.prev_hash, previous);
        let mut fields: serde_json::Value = serde_json::from_str(line).unwrap();
        fields.as_object_mut().unwrap().remove("hash");
        let text = att_core::canonical_json(&fields).unwrap();
        assert_eq!(att_core::sha256_hex(text), entry.hash);
        previous = entry.hash;
    }
}

#[tokio::test]
async fn any_flipped_byte_of_any_column_is_found_at_its_entry() {
    let home = home();
    written(home.path(), 4).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, WITHOUT_TRIGGERS).await;
    let journal = Journal::open(home.path(), OpenOptions::read_only()).await.unwrap();
    let mut flips = 0;
    for column in ["id", "at_ms", "actor", "kind", "subject", "body", "prev_hash", "hash"] {
        let row = sqlx::query("SELECT * FROM audit WHERE seq = 3").fetch_one(&mut conn).await.unwrap();
        if column == "at_ms" {
            for bit in 0..40 {
                run(
                    &mut conn,
                    format!(
                        "UPDATE audit SET at_ms = (at_ms | {0}) - (at_ms & {0}) WHERE seq = 3",
                        1_i64 << bit
                    ),
                )
                .await;
                let bad = journal.verify().await.unwrap().first_bad.unwrap();
                assert_eq!((bad.sequence, bad.problem), (3, Problem::Broken), "at_ms bit {bit}");
                run(
                    &mut conn,
                    format!("UPDATE audit SET at_ms = {} WHERE seq = 3", row.get::<i64, _>("at_ms")),
                )
                .await;
                flips += 1;
            }
            continue;
        }
        let text: String = row.get(column);
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1 << (index % 7);
            let flipped = String::from_utf8_lossy(&bytes).into_owned();
            let question = format!("UPDATE audit SET {column} = ? WHERE seq = 3");
            let update = |value: String| sqlx::query(sqlx::AssertSqlSafe(question.clone())).bind(value);
            update(flipped).execute(&mut conn).await.unwrap();
            let bad = journal.verify().await.unwrap().first_bad.expect("a flip that nobody saw");
            assert_eq!((bad.sequence, bad.problem), (3, Problem::Broken), "{column}[{index}]");
            update(text.clone()).execute(&mut conn).await.unwrap();
            flips += 1;
        }
    }
    assert!(flips > 300, "{flips}");
    assert!(journal.verify().await.unwrap().ok, "everything was put back");
}

#[tokio::test]
async fn a_deleted_entry_is_missing() {
    let home = home();
    written(home.path(), 6).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, WITHOUT_TRIGGERS).await;
    run(&mut conn, "DELETE FROM audit WHERE seq IN (3, 5)").await;
    assert_eq!(first_bad(home.path()).await, (3, Problem::Missing));
}

#[tokio::test]
async fn two_swapped_entries_are_broken_at_the_first() {
    let home = home();
    written(home.path(), 6).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, WITHOUT_TRIGGERS).await;
    run(&mut conn, "UPDATE audit SET seq = -2 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = -2").await;
    assert_eq!(first_bad(home.path()).await, (2, Problem::Broken));
}

#[tokio::test]
async fn a_cut_off_tail_is_seen_and_nothing_is_recorded_on_top_of_it() {
    let home = home();
    written(home.path(), 6).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, WITHOUT_TRIGGERS).await;
    run(&mut conn, "DELETE FROM audit WHERE seq > 4").await;
    assert_eq!(first_bad(home.path()).await, (5, Problem::CutOff));
    let journal = open(home.path()).await;
    let error = journal.record(draft(5)).await.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 5, .. }), "{error:?}");
    assert_eq!(error.code(), Code::JournalDamaged);
    assert_eq!(error.code().exit_code(), 4);
    assert_eq!(first_bad(home.path()).await, (5, Problem::CutOff));
}

#[tokio::test]
async fn a_chain_that_was_hashed_anew_does_not_fit_the_kept_head() {
    let home = home();
    let other = crate::support::home();
    written(home.path(), 3).await;
    let journal = open(other.path()).await;
    for n in 11..=14 {
        journal.record(draft(n)).await.unwrap();
    }
    journal.close().await;
    std::fs::copy(home.path().join("journal.head"), other.path().join("journal.head")).unwrap();
    assert_eq!(first_bad(other.path()).await, (3, Problem::Broken));
    let error = open(other.path()).await.record(draft(5)).await.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 3, .. }), "{error:?}");
}

#[tokio::test]
async fn a_lost_or_spoilt_head_is_seen_and_not_made_anew() {
    let home = home();
    written(home.path(), 3).await;
    let head = home.path().join("journal.head");
    std::fs::write(&head, "{}").unwrap();
    assert_eq!(first_bad(home.path()).await, (3, Problem::HeadMissing));
    std::fs::remove_file(&head).unwrap();
    let error = open(home.path()).await.record(draft(4)).await.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
    assert_eq!(first_bad(home.path()).await, (3, Problem::HeadMissing));
    assert!(!head.exists());
}

#[tokio::test]
async fn a_journal_taken_away_from_under_its_head_is_seen() {
    let home = home();
    written(home.path(), 3).await;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(home.path().join(name));
    }
    let journal = open(home.path()).await;
    assert!(matches!(journal.record(draft(1)).await, Err(JournalError::Damaged { .. })));
    assert_eq!(first_bad(home.path()).await, (1, Problem::CutOff));
}

#[tokio::test]
async fn a_head_left_behind_by_a_crash_is_no_damage_and_catches_up() {
    let home = home();
    written(home.path(), 2).await;
    let old = std::fs::read(home.path().join("journal.head")).unwrap();
    let journal = open(home.path()).await;
    journal.record(draft(3)).await.unwrap();
    journal.record(draft(4)).await.unwrap();
    journal.close().await;
    std::fs::write(home.path().join("journal.head"), old).unwrap();
    assert!(verdict(home.path()).await.ok);
    let journal = open(home.path()).await;
    assert_eq!(kept_head(home.path()).sequence, 4);
    assert_eq!(journal.record(draft(5)).await.unwrap(), 5);
    assert_eq!(kept_head(home.path()).sequence, 5);
}

#[tokio::test]
async fn no_statement_gets_past_append_only() {
    let home = home();
    written(home.path(), 3).await;
    let mut conn = raw(home.path()).await;
    run(&mut conn, "PRAGMA recursive_triggers = OFF").await;
    let values = "'x', 1, '{}', 'k', 's', '{}', (SELECT hash FROM audit WHERE seq = 3), 'h'";
    for statement in [
        "UPDATE audit SET kind = 'x' WHERE seq = 2".to_owned(),
        "UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2".to_owned(),
        "DELETE FROM audit".to_owned(),
        "DELETE FROM audit WHERE seq = 3".to_owned(),
        format!("INSERT OR REPLACE INTO audit VALUES (2, {values})"),
        format!("REPLACE INTO audit VALUES (3, {values})"),
        format!("INSERT OR IGNORE INTO audit VALUES (7, {values})"),
        "INSERT INTO audit VALUES (4, 'x', 1, '{}', 'k', 's', '{}', 'another', 'h')".to_owned(),
        "INSERT OR REPLACE INTO audit SELECT 4, id, at_ms, actor, kind, subject, body,
           (SELECT hash FROM audit WHERE seq = 3), 'h' FROM audit WHERE seq = 2"
            .to_owned(),
        "INSERT INTO audit SELECT * FROM audit WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET kind = 'x'"
            .to_owned(),
    ] {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone())).execute(&mut conn).await;
        assert!(done.is_err(), "{statement}");
    }
    assert_eq!(verdict(home.path()).await.entries, 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A flip in any byte of the file is either outside the chain, or seen.
    #[test]
    fn a_flipped_byte_of_the_file_never_changes_the_history_unseen(place in 100_usize..1_000_000, bit in 0_u8..8) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = home();
            written(home.path(), 12).await;
            let journal = open(home.path()).await;
            let before = lines(&journal).await;
            journal.close().await;
            let path = home.path().join("journal.db");
            let mut bytes = std::fs::read(&path).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            std::fs::write(&path, bytes).unwrap();
            let Ok(journal) = Journal::open(home.path(), OpenOptions::read_only()).await else { return };
            if matches!(journal.verify().await, Ok(report) if report.ok) {
                assert_eq!(lines(&journal).await, before, "byte {place} bit {bit}");
            }
        });
    }
}
