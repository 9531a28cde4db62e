//! Children: own process group, a guard, bounded capture, TERM then KILL. The only room that spawns.
//!
//! Three ways to run a program, by who must outlive whom:
//! - [`GuardedChild`]: lives as long as we do and not a moment longer, grandchildren included (MCP servers);
//! - [`run`]: the same for a command that ends by itself (tests, probes, observation), with bounded output;
//! - [`OperationRunner`]: an outside effect that must *not* die with us (deploy, rollback). Its outcome is kept
//!   under its operation id, so that whoever comes after a crash finds it.
//!
//! The first two go through the `att-guard` binary. On Linux the guard watches us through a pidfd, is a child
//! subreaper, and its direct child carries a parent-death signal; elsewhere on Unix it looks for its parent
//! twice a second and can end only the process group.

mod capture;
mod child;
mod command;
mod crash;
pub mod guard;
mod locate;
mod operation;
mod run;

pub use child::GuardedChild;
pub use command::{CommandSpec, Exit, ProcessError};
pub use crash::crash_point;
pub use operation::{OperationRunner, OperationState, run_operation};
pub use run::{OutputStream, RunLimits, RunOutcome, run, run_streaming};
