//! The bootstrap engine (design 2): from a change to a release, and back when it goes wrong.
//!
//! The engine is a pure step over a state ([`step`]) whose transitions are data ([`table`]); what it changes is
//! committed whole through [`store::CycleStore`]; what it does to the outside world goes through operations whose
//! intent is committed first.
//!
//! **Invariant:** the policy is pure, the executor is never called on a denied decision, and nothing here
//! knows SQL, a window or an MCP server.

pub mod config;
pub mod decide;
pub mod engine;
pub mod error;
pub mod guardrails;
pub mod memory;
pub mod model;
pub mod observe;
pub mod policy;
pub mod request;
pub mod sample;
pub mod sources;
pub mod step;
pub mod store;
pub mod store_contract;
pub mod table;
mod words;
pub mod world;

pub use engine::{AdoptedRelease, ApprovalRequest, Engine, EngineDeps, Notice, Rest, RollbackRequest};
pub use error::EngineError;
