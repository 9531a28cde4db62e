//! Whole-product tests of the desktop: the real binary, a real window, real processes.
//!
//! One binary, because each test binary of the root package links the desktop. What needs no window is tested
//! in `src-tauri/crates/att-cli/tests`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod bindings;
mod orphans;
mod support;
mod window;
mod window_fleet;
mod window_release;
