//! The wire log of a server: of the live fleet, or what its watcher wrote to disk.

use crate::convert::{count, word};
use crate::dto::{WireEntryDto, WirePageDto};
use crate::requests::no_such_server;
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::model::WireEntry;
use att_mcp::read_wire_log;

/// Most messages of a page.
const PAGE_ENTRIES: u32 = 200;
/// Most text of a page, in bytes.
const PAGE_BYTES: usize = 32 * 1024;

impl ControlRoom {
    /// Messages of a server after `after_seq`, or, without it, the newest; oldest first, 200 and 32 KB at most.
    ///
    /// # Errors
    /// When there is no such server, or nobody keeps a wire log of it.
    pub async fn server_wire(
        &self,
        server: String,
        after_seq: Option<u32>,
        limit: u32,
    ) -> Result<WirePageDto, Report> {
        let limit = usize::try_from(limit.clamp(1, PAGE_ENTRIES)).unwrap_or(1);
        let after = after_seq.map(u64::from);
        let driver = self.driver().await;
        let live =
            driver.as_ref().and_then(|driver| driver.fleet()).map(|fleet| fleet.wire(&server, after, limit));
        drop(driver);
        let (source, entries) = match live {
            Some(entries) => ("memory", entries.ok_or_else(|| no_such_server(&server))?),
            None => ("disk", self.wire_on_disk(&server, after, limit).await?),
        };
        Ok(page(server, source, entries, after_seq))
    }

    async fn wire_on_disk(
        &self,
        server: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<WireEntry>, Report> {
        let (folder, name) = (self.0.home.wire_logs(), server.to_owned());
        let read = tokio::task::spawn_blocking(move || read_wire_log(&folder, &name, after, limit)).await;
        let found = match read {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(unreadable(server, &error.to_string())),
            Err(error) => return Err(unreadable(server, &error.to_string())),
        };
        match found {
            Some(entries) => Ok(entries),
            None if !self.configuration().servers.iter().any(|config| config.name == server) => {
                Err(no_such_server(server))
            }
            None => Err(Report::new(Code::NotFound, format!("there is no wire log of `{server}` on disk"))
                .cause("it is written only where it is switched on, and while something watches the fleet")
                .cure(format!(
                    "write \"att\": {{\"wire_log\": true}} into the entry of `{server}` in mcp.json, and keep \
                     `att watch` or the window running"
                ))),
        }
    }
}

fn unreadable(server: &str, why: &str) -> Report {
    Report::new(Code::JournalUnavailable, format!("the wire log of `{server}` cannot be read"))
        .cause(why.to_owned())
        .cure("see that the folder logs/wire of ATT_HOME is readable for you")
}

fn page(server: String, source: &str, entries: Vec<WireEntry>, after_seq: Option<u32>) -> WirePageDto {
    let share = (PAGE_BYTES / entries.len().max(1)).max(128);
    let entries: Vec<_> = entries.into_iter().map(|entry| convert(entry, share)).collect();
    let next_seq = entries.last().map_or(after_seq.unwrap_or(0), |entry| entry.seq);
    WirePageDto { server, source: source.to_owned(), entries, next_seq }
}

fn convert(entry: WireEntry, share: usize) -> WireEntryDto {
    let mut text = entry.text;
    let mut end = text.len().min(share);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = entry.cut || end < text.len();
    text.truncate(end);
    WireEntryDto {
        seq: count(entry.seq),
        at_ms: entry.at_ms,
        generation: count(entry.generation),
        direction: word(&entry.direction),
        kind: word(&entry.kind),
        method: entry.method,
        id: entry.id,
        bytes: count(entry.bytes),
        status: entry.status.map(u32::from),
        session: entry.session,
        text,
        cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use att_mcp::model::{WireDirection, WireKind};

    #[test]
    fn a_page_stays_within_its_bytes_and_says_what_was_cut() {
        let entry = |seq| WireEntry {
            seq,
            at_ms: 1,
            generation: 1,
            direction: WireDirection::Out,
            kind: WireKind::Request,
            method: Some("tools/call".into()),
            id: Some("1".into()),
            bytes: 60_000,
            status: None,
            session: None,
            text: "ü".repeat(30_000),
            cut: false,
        };
        for entries in [1, 7, 200] {
            let page = page("s".into(), "memory", (1..=entries).map(entry).collect(), None);
            let bytes: usize = page.entries.iter().map(|entry| entry.text.len()).sum();
            assert!(bytes <= PAGE_BYTES, "{entries}: {bytes}");
            assert!(page.entries.iter().all(|entry| entry.cut && !entry.text.is_empty()));
            assert_eq!(page.next_seq, count(entries));
        }
    }
}
