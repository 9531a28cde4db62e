//! Finds out that the machine slept, or that its network is another one: nothing that was known of the fleet before
//! can be trusted then.

use std::time::Duration;

use futures::StreamExt;
use if_watch::tokio::IfWatcher;
use tokio::time::{Instant, interval, sleep};

use att_core::Clock;

/// How often the two clocks are compared.
const TICK: Duration = Duration::from_secs(2);
/// The wall clock running ahead of the other by more than this is a sleep.
const SLEPT_MS: i64 = 5_000;
/// A network changes in many small steps; they count as one.
const SETTLE: Duration = Duration::from_millis(1_500);

/// True when `wall_ms` passed on the wall while only `monotonic_ms` passed on the clock that stands still in sleep. A
/// wall clock that was set forward looks the same and costs one probe; one that was set back is none.
pub(crate) fn slept(wall_ms: i64, monotonic_ms: i64) -> bool {
    wall_ms.saturating_sub(monotonic_ms) > SLEPT_MS
}

/// Ends when the machine woke up or its network changed. Where the system does not tell of its network, only the
/// clocks are watched.
pub(crate) async fn woken(clock: &dyn Clock, network: &mut Option<IfWatcher>) -> &'static str {
    tokio::select! {
        () = sleep_seen(clock) => "the machine woke up",
        () = network_changed(network) => "the network changed",
    }
}

async fn sleep_seen(clock: &dyn Clock) {
    let mut ticks = interval(TICK);
    let (mut wall, mut monotonic) = (clock.now_ms(), Instant::now());
    loop {
        ticks.tick().await;
        let (wall_now, now) = (clock.now_ms(), Instant::now());
        if slept(wall_now - wall, crate::link::millis(now - monotonic)) {
            return;
        }
        (wall, monotonic) = (wall_now, now);
    }
}

async fn network_changed(network: &mut Option<IfWatcher>) {
    let Some(watcher) = network else { return std::future::pending().await };
    // A watcher that ended or fails for good is given up: no loop on its error.
    let told = watcher.next().await;
    if !matches!(told, Some(Ok(_))) {
        tracing::debug!(?told, "the network is no longer watched");
        *network = None;
        return std::future::pending().await;
    }
    // Until it has been quiet for a moment.
    while let Ok(Some(Ok(_))) = tokio::time::timeout(SETTLE, watcher.next()).await {}
}

/// The system's own word on its network, after what it tells of the addresses that are there already.
pub(crate) async fn watch_network() -> Option<IfWatcher> {
    let mut watcher =
        IfWatcher::new().map_err(|error| tracing::debug!(%error, "the network cannot be watched")).ok()?;
    let settled = async { while let Ok(Some(Ok(_))) = tokio::time::timeout(SETTLE, watcher.next()).await {} };
    tokio::select! {
        () = settled => {}
        () = sleep(SETTLE * 4) => {}
    }
    Some(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use att_core::ManualClock;
    use std::sync::Arc;

    #[test]
    fn only_a_wall_clock_that_runs_ahead_is_a_sleep() {
        assert!(slept(60_000, 2_000));
        assert!(!slept(2_000, 2_000));
        assert!(!slept(-3_600_000, 2_000), "set back");
        assert!(!slept(i64::MIN, i64::MAX));
        assert!(!slept(6_000, 2_000), "a slow tick is no sleep");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_is_seen_at_the_next_tick() {
        let clock = Arc::new(ManualClock::at(1_000_000));
        let seen = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { woken(&*clock, &mut None).await }
        });
        for _ in 0..5 {
            clock.advance(2_000);
            tokio::time::advance(Duration::from_secs(2)).await;
            tokio::task::yield_now().await;
        }
        assert!(!seen.is_finished(), "both clocks ran on together");
        clock.advance(3_600_000);
        assert_eq!(seen.await.unwrap(), "the machine woke up");
    }
}
