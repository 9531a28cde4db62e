use std::os::unix::fs::PermissionsExt as _;

use att_core::SystemClock;

use super::*;
use crate::model::{WireDirection, WireEntry, WireKind};
use crate::wire::log::{Passing, WireLog};

fn passing(raw: &[u8]) -> Passing<'_> {
    Passing {
        direction: WireDirection::Out,
        kind: WireKind::Request,
        method: Some("tools/call"),
        id: Some("1"),
        status: None,
        session: None,
        raw,
    }
}

async fn lines_of(file: &Path, at_least: usize) -> Vec<WireEntry> {
    let read = async {
        loop {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let found: Vec<_> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if found.len() >= at_least {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), read).await.unwrap()
}

#[tokio::test]
async fn messages_are_written_as_redacted_lines_that_only_the_owner_reads() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("logs/wire");
    let disk = DiskLog::start(folder.clone());
    let log = WireLog::new("my server/1", KnownSecrets::default(), Arc::new(SystemClock), Some(disk));
    log.keep(3, passing(br#"{"id":1,"params":{"token":"abcdef123456"}}"#));
    let file = file_of(&folder, "my server/1", 0);
    let lines = lines_of(&file, 1).await;
    assert_eq!((lines[0].seq, lines[0].generation, lines[0].method.as_deref()), (1, 3, Some("tools/call")));
    assert!(lines[0].text.contains("[redacted]") && !lines[0].text.contains("abcdef"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn files_are_rotated_and_the_oldest_go_when_the_budget_is_spent() {
    let dir = tempfile::tempdir().unwrap();
    let passed = {
        let log = WireLog::new("s", KnownSecrets::default(), Arc::new(SystemClock), None);
        log.keep(1, passing(&vec![b'a'; 60 * 1024]));
        log.newest().unwrap()
    };
    let batch: Vec<Line> =
        (0..80).map(|_| ("s".into(), KnownSecrets::default(), Arc::clone(&passed))).collect();
    for _ in 0..6 {
        write_batch(dir.path(), &batch, 0).unwrap();
    }
    for older in 0..=OLDER_FILES {
        let size = std::fs::metadata(file_of(dir.path(), "s", older)).unwrap().len();
        assert!(size <= FILE_BYTES + 100 * 1024, "{older}: {size}");
    }
    assert!(!file_of(dir.path(), "s", OLDER_FILES + 1).exists());
    keep_budget(dir.path(), 5 * 1024 * 1024).unwrap();
    assert!(file_of(dir.path(), "s", 0).exists(), "the newest stays");
    assert!(!file_of(dir.path(), "s", OLDER_FILES).exists(), "the oldest is gone");
}

#[test]
fn no_server_name_leaves_the_folder_or_meets_another() {
    let folder = Path::new("/f");
    let names = ["../../etc/passwd", ".", "..", "a/b", "a b", "a%20b", "ä"];
    let files: std::collections::BTreeSet<_> = names.iter().map(|name| file_of(folder, name, 0)).collect();
    assert_eq!(files.len(), names.len());
    assert!(files.iter().all(|file| file.parent() == Some(folder)));
    let long = file_of(folder, &"ü".repeat(100), 0);
    assert!(long.file_name().unwrap().len() < 100);
}
