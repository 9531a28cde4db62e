//! The fleet against the real `att-demo-server`, over stdio and Streamable HTTP, in both eras.
//!
//! The binaries `att-demo-server` and `att-guard` are looked for beside the test's own folder and built with cargo
//! when they are missing; run `cargo build -p att-demo-server -p att-process` after changing them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails here has failed")]

mod bench;
mod calls;
mod connecting;
mod drift;
mod health;
mod hostile;
mod leaks;
mod load;
mod once;
mod peers;
mod questions;
mod returning;
mod routing;
mod sessions;
mod small;
mod sse;
mod surface;
mod tls;
mod versions;
