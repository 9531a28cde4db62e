//! The MCP client manager: wire, era, connection, health, snapshots, diff, calls (design 1).
//!
//! **Invariant:** this room knows nothing of releases, of SQL or of a window. What it keeps goes through
//! [`FleetStore`]; time and randomness are handed in. Every state of a server changes in [`facets::apply`] and
//! nowhere else.

mod activity;
pub mod arguments;
mod auth;
mod calls;
pub mod check;
mod child;
mod client;
pub mod config;
mod connection;
mod conversation;
mod dial;
pub mod diff;
pub mod doctor;
pub mod drift;
mod era;
pub mod facets;
pub mod fleet;
pub mod import;
pub mod invoke;
mod link;
mod lists;
pub mod model;
pub mod question;
mod recorder;
pub mod snapshot;
pub mod store;
mod target;
mod text;
mod wake;
mod weight;
mod wire;

pub use auth::{AuthConfig, Grant, IdentityProvider};
pub use calls::{CallProgress, CallUnderWay};
pub use check::{CheckedServer, check_once};
pub use config::{ConfigProblem, ParsedConfig, ProblemLevel, ServerConfig, parse};
pub use connection::LatencyPoint;
pub use diff::diff;
pub use fleet::{AuthorizationPage, Fleet, FleetDeps, FleetError, ManyAnswer};
pub use invoke::{FailureCode, InvokeAnswer, InvokeFailure, InvokeRequest, Operation};
pub use question::{Answerer, Question, QuestionAnswer, QuestionKind, QuestionMessage};
pub use store::{FleetStore, MemoryFleetStore, StoreError};
pub use wire::reading::read_wire_log;
