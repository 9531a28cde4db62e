//! The journal against real files: opening, the chain and its damage, contention, and what the rooms keep in it.

mod chain;
mod contention;
mod cycles;
mod engine;
mod fleet;
mod killed;
mod opening;
mod support;
