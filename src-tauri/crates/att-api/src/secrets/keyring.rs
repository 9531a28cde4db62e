//! The operating system's keyring, on a thread of its own: its calls block, and one that waits for an operator who
//! does not unlock it must hold up neither a server nor ATT's end.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use att_core::secret::{SecretStoreError, SecretValue};
use keyring::Entry;
use tokio::sync::oneshot;

/// Every entry's service.
const SERVICE: &str = "att";
/// How long a keyring may take to show that it is there.
const PROBE: Duration = Duration::from_secs(2);
/// How long a call may take; the operator may have to type a password.
const PATIENCE: Duration = Duration::from_secs(60);
/// Calls waiting, at most.
const QUEUE: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// A keyring that answered.
#[derive(Debug)]
pub(super) struct Keyring {
    work: SyncSender<Work>,
}

impl Keyring {
    /// The keyring, if one answers in time.
    pub(super) async fn connect() -> Option<Self> {
        let (work, queue) = sync_channel(QUEUE);
        let started = std::thread::Builder::new().name("att-keyring".into()).spawn(move || serve(&queue));
        if let Err(error) = started {
            tracing::warn!(%error, "the keyring's thread did not start");
            return None;
        }
        let keyring = Self { work };
        // A store may be there without a collection to keep anything in: only an answer counts.
        let probe = keyring.ask(PROBE, || match Entry::new(SERVICE, "att:probe")?.get_password() {
            Ok(_) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        });
        match probe.await {
            Ok(()) => Some(keyring),
            Err(error) => {
                tracing::info!(%error, "no keyring answers; secrets are kept in the encrypted file");
                None
            }
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<SecretValue>, SecretStoreError> {
        let name = name.to_owned();
        self.ask(PATIENCE, move || match Entry::new(SERVICE, &name)?.get_password() {
            Ok(value) => Ok(Some(SecretValue::new(value))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn put(&self, name: &str, value: &SecretValue) -> Result<(), SecretStoreError> {
        let (name, value) = (name.to_owned(), value.clone());
        self.ask(PATIENCE, move || Entry::new(SERVICE, &name)?.set_password(value.expose())).await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<bool, SecretStoreError> {
        let name = name.to_owned();
        self.ask(PATIENCE, move || match Entry::new(SERVICE, &name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(keyring::Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn names(&self) -> Result<Vec<String>, SecretStoreError> {
        self.ask(PATIENCE, || {
            let found = keyring_core::Entry::search(&HashMap::from([("service", SERVICE)]))?;
            Ok(found.iter().filter_map(|entry| entry.get_specifiers().map(|(_, user)| user)).collect())
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        call: impl FnOnce() -> Result<T, keyring::Error> + Send + 'static,
    ) -> Result<T, SecretStoreError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move || {
            let _ = reply.send(call());
        });
        let unavailable = |why: &str| Err(SecretStoreError::Unavailable(format!("the keyring {why}")));
        if self.work.try_send(work).is_err() {
            return unavailable("does not answer and many calls wait for it; unlock it, or restart it");
        }
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(error))) => unavailable(&format!("refused: {error}")),
            Ok(Err(_)) => unavailable("went away"),
            Err(_) => unavailable(&format!("did not answer within {} s; unlock it", patience.as_secs())),
        }
    }
}

fn serve(queue: &Receiver<Work>) {
    while let Ok(work) = queue.recv() {
        work();
    }
}
