//! The window's commands: each hands its arguments to one operation of `att-api` and nothing more.

pub(crate) mod act;
pub(crate) mod configure;
pub(crate) mod fleet_act;
pub(crate) mod fleet_observe;
pub(crate) mod observe;
pub(crate) mod questions;
