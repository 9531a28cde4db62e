//! The encrypted form of a set of secrets: AES-256-GCM over their JSON.
//!
//! Layout: magic, one byte that says where the key comes from, 16 bytes of salt, 12 of nonce, the sealed text with
//! its tag. Magic, kind and salt are authenticated with it.

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use att_core::secret::{SecretStoreError, SecretValue};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

const MAGIC: &[u8] = b"ATT-SECRETS-1\n";
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const HEADER_BYTES: usize = MAGIC.len() + 1 + SALT_BYTES;
/// Argon2id: 19 MiB, two passes, one lane (OWASP's first choice).
const ARGON2: (u32, u32, u32) = (19 * 1024, 2, 1);

/// The secrets by name.
pub(super) type Kept = BTreeMap<String, String>;

/// 32 bytes that seal.
pub(super) type Key = [u8; 32];

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeySource {
    /// `secrets.key` beside the file.
    KeyFile,
    /// The passphrase, through Argon2id.
    Passphrase,
}

impl KeySource {
    fn byte(self) -> u8 {
        match self {
            Self::KeyFile => 1,
            Self::Passphrase => 2,
        }
    }
}

/// What stands before the sealed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub source: KeySource,
    pub salt: [u8; SALT_BYTES],
}

impl Header {
    /// A header with a fresh salt.
    pub fn fresh(source: KeySource) -> Result<Self, SecretStoreError> {
        Ok(Self { source, salt: random()? })
    }

    /// The header of `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, SecretStoreError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it is no file of ATT's secrets"))?;
        let (kind, rest) = rest.split_first().ok_or_else(|| damaged("it is cut off"))?;
        let source = match kind {
            1 => KeySource::KeyFile,
            2 => KeySource::Passphrase,
            _ => return Err(damaged("its key is of a kind that this ATT does not know")),
        };
        let salt = rest.first_chunk::<SALT_BYTES>().ok_or_else(|| damaged("it is cut off"))?;
        Ok(Self { source, salt: *salt })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.source.byte());
        bytes.extend_from_slice(&self.salt);
        bytes
    }
}

/// `N` bytes nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SecretStoreError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| SecretStoreError::Unavailable("the system gave no random numbers".into()))?;
    Ok(bytes)
}

/// The key that belongs to a passphrase and a salt.
pub(super) fn derive(passphrase: &SecretValue, header: &Header) -> Result<Key, SecretStoreError> {
    let (memory, passes, lanes) = ARGON2;
    let failed =
        |error: argon2::Error| SecretStoreError::Unavailable(format!("no key could be made: {error}"));
    let params = Params::new(memory, passes, lanes, None).map_err(failed)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), &header.salt, &mut key)
        .map_err(failed)?;
    Ok(key)
}

/// Seals `kept`.
pub(super) fn seal(header: &Header, key: &Key, kept: &Kept) -> Result<Vec<u8>, SecretStoreError> {
    let failed = |_| SecretStoreError::Unavailable("the secrets could not be encrypted".into());
    let mut text = serde_json::to_vec(kept)
        .map_err(|_| SecretStoreError::Unavailable("the secrets could not be written down".into()))?;
    let mut bytes = header.bytes();
    let sealer = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(failed)?;
    let nonce = sealer.seal_in_place_append_tag(Aad::from(&bytes), &mut text).map_err(failed)?;
    bytes.extend_from_slice(nonce.as_ref());
    bytes.extend_from_slice(&text);
    Ok(bytes)
}

/// Opens what [`seal`] made.
pub(super) fn open(bytes: &[u8], key: &Key) -> Result<Kept, SecretStoreError> {
    let header = Header::read(bytes)?.bytes();
    let rest = &bytes[HEADER_BYTES.min(bytes.len())..];
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| damaged("it is cut off"))?;
    let failed = |_| damaged("it was changed, or it was sealed with another key or passphrase");
    let opener = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(failed)?;
    let mut text = sealed.to_vec();
    let text = opener
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(&header), &mut text)
        .map_err(failed)?;
    serde_json::from_slice(text).map_err(|_| damaged("it opens, but holds no secrets"))
}

fn damaged(why: &str) -> SecretStoreError {
    SecretStoreError::Damaged(format!("secrets.enc cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed() -> (Key, Vec<u8>) {
        let key = random().unwrap();
        let kept = Kept::from([("a".to_owned(), "one".to_owned())]);
        let header = Header::fresh(KeySource::KeyFile).unwrap();
        (key, seal(&header, &key, &kept).unwrap())
    }

    #[test]
    fn what_was_sealed_opens_with_its_key_and_no_other() {
        let (key, bytes) = sealed();
        assert_eq!(open(&bytes, &key).unwrap()["a"], "one");
        assert!(matches!(open(&bytes, &[7; 32]), Err(SecretStoreError::Damaged(_))));
    }

    #[test]
    fn one_changed_or_missing_byte_is_noticed_wherever_it_is() {
        let (key, bytes) = sealed();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &key).is_err(), "byte {at}");
            assert!(open(&bytes[..at], &key).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_passphrase_gives_the_same_key_for_the_same_salt_only() {
        let (one, two) =
            (Header::fresh(KeySource::Passphrase).unwrap(), Header::fresh(KeySource::Passphrase).unwrap());
        let phrase = SecretValue::new("correct horse");
        assert_eq!(derive(&phrase, &one).unwrap(), derive(&phrase, &one).unwrap());
        assert_ne!(derive(&phrase, &one).unwrap(), derive(&phrase, &two).unwrap());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &[0; 32]).is_err());
            prop_assert!(open(&[MAGIC, &bytes].concat(), &[0; 32]).is_err());
        }
    }
}
