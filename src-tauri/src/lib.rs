//! The desktop shell: the window, the pump of notices, one-line adapters to `att-api`.
//!
//! **Invariant:** this package alone knows Tauri, and it holds no rule of its own.

mod bindings;
mod commands;
mod pages;
mod pump;
mod run;

pub use bindings::typescript_bindings;
pub use run::run;
