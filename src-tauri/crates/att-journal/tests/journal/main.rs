//! The journal against real files: opening, the chain and its damage, contention, and what the rooms keep in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a failure is a panic")]

mod chain;
mod contention;
mod cycles;
mod engine;
mod fleet;
mod killed;
mod model;
mod opening;
mod snapshots;
mod support;
