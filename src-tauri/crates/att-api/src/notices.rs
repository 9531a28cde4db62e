//! What is newer: one counter a topic, watched by faces.

use crate::dto::{Notice, Topic};
use std::collections::BTreeMap;
use tokio::sync::watch;

/// The counters. Cheap to copy a handle of; a slow watcher sees the newest state, never a queue.
#[derive(Debug)]
pub(crate) struct Notices {
    versions: watch::Sender<Vec<Notice>>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Self { versions: watch::Sender::new(Vec::new()) }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Notice>> {
        self.versions.subscribe()
    }

    /// Tells that each of `topics` has something new.
    pub(crate) fn tell(&self, topics: &[Topic]) {
        self.versions.send_modify(|notices| {
            let mut versions: BTreeMap<Topic, u32> = notices.iter().map(|n| (n.topic, n.version)).collect();
            for topic in topics {
                let version = versions.entry(*topic).or_default();
                *version = version.wrapping_add(1);
            }
            *notices = versions.into_iter().map(|(topic, version)| Notice { topic, version }).collect();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_counts_for_itself() {
        let notices = Notices::new();
        let mut watcher = notices.watch();
        notices.tell(&[Topic::Fleet]);
        notices.tell(&[Topic::Fleet, Topic::Events]);
        assert!(watcher.has_changed().unwrap());
        let seen: Vec<(Topic, u32)> =
            watcher.borrow_and_update().iter().map(|n| (n.topic, n.version)).collect();
        assert_eq!(seen, [(Topic::Fleet, 2), (Topic::Events, 1)]);
        assert!(!watcher.has_changed().unwrap());
    }
}
