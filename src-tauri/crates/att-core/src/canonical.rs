//! Canonical JSON (RFC 8785) and SHA-256, the base of every digest in ATT.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A value that has no canonical JSON form, such as a map with keys that are not strings.
#[derive(Debug, thiserror::Error)]
#[error("the value has no canonical JSON form: {0}")]
pub struct CanonicalError(#[from] serde_json::Error);

/// The RFC 8785 text of `value`: sorted keys, no white space, shortest numbers.
///
/// # Errors
/// When `value` cannot be expressed in JSON.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    Ok(serde_json_canonicalizer::to_string(value)?)
}

/// The SHA-256 of `bytes` as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes.as_ref());
    digest.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_change_the_canonical_text() {
        let a = serde_json::json!({"b": 1, "a": [1.0, "x"]});
        let b = serde_json::json!({"a": [1, "x"], "b": 1});
        assert_eq!(canonical_json(&a).unwrap(), canonical_json(&b).unwrap());
        assert_eq!(canonical_json(&a).unwrap(), r#"{"a":[1,"x"],"b":1}"#);
    }

    #[test]
    fn the_digest_is_that_of_the_published_test_vector() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
