//! The settings of the home.

use serde::{Deserialize, Serialize};
use specta::Type;

/// One setting of `settings.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingDto {
    /// Its key, such as `fleet.fall`.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// What holds when it is not set, as TOML.
    pub default: String,
    /// True when `settings.toml` sets it.
    pub set: bool,
}
