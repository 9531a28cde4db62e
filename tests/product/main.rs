//! Whole-product tests: the real programs, real processes, real git, a real SQLite file, a real window.
//!
//! One binary, because each test binary of the root package links the desktop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod bad_input;
mod bindings;
mod cli;
mod crash;
mod orphans;
mod peers;
mod support;
mod window;
mod window_fleet;
mod window_release;
