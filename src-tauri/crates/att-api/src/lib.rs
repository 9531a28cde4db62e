//! Every operation a face may ask for, with its DTOs, events and error codes. Transport-neutral.
//!
//! A face opens one [`ControlRoom`] and calls its operations; `operations.md` lists them. Whoever holds the
//! engine lock of the home drives its fleet and its cycles; everybody else reads the journal and asks the driver
//! through it.

mod authorize;
mod config;
pub mod convert;
mod demo;
mod driver;
pub mod dto;
mod editing;
mod engine_lock;
mod home;
mod log;
mod notices;
mod once;
mod operations;
mod requests;
mod room;
mod secrets;
mod watching;

pub use att_core::{Code, Face, Report};
pub use authorize::authorize_once;
pub use demo::{DemoMade, demo_init};
pub use home::Home;
pub use log::log_to_stderr;
pub use once::company::{AskPerson, Company};
pub use once::{call_once, check, doctor};
pub use room::{ControlRoom, Drive};

impl From<Report> for dto::ErrorDto {
    fn from(report: Report) -> Self {
        Self {
            code: convert::word(&report.code),
            message: report.message,
            cause: report.cause,
            cure: report.cure,
        }
    }
}
