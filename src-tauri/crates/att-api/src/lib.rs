//! Every operation a face may ask for, with its DTOs, events and error codes. Transport-neutral.

pub mod convert;
pub mod dto;
