//! Where this home's secrets are kept: the operating system's keyring, and an encrypted file where none answers.
//!
//! A demo's or a test's home, and one whose operator set `ATT_SECRETS_PASSPHRASE`, uses the file alone. Where the
//! keyring answers, it is written to and asked first; what an earlier run put into the file is still found.

mod file;
mod keyring;
mod sealed;

use std::sync::Arc;

use async_trait::async_trait;
use att_core::secret::{MAX_SECRET_BYTES, SecretStore, SecretStoreError, SecretValue};
use tokio::sync::OnceCell;

use crate::home::Home;
use file::SecretFile;
use keyring::Keyring;

/// The variable that holds the passphrase of the encrypted file.
const PASSPHRASE: &str = "ATT_SECRETS_PASSPHRASE";

/// The secrets of one home.
#[derive(Debug)]
pub(crate) struct Secrets {
    file: SecretFile,
    may_use_keyring: bool,
    keyring: OnceCell<Option<Keyring>>,
}

impl Secrets {
    /// The secrets of `home`. Nothing is read or asked before the first use.
    pub(crate) fn of(home: &Home) -> Arc<dyn SecretStore> {
        let passphrase = std::env::var(PASSPHRASE).ok().filter(|value| !value.is_empty());
        let may_use_keyring = passphrase.is_none() && !home.is_demo() && !home.is_test();
        Arc::new(Self {
            file: SecretFile::new(home.root(), &home.run(), passphrase.map(SecretValue::new)),
            may_use_keyring,
            keyring: OnceCell::new(),
        })
    }

    async fn keyring(&self) -> Option<&Keyring> {
        if !self.may_use_keyring {
            return None;
        }
        self.keyring.get_or_init(Keyring::connect).await.as_ref()
    }
}

#[async_trait]
impl SecretStore for Secrets {
    async fn get(&self, name: &str) -> Result<Option<SecretValue>, SecretStoreError> {
        if let Some(keyring) = self.keyring().await
            && let Some(found) = keyring.get(name).await?
        {
            return Ok(Some(found));
        }
        self.file.get(name).await
    }

    async fn put(&self, name: &str, value: &SecretValue) -> Result<(), SecretStoreError> {
        if value.expose().len() > MAX_SECRET_BYTES {
            return Err(SecretStoreError::Refused("the secret is longer than 64 KiB".into()));
        }
        match self.keyring().await {
            Some(keyring) => {
                keyring.put(name, value).await?;
                // An older value must not come back on a day without a keyring.
                self.file.delete(name).await.map(|_| ())
            }
            None => self.file.put(name, value).await,
        }
    }

    async fn delete(&self, name: &str) -> Result<bool, SecretStoreError> {
        let in_keyring = match self.keyring().await {
            Some(keyring) => keyring.delete(name).await?,
            None => false,
        };
        Ok(self.file.delete(name).await? || in_keyring)
    }

    async fn names(&self) -> Result<Vec<String>, SecretStoreError> {
        let mut names = self.file.names().await?;
        if let Some(keyring) = self.keyring().await {
            names.extend(keyring.names().await?);
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn place(&self) -> String {
        match self.keyring().await {
            Some(_) => "the system's keyring".to_owned(),
            None => self.file.place(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_test_home_keeps_its_secrets_in_its_own_file_and_never_in_the_clear() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        std::fs::write(dir.path().join("test-home"), "").unwrap();
        let secrets = Secrets::of(&home);
        secrets.put("files-token", &SecretValue::new("planted-value")).await.unwrap();
        assert!(secrets.place().await.contains("secrets.enc"), "{}", secrets.place().await);
        let again = Secrets::of(&home);
        assert_eq!(again.get("files-token").await.unwrap().unwrap().expose(), "planted-value");
        assert_eq!(again.names().await.unwrap(), ["files-token"]);
        for entry in std::fs::read_dir(dir.path()).unwrap().filter_map(Result::ok) {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            for planted in [&b"planted-value"[..], b"files-token"] {
                let found = bytes.windows(planted.len()).any(|window| window == planted);
                assert!(!found, "{} holds it in the clear", entry.path().display());
            }
        }
        assert!(again.delete("files-token").await.unwrap() && !again.delete("files-token").await.unwrap());
    }

    #[tokio::test]
    async fn a_value_without_end_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("test-home"), "").unwrap();
        let secrets = Secrets::of(&Home::at(dir.path()));
        let large = SecretValue::new("x".repeat(MAX_SECRET_BYTES + 1));
        assert!(matches!(secrets.put("a", &large).await, Err(SecretStoreError::Refused(_))));
    }
}
