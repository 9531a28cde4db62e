//! Whole cycles with real git, real shell commands and the store in memory.

mod answers;
mod crashes;
mod house;
mod releases;
