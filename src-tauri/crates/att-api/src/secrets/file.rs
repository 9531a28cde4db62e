//! `secrets.enc`: the encrypted file for where no keyring answers.
//!
//! With a passphrase in `ATT_SECRETS_PASSPHRASE` the file is safe from whoever copies the folder. Without one its
//! key lies beside it in `secrets.key`, readable by its owner only: that keeps secrets out of a backup of the one
//! file, out of a search through the disk and out of a shared screen, but not from a program that runs as the same
//! user and reads both.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use att_core::secret::{SecretStoreError, SecretValue};

use super::sealed::{Header, Kept, Key, KeySource, derive, open, random, seal};

const FILE: &str = "secrets.enc";
const KEY_FILE: &str = "secrets.key";
const LOCK_FILE: &str = "secrets.lock";
/// Largest file read, in bytes.
const LARGEST_BYTES: u64 = 16 * 1024 * 1024;
/// How long another process may hold the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// The file, its key and its lock. Clones share the derived key.
#[derive(Debug, Clone)]
pub(super) struct SecretFile(Arc<Places>);

struct Places {
    file: PathBuf,
    key_file: PathBuf,
    lock: PathBuf,
    passphrase: Option<SecretValue>,
    /// The key of the passphrase, by salt: deriving it is slow on purpose.
    derived: Mutex<Option<(Header, Key)>>,
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Places").field("file", &self.file).finish_non_exhaustive()
    }
}

impl SecretFile {
    pub(super) fn new(root: &Path, run: &Path, passphrase: Option<SecretValue>) -> Self {
        Self(Arc::new(Places {
            file: root.join(FILE),
            key_file: root.join(KEY_FILE),
            lock: run.join(LOCK_FILE),
            passphrase,
            derived: Mutex::new(None),
        }))
    }

    pub(super) fn place(&self) -> String {
        let file = self.0.file.display();
        match self.0.passphrase {
            Some(_) => format!("the file {file}, encrypted with your passphrase"),
            None => format!("the file {file}, encrypted with the key file beside it"),
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<SecretValue>, SecretStoreError> {
        let name = name.to_owned();
        self.run(move |places| Ok(places.read()?.0.remove(&name).map(SecretValue::new))).await
    }

    pub(super) async fn names(&self) -> Result<Vec<String>, SecretStoreError> {
        self.run(|places| Ok(places.read()?.0.into_keys().collect())).await
    }

    pub(super) async fn put(&self, name: &str, value: &SecretValue) -> Result<(), SecretStoreError> {
        let (name, value) = (name.to_owned(), value.expose().to_owned());
        self.run(move |places| {
            let _lock = places.take_lock()?;
            let (mut kept, header) = places.read()?;
            kept.insert(name, value);
            places.write(&kept, header)
        })
        .await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<bool, SecretStoreError> {
        let name = name.to_owned();
        self.run(move |places| {
            if !places.file.exists() {
                return Ok(false);
            }
            let _lock = places.take_lock()?;
            let (mut kept, header) = places.read()?;
            let was_there = kept.remove(&name).is_some();
            if was_there {
                places.write(&kept, header)?;
            }
            Ok(was_there)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Places) -> Result<T, SecretStoreError> + Send + 'static,
    ) -> Result<T, SecretStoreError> {
        let places = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&places))
            .await
            .unwrap_or_else(|_| Err(SecretStoreError::Unavailable("reading the secrets broke off".into())))
    }
}

impl Places {
    fn read(&self) -> Result<(Kept, Option<Header>), SecretStoreError> {
        let Some(bytes) = read_bounded(&self.file)? else { return Ok((Kept::new(), None)) };
        let header = Header::read(&bytes)?;
        let key = match header.source {
            KeySource::KeyFile => self.read_key()?.ok_or_else(|| {
                SecretStoreError::Damaged(format!(
                    "secrets.enc cannot be opened: its key {} is gone; bring it back, or remove secrets.enc and set the secrets again",
                    self.key_file.display()
                ))
            })?,
            KeySource::Passphrase => self.derived(&header)?,
        };
        Ok((open(&bytes, &key)?, Some(header)))
    }

    fn write(&self, kept: &Kept, header: Option<Header>) -> Result<(), SecretStoreError> {
        let wanted = match self.passphrase {
            Some(_) => KeySource::Passphrase,
            None => KeySource::KeyFile,
        };
        // The key's source may have changed since: then the whole is sealed anew.
        let header = match header.filter(|header| header.source == wanted) {
            Some(header) => header,
            None => Header::fresh(wanted)?,
        };
        let key = match wanted {
            KeySource::Passphrase => self.derived(&header)?,
            KeySource::KeyFile => match self.read_key()? {
                Some(key) => key,
                None => {
                    let key = random()?;
                    replace(&self.key_file, &key)?;
                    key
                }
            },
        };
        replace(&self.file, &seal(&header, &key, kept)?)
    }

    fn read_key(&self) -> Result<Option<Key>, SecretStoreError> {
        let Some(bytes) = read_bounded(&self.key_file)? else { return Ok(None) };
        let key = bytes.try_into().map_err(|_| {
            SecretStoreError::Damaged(format!("{} is not a key of 32 bytes", self.key_file.display()))
        })?;
        Ok(Some(key))
    }

    fn derived(&self, header: &Header) -> Result<Key, SecretStoreError> {
        let passphrase = self.passphrase.as_ref().ok_or_else(|| {
            SecretStoreError::Unavailable(
                "secrets.enc is encrypted with a passphrase; set ATT_SECRETS_PASSPHRASE".into(),
            )
        })?;
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = derived.as_ref().filter(|(of, _)| of == header) {
            return Ok(*key);
        }
        let key = derive(passphrase, header)?;
        *derived = Some((*header, key));
        Ok(key)
    }

    fn take_lock(&self) -> Result<File, SecretStoreError> {
        if let Some(folder) = self.lock.parent() {
            std::fs::create_dir_all(folder).map_err(|error| unavailable(folder, &error))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.lock)
            .map_err(|error| unavailable(&self.lock, &error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SecretStoreError::Unavailable(
                        "another process has been writing secrets for 5 s; try again".into(),
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(unavailable(&self.lock, &error)),
            }
        }
    }
}

fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, SecretStoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unavailable(path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unavailable(path, &error))?;
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(SecretStoreError::Damaged(format!("{} is larger than 16 MiB", path.display())));
    }
    Ok(Some(bytes))
}

/// Puts `bytes` in the place of `path` in one step, readable by the owner only.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecretStoreError> {
    let fresh = path.with_extension("new");
    let written = || -> std::io::Result<()> {
        // Whatever a killed process left there would keep its old permissions.
        if let Err(error) = std::fs::remove_file(&fresh)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().map_err(|error| unavailable(path, &error))
}

fn unavailable(path: &Path, error: &std::io::Error) -> SecretStoreError {
    SecretStoreError::Unavailable(format!("{} cannot be used: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(dir: &Path, passphrase: Option<&str>) -> SecretFile {
        SecretFile::new(dir, &dir.join("run"), passphrase.map(SecretValue::new))
    }

    #[tokio::test]
    async fn both_files_are_readable_by_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path(), None).put("a", &SecretValue::new("one")).await.unwrap();
        for name in [FILE, KEY_FILE] {
            let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[tokio::test]
    async fn a_passphrase_needs_no_key_file_and_another_one_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path(), Some("one two")).put("a", &SecretValue::new("value")).await.unwrap();
        assert!(!dir.path().join(KEY_FILE).exists());
        let again = file(dir.path(), Some("one two"));
        assert_eq!(again.get("a").await.unwrap().unwrap().expose(), "value");
        let wrong = file(dir.path(), Some("three")).get("a").await;
        assert!(matches!(wrong, Err(SecretStoreError::Damaged(_))), "{wrong:?}");
        let without = file(dir.path(), None).get("a").await.unwrap_err();
        assert!(without.to_string().contains("ATT_SECRETS_PASSPHRASE"), "{without}");
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_of_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = file(dir.path(), None);
        secrets.put("a", &SecretValue::new("one")).await.unwrap();
        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        for outcome in [
            secrets.get("a").await.map(|_| ()),
            secrets.put("b", &SecretValue::new("two")).await,
            secrets.delete("a").await.map(|_| ()),
        ] {
            assert!(matches!(outcome, Err(SecretStoreError::Damaged(_))), "{outcome:?}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_lost_key_is_told_of_and_no_new_one_hides_the_loss() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = file(dir.path(), None);
        secrets.put("a", &SecretValue::new("one")).await.unwrap();
        std::fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        let error = secrets.put("b", &SecretValue::new("two")).await.unwrap_err();
        assert!(error.to_string().contains("secrets.key"), "{error}");
        assert!(!dir.path().join(KEY_FILE).exists());
    }

    #[tokio::test]
    async fn writers_side_by_side_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let writes = (0..20).map(|n| {
            // Each with handles of its own, as two processes would have.
            let secrets = file(dir.path(), None);
            async move { secrets.put(&format!("s{n}"), &SecretValue::new(n.to_string())).await }
        });
        let writes: Vec<_> = writes.map(tokio::spawn).collect();
        for write in writes {
            write.await.unwrap().unwrap();
        }
        assert_eq!(file(dir.path(), None).names().await.unwrap().len(), 20);
    }
}
