//! A process of the journal's tests: `write HOME` writes until it is killed, `refused HOME` finds a home that it may
//! read and not write.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a failure is a panic")]
#![allow(clippy::print_stdout, reason = "the test reads it")]

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/journal/support.rs"]
mod support;

use att_journal::{Journal, JournalError, OpenOptions};
use std::path::{Path, PathBuf};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let home = PathBuf::from(arguments.next().expect("a home"));
    match task.as_deref() {
        Some("write") => write(&home).await,
        Some("refused") => refused(&home).await,
        other => panic!("there is no task {other:?}"),
    }
}

/// Says each sequence number once it is written.
async fn write(home: &Path) {
    let journal = support::open(home).await;
    for n in 0.. {
        let sequence = journal.record(support::draft(n)).await.unwrap();
        println!("{sequence}");
    }
}

/// Says how many entries it could read.
async fn refused(home: &Path) {
    let error =
        Journal::open(home, OpenOptions::default()).await.expect_err("it should not open for writing");
    assert!(matches!(error, JournalError::NotWritable { .. }), "{error:?}");
    let journal = Journal::open(home, OpenOptions::read_only()).await.unwrap();
    let entries = journal.verify().await.unwrap().entries;
    assert_eq!(journal.head_sequence().await.unwrap(), entries);
    println!("{entries}");
}
