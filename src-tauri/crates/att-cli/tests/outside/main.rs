//! ATT from outside: bad input, servers that others wrote, and a fleet that is watched, killed and left.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests may")]

mod bad_config;
mod bad_journal;
mod bad_request;
mod config_edits;
mod consent;
mod fleet;
mod outside;
mod peers;
mod proxy;
mod secrets;
mod sessions;
#[path = "../../../../../tests/product/support.rs"]
mod support;
mod wire;
