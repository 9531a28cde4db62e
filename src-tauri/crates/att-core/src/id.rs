//! Ids: ULIDs with a type each, so that a cycle's id cannot be taken for a decision's.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Mints ids and random numbers. Injected, so that tests get the same ones each run.
pub trait Randomness: Send + Sync + std::fmt::Debug {
    /// 128 random bits.
    fn bits(&self) -> u128;
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    fn bits(&self) -> u128 {
        rand::random()
    }
}

/// A seeded, repeatable sequence (SplitMix64); for tests.
#[derive(Debug)]
pub struct SeededRandomness(std::sync::atomic::AtomicU64);

impl SeededRandomness {
    /// A sequence that depends on nothing but `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(step, std::sync::atomic::Ordering::SeqCst).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Randomness for SeededRandomness {
    fn bits(&self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}

macro_rules! ulid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id: a ULID of the time `now_ms` and of `randomness`.
            #[must_use]
            pub fn mint(now_ms: i64, randomness: &dyn Randomness) -> Self {
                let time = u64::try_from(now_ms).unwrap_or(0);
                Self(ulid::Ulid::from_parts(time, randomness.bits()).to_string())
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )+};
}

ulid_id! {
    /// One event of the fleet.
    EventId,
    /// One cycle: an attempt to get a change live, or a rollback asked for by a person.
    CycleId,
    /// One outside effect; its idempotency key.
    OperationId,
    /// One rollback decision.
    DecisionId,
    /// One request for a person's approval.
    ApprovalId,
    /// One release on one target, once.
    DeploymentId,
    /// Anything that waits for a person.
    InterruptionId,
    /// One line of the audit chain.
    AuditId,
    /// One invocation through the router.
    RequestId,
}

/// A W3C trace id: 32 lower-case hex digits, never all zero. Joins a click with all that it caused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// A new trace id.
    #[must_use]
    pub fn mint(randomness: &dyn Randomness) -> Self {
        Self(format!("{:032x}", randomness.bits().max(1)))
    }

    /// The 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `traceparent` header value (W3C Trace Context 1) with a parent id drawn from `randomness`.
    #[must_use]
    pub fn traceparent(&self, randomness: &dyn Randomness) -> String {
        let parent = (randomness.bits() & u128::from(u64::MAX)).max(1);
        format!("00-{}-{parent:016x}-01", self.0)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for CorrelationId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_minted_later_sort_later() {
        let random = SeededRandomness::new(7);
        let early = CycleId::mint(1_000, &random);
        let late = CycleId::mint(2_000, &random);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 26);
    }

    #[test]
    fn a_traceparent_has_the_form_of_the_recommendation() {
        let random = SeededRandomness::new(1);
        let id = CorrelationId::mint(&random);
        let parts: Vec<String> = id.traceparent(&random).split('-').map(str::to_owned).collect();
        assert_eq!(parts.iter().map(String::len).collect::<Vec<_>>(), [2, 32, 16, 2]);
        assert_eq!(parts[1], id.as_str());
    }
}
