//! Reads the wire log of a server back from disk, for whoever does not hold the fleet.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::{OLDER_FILES, file_of};
use crate::model::WireEntry;

/// The messages of `server` that the newest run wrote into `folder`: those after `after_seq`, or the newest, oldest
/// first and `limit` at most. None when there is no log of it. A line that is being written is left for the next look.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read_wire_log(
    folder: &Path,
    server: &str,
    after_seq: Option<u64>,
    limit: usize,
) -> std::io::Result<Option<Vec<WireEntry>>> {
    let mut found: Vec<WireEntry> = Vec::new();
    let mut any = false;
    for older in 0..=OLDER_FILES {
        let text = match std::fs::read_to_string(file_of(folder, server, older)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        any = true;
        let mut entries: Vec<WireEntry> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        // A sequence that begins anew is another run.
        let of_this_run =
            found.first().is_none_or(|first| entries.last().is_some_and(|last| last.seq < first.seq));
        if !of_this_run {
            break;
        }
        let begin = (1..entries.len()).rev().find(|at| entries[*at].seq <= entries[*at - 1].seq);
        entries.drain(..begin.unwrap_or(0));
        entries.append(&mut found);
        found = entries;
        let enough = match after_seq {
            Some(after) => found.first().is_some_and(|first| first.seq <= after.saturating_add(1)),
            None => found.len() >= limit,
        };
        if begin.is_some() || enough {
            break;
        }
    }
    let from = match after_seq {
        Some(after) => found.partition_point(|entry| entry.seq <= after),
        None => found.len().saturating_sub(limit),
    };
    let chosen = found.into_iter().skip(from).take(limit).collect();
    Ok(any.then_some(chosen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{WireDirection, WireKind};

    fn lines(seqs: impl IntoIterator<Item = u64>) -> String {
        let entry = |seq| WireEntry {
            seq,
            at_ms: 1,
            generation: 1,
            direction: WireDirection::In,
            kind: WireKind::Request,
            method: None,
            id: None,
            bytes: 2,
            status: None,
            session: None,
            text: "{}".into(),
            cut: false,
        };
        seqs.into_iter().map(|seq| serde_json::to_string(&entry(seq)).unwrap() + "\n").collect()
    }

    #[test]
    fn only_the_newest_run_is_read_over_as_many_files_as_needed() {
        let dir = tempfile::tempdir().unwrap();
        let read = |after, limit| {
            let found = read_wire_log(dir.path(), "s", after, limit).unwrap();
            found.map(|all| all.iter().map(|entry| entry.seq).collect::<Vec<_>>())
        };
        assert_eq!(read(None, 5), None);
        let write = |older, text: String| std::fs::write(file_of(dir.path(), "s", older), text).unwrap();
        write(2, lines([7, 8, 9]));
        write(1, lines([10, 11, 1, 2, 3]));
        write(0, lines([4, 5, 6]) + "{\"seq\": 7, \"at");
        assert_eq!(read(None, 2), Some(vec![5, 6]));
        assert_eq!(read(None, 100), Some(vec![1, 2, 3, 4, 5, 6]), "an earlier run stays out");
        assert_eq!(read(Some(2), 2), Some(vec![3, 4]));
        assert_eq!(read(Some(6), 2), Some(vec![]));
    }
}
