//! What a link is used for right now, and when its server last answered: freshness and draining go by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The calls on one link, and its last answer.
#[derive(Debug)]
pub(crate) struct Activity {
    begun: Instant,
    answered_after_ms: AtomicU64,
    calls: watch::Sender<usize>,
}

impl Activity {
    /// A link that was greeted just now.
    pub fn new() -> Self {
        Self { begun: Instant::now(), answered_after_ms: AtomicU64::new(0), calls: watch::Sender::new(0) }
    }

    /// The server answered.
    pub fn answered(&self) {
        let after = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered_after_ms.fetch_max(after, Ordering::Relaxed);
    }

    /// How long the server has not answered anything.
    pub fn silent_for(&self) -> Duration {
        let answered = Duration::from_millis(self.answered_after_ms.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(answered)
    }

    /// A call begins; it ends when what is returned is dropped.
    pub fn enter(&self) -> CallInLink<'_> {
        self.calls.send_modify(|calls| *calls += 1);
        CallInLink(self)
    }

    /// True while a call is under way.
    pub fn in_use(&self) -> bool {
        *self.calls.borrow() > 0
    }

    /// Waits until no call is under way, at most `patience`.
    pub async fn drained(&self, patience: Duration) {
        let mut calls = self.calls.subscribe();
        let _ = tokio::time::timeout(patience, calls.wait_for(|calls| *calls == 0)).await;
    }
}

/// One call under way.
pub(crate) struct CallInLink<'a>(&'a Activity);

impl Drop for CallInLink<'_> {
    fn drop(&mut self) {
        self.0.calls.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_link_is_drained_when_its_last_call_ends_and_waited_for_no_longer_than_allowed() {
        let activity = Activity::new();
        let (one, two) = (activity.enter(), activity.enter());
        let begun = Instant::now();
        activity.drained(Duration::from_secs(5)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5), "two calls are under way");
        drop(one);
        assert!(activity.in_use());
        drop(two);
        activity.drained(Duration::from_secs(5)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5), "nothing is waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_answer() {
        let activity = Activity::new();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(activity.silent_for(), Duration::from_secs(10));
        activity.answered();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(activity.silent_for(), Duration::from_secs(3));
    }
}
