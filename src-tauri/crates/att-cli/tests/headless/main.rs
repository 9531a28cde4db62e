//! ATT from a terminal: whole release cycles, their decisions, and what is left of them when a process dies.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests may")]

mod crash;
mod cycle;
mod owner;
mod refusals;
mod shop;
#[path = "../../../../../tests/product/support.rs"]
mod support;
