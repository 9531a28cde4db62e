//! Whole cycles with real git, real shell commands and the store in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on is a failed test")]

mod answers;
mod crashes;
mod house;
mod releases;
