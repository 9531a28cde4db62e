//! How many notifications a server may send: plenty, but not without end. rmcp starts a task for each.

use tokio::time::Instant;

/// Notifications let through at once.
const BURST: u32 = 2_000;
/// Notifications let through per second after that.
const PER_SECOND: u32 = 500;
/// So many dropped in a row, and the connection ends.
pub(crate) const FLOOD: u64 = 20_000;

/// A bucket that fills with time.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    spent: f64,
    at: Option<Instant>,
    dropped: u64,
}

impl Rate {
    /// One notification came at `now`; the number dropped since the bucket was last empty, when it may not pass.
    pub fn admit(&mut self, now: Instant) -> Result<(), u64> {
        let since = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        self.spent = (self.spent - since * f64::from(PER_SECOND)).max(0.0);
        if self.spent == 0.0 {
            self.dropped = 0;
        }
        if self.spent + 1.0 > f64::from(BURST) {
            self.dropped += 1;
            return Err(self.dropped);
        }
        self.spent += 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_a_flood_does_not_and_quiet_makes_good() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        assert!((0..BURST).all(|_| rate.admit(start).is_ok()));
        assert_eq!(rate.admit(start), Err(1));
        assert_eq!(rate.admit(start), Err(2));
        assert_eq!(
            rate.admit(start + Duration::from_secs(1)),
            Ok(()),
            "a second lets {PER_SECOND} more through"
        );
        assert_eq!(rate.admit(start + Duration::from_secs(60)), Ok(()));
        assert!((1..BURST).all(|_| rate.admit(start + Duration::from_secs(60)).is_ok()));
        assert_eq!(
            rate.admit(start + Duration::from_secs(60)),
            Err(1),
            "what was dropped before is forgotten"
        );
    }
}
