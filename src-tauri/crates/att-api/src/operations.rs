//! The operations, by what they are about. Each is a method of [`crate::ControlRoom`]; a face translates, and adds
//! no rule of its own.
//!
//! - `fleet`, `servers`: rows, one server, snapshots, calls, retry, consent, reload
//! - `baselines`: the history of snapshots, and what a person accepts of it
//! - `configuring`: what stands in `mcp.json`: servers added, removed, renamed, set, switched on and off
//! - `consents`: which commands a person approved, and taking it back
//! - `importing`: servers taken over from other clients
//! - `projects`, `releases`: projects with their `att.toml`, chains, cycles from the request to the statement
//! - `decisions`: the inbox, decisions and their answers, safe mode
//! - `many`: what is asked of many servers at once, and sessions
//! - `questions`: what servers ask of the operator
//! - `authorize`: a server's authorization by a person
//! - `secrets`: names and where they are kept; values only go in
//! - `underway`: the calls under way, and how far each is
//! - `wire`: what goes over the wire to and from one server
//! - `settings`: what holds for the whole home
//! - `system`: the home as a whole, events, the journal
//!
//! Those that act refuse while something drives the web view, unless the home is a demo's or a test's. `check`, `call`
//! and `read` of a terminal are functions of `once`: they need no control room.

mod authorize;
mod baselines;
mod configuring;
mod consents;
mod decisions;
mod fleet;
mod importing;
pub(crate) mod many;
mod projects;
pub(crate) mod questions;
mod releases;
mod secrets;
mod servers;
mod settings;
mod system;
mod underway;
mod wire;

pub(crate) use projects::ProjectShelf;
