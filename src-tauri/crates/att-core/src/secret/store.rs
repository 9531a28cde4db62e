//! Where secrets are kept: the trait behind `${keyring:NAME}` and the tokens of authorization.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

/// Longest name of a secret, in bytes.
pub const MAX_SECRET_NAME_BYTES: usize = 200;
/// Longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;
/// Names that begin so belong to ATT itself: tokens and registrations of authorization.
pub const OWN_SECRET_PREFIX: &str = "oauth:";

/// A secret's value. It is shown to nobody: `Debug` hides it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// Wraps `value`.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a place of secrets did not do what was asked. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretStoreError {
    /// The place does not answer, is locked, or cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
    /// What is kept there is damaged, or its key is another one.
    #[error("{0}")]
    Damaged(String),
    /// The name or the value is not acceptable.
    #[error("{0}")]
    Refused(String),
}

/// A place that keeps secrets by name.
#[async_trait]
pub trait SecretStore: Send + Sync + std::fmt::Debug {
    /// The secret of that name, if it is set.
    async fn get(&self, name: &str) -> Result<Option<SecretValue>, SecretStoreError>;

    /// Sets it, in place of an older value.
    async fn put(&self, name: &str, value: &SecretValue) -> Result<(), SecretStoreError>;

    /// Removes it; false when it was not set.
    async fn delete(&self, name: &str) -> Result<bool, SecretStoreError>;

    /// All names, sorted.
    async fn names(&self) -> Result<Vec<String>, SecretStoreError>;

    /// Where the secrets are kept, in words for an operator.
    async fn place(&self) -> String;
}

/// Checks the name that an operator gives a secret.
///
/// # Errors
/// [`SecretStoreError::Refused`] for one that `${keyring:NAME}` cannot hold or that ATT keeps for itself.
pub fn check_secret_name(name: &str) -> Result<(), SecretStoreError> {
    let refused =
        |why: &str| Err(SecretStoreError::Refused(format!("that cannot be a secret's name: {why}")));
    match name {
        "" => refused("it is empty"),
        _ if name.len() > MAX_SECRET_NAME_BYTES => refused("it is longer than 200 bytes"),
        _ if name.starts_with(OWN_SECRET_PREFIX) => refused("names that begin with `oauth:` are ATT's own"),
        _ if name.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '{' | '}' | '$')) => {
            refused("blanks, control characters, `$` and braces are not allowed")
        }
        _ => Ok(()),
    }
}

/// Secrets in memory, gone with the process.
#[derive(Debug, Default)]
pub struct MemorySecrets(Mutex<BTreeMap<String, SecretValue>>);

impl MemorySecrets {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, SecretValue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    async fn get(&self, name: &str) -> Result<Option<SecretValue>, SecretStoreError> {
        Ok(self.kept().get(name).cloned())
    }

    async fn put(&self, name: &str, value: &SecretValue) -> Result<(), SecretStoreError> {
        self.kept().insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<bool, SecretStoreError> {
        Ok(self.kept().remove(name).is_some())
    }

    async fn names(&self) -> Result<Vec<String>, SecretStoreError> {
        Ok(self.kept().keys().cloned().collect())
    }

    async fn place(&self) -> String {
        "the memory of this process".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_by_debug() {
        let shown = format!("{:?}", SecretValue::new("hunter2"));
        assert!(!shown.contains("hunter2"));
    }

    #[test]
    fn a_name_must_fit_a_reference_and_not_be_our_own() {
        assert_eq!(check_secret_name("files-token"), Ok(()));
        for bad in ["", "a b", "a}", "${x", "oauth:abc", "a\nb", &"x".repeat(201)] {
            assert!(check_secret_name(bad).is_err(), "{bad:?}");
        }
    }
}
