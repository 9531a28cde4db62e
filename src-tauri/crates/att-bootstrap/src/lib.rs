//! The bootstrap engine (design 2): from a change to a release, and back when it goes wrong.
//!
//! The engine is a pure step over a state ([`step`]) whose transitions are data ([`table`]); what it changes is
//! committed whole through [`store::CycleStore`]; what it does to the outside world goes through operations whose
//! intent is committed first.
//!
//! **Invariant:** the policy is pure, the executor is never called on a denied decision, and nothing here
//! knows SQL, a window or an MCP server.

pub mod memory;
pub mod model;
pub mod request;
pub mod sample;
pub mod store;
pub mod store_contract;
mod words;
