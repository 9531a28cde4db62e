//! What the doctor found.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A server examined from its address, or its program, to its lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DoctorDto {
    /// The server.
    pub server: String,
    /// True when no step failed.
    pub well: bool,
    /// The steps, in order.
    pub steps: Vec<DoctorStepDto>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DoctorStepDto {
    /// `secrets` `dns` `tcp` `tls` `http` `program` `consent` `spawn` `era` `auth` `lists`.
    pub step: String,
    /// `ok` `failed` `skipped`.
    pub outcome: String,
    /// How long it took.
    #[specta(type = u32)]
    pub took_ms: i64,
    /// What was seen; where it failed, the cause.
    pub seen: String,
    /// What to do, where it failed.
    pub cure: Option<String>,
}
