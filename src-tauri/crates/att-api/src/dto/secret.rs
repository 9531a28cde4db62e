//! Secrets by name: there is no DTO that holds a value.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A secret was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SecretSetDto {
    /// Its name, as in `${keyring:NAME}`.
    pub name: String,
    /// Where it is kept, in words.
    pub place: String,
}

/// The kept secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SecretListDto {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// Where they are kept, in words.
    pub place: String,
}
