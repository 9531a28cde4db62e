//! Authorization against a server and an authorization server of our own, which misbehave on request. What the
//! specification demands of the flow itself is proved by the conformance suite.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests may")]

mod bench;
mod flow;
mod hostile;
mod provider;
mod renewal;
