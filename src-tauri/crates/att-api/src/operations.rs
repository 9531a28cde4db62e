//! The operations, by what they are about. Each is a method of [`crate::ControlRoom`].

mod decisions;
mod fleet;
mod projects;
mod releases;
mod servers;
mod system;

pub(crate) use projects::ProjectShelf;
