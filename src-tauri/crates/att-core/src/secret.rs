//! Secret references: `${env:NAME}` and `${keyring:NAME}` inside configured strings (design 1.7).
//!
//! Files, records and logs hold the reference; the value lives only in the request that needs it.

mod store;

pub use store::{
    MAX_SECRET_BYTES, MAX_SECRET_NAME_BYTES, MemorySecrets, OWN_SECRET_PREFIX, SecretStore, SecretStoreError,
    SecretValue, check_secret_name,
};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// A variable of ATT's own environment.
    Env(String),
    /// An entry of the operating system's keyring.
    Keyring(String),
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${{env:{name}}}"),
            Self::Keyring(name) => write!(f, "${{keyring:{name}}}"),
        }
    }
}

/// A reference that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// `${` without `}`, or a kind other than `env` and `keyring`.
    #[error("`{0}` is not a secret reference; write ${{env:NAME}} or ${{keyring:NAME}}")]
    Malformed(String),
    /// The place that was asked has no such secret.
    #[error("the secret {0} is not set")]
    Missing(String),
}

/// Looks a secret up. Returns `None` when it is not set.
pub type Lookup<'a> = dyn Fn(&SecretRef) -> Option<String> + 'a;

/// The references inside `text`, in order.
///
/// # Errors
/// [`SecretError::Malformed`] for an unclosed or unknown `${...}`.
pub fn references(text: &str) -> Result<Vec<SecretRef>, SecretError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let tail = &rest[start..];
        let end = tail.find('}').ok_or_else(|| SecretError::Malformed(tail.to_owned()))?;
        found.push(parse(&tail[..=end])?);
        rest = &tail[end + 1..];
    }
    Ok(found)
}

/// `text` with each reference replaced by what `lookup` answers.
///
/// # Errors
/// [`SecretError::Malformed`], or [`SecretError::Missing`] naming the reference, never a value.
pub fn resolve(text: &str, lookup: &Lookup<'_>) -> Result<String, SecretError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let end = tail.find('}').ok_or_else(|| SecretError::Malformed(tail.to_owned()))?;
        let reference = parse(&tail[..=end])?;
        out.push_str(&lookup(&reference).ok_or_else(|| SecretError::Missing(reference.to_string()))?);
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn parse(text: &str) -> Result<SecretRef, SecretError> {
    let malformed = || SecretError::Malformed(text.to_owned());
    let inner = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).ok_or_else(malformed)?;
    match inner.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(SecretRef::Env(name.to_owned())),
        Some(("keyring", name)) if !name.is_empty() => Ok(SecretRef::Keyring(name.to_owned())),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_a_missing_one_is_named() {
        let lookup = |reference: &SecretRef| match reference {
            SecretRef::Env(name) if name == "A" => Some("value".to_owned()),
            _ => None,
        };
        assert_eq!(resolve("Bearer ${env:A}!", &lookup).unwrap(), "Bearer value!");
        assert_eq!(resolve("${keyring:B}", &lookup), Err(SecretError::Missing("${keyring:B}".into())));
        assert!(matches!(resolve("${shell:rm}", &lookup), Err(SecretError::Malformed(_))));
        assert!(matches!(references("${env:A"), Err(SecretError::Malformed(_))));
    }
}
