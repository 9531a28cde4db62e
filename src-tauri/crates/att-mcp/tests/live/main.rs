//! The fleet against the real `att-demo-server`, over stdio and Streamable HTTP, in both eras.
//!
//! The binaries `att-demo-server` and `att-guard` are looked for beside the test's own folder and built with cargo
//! when they are missing; run `cargo build -p att-demo-server -p att-process` after changing them.

mod bench;
mod calls;
mod connecting;
mod health;
mod surface;
