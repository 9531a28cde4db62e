//! Renewing a token: one at a time over all tasks and all processes, and never with a refresh token that another one
//! has used already.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use rmcp::transport::auth::{AuthError, OAuthClientConfig};
use tokio::time::{Instant, sleep};

use super::grant::{Discovered, PATIENCE, bounded};
use super::{AuthProblem, Authorization, record};

/// How often the lock is tried.
const LOOK: Duration = Duration::from_millis(25);

impl Authorization {
    /// Renews the token ahead of its end.
    pub(super) async fn renew(&self, used: &str) -> Result<bool, AuthProblem> {
        let _one_at_a_time = self.renewing.lock().await;
        if self.now().token.as_ref().is_some_and(|token| token.secret != used) {
            return Ok(true);
        }
        self.refresh(used).await
    }

    /// Renews the token unless somebody else has; false when only a person can. Called under `renewing`.
    pub(super) async fn refresh(&self, used: &str) -> Result<bool, AuthProblem> {
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        let _lock = match &self.lock_dir {
            Some(dir) => Some(take_lock(dir, &record::name(&url)).await?),
            None => None,
        };
        // Read under the lock: who held it before may have renewed.
        let Some(kept) = self.load().await? else { return Ok(false) };
        let Some(token) = kept.token() else { return Ok(false) };
        if token.secret != used {
            self.adopt(token);
            return Ok(true);
        }
        if !token.renewable {
            return Ok(false);
        }
        let Discovered { mut manager, metadata, client } = self.discover().await?;
        if metadata.issuer != kept.issuer {
            // A refresh token is for the issuer that gave it, and for nobody else.
            record::save(&*self.secrets, &url, &record::Kept { token: None, ..kept }).await?;
            return Ok(false);
        }
        *client.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.client.clone());
        let mut config = OAuthClientConfig::new(&kept.client.client_id, &kept.client.redirect_uri);
        config.client_secret = kept.client.client_secret.clone();
        manager.configure_client(config)?;
        match bounded(manager.refresh_token()).await? {
            Ok(_) => {}
            Err(AuthError::TokenRefreshRejected(_) | AuthError::AuthorizationRequired) => {
                record::save(&*self.secrets, &url, &record::Kept { token: None, ..kept }).await?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        let renewed = self.load().await?.and_then(|kept| kept.token());
        let Some(renewed) = renewed.filter(|token| token.secret != used) else { return Ok(false) };
        self.adopt(renewed);
        Ok(true)
    }
}

/// The lock of one authorization over all processes; the system gives it back however its holder ends.
async fn take_lock(dir: &Path, name: &str) -> Result<File, AuthProblem> {
    let failed =
        |error: std::io::Error| AuthProblem::Store(format!("the lock of the token cannot be taken: {error}"));
    let path = dir.join(format!("{}.lock", name.replace(':', "-")));
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(failed)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => sleep(LOOK).await,
            Err(TryLockError::WouldBlock) => return Err(AuthProblem::Locked),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}
