//! Secrets by name, and authorization: there is no DTO that holds a value or a token.

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

/// The page on which a person authorizes ATT. Its address comes from outside: show it, and open it on a click only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AuthorizePageDto {
    /// The server.
    pub server: String,
    /// The page.
    pub url: String,
    /// Until when the answer is waited for, Unix ms.
    #[specta(type = u32)]
    pub until_ms: i64,
}
