//! Discovery, and tokens that no person has to agree to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use rmcp::transport::auth::{
    AuthorizationManager, AuthorizationMetadata, ClientCredentialsConfig, InMemoryCredentialStore,
    JwtSigningAlgorithm,
};

use tokio_util::sync::CancellationToken;

use super::record::{Client, RecordStore, token_of};
use super::{AuthProblem, Authorization, Token};
use crate::target::resolved;

/// Longest time that discovery with a registration, or one token request, may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// A manager that knows the server's authorization server.
pub(super) struct Discovered {
    pub manager: AuthorizationManager,
    pub metadata: AuthorizationMetadata,
    /// The client that is kept beside a token that is saved.
    pub client: Arc<Mutex<Option<Client>>>,
}

impl Authorization {
    /// Finds the server's authorization server, from its challenge where it gave one.
    pub(super) async fn discover(&self) -> Result<Discovered, AuthProblem> {
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        check_address("server's address", url.as_str())?;
        let challenge = self.now().challenge.clone();
        let mut manager = AuthorizationManager::new(url.clone()).await?;
        let client = Arc::new(Mutex::new(None));
        manager.set_credential_store(RecordStore {
            secrets: Arc::clone(&self.secrets),
            url,
            client: Arc::clone(&client),
        });
        let resolved = bounded(manager.resolve_metadata_from_challenge(challenge.as_deref())).await??;
        let metadata = resolved.metadata;
        check_address("authorization endpoint", &metadata.authorization_endpoint)?;
        check_address("token endpoint", &metadata.token_endpoint)?;
        if let Some(endpoint) = &metadata.registration_endpoint {
            check_address("registration endpoint", endpoint)?;
        }
        if let Some(expected) = &self.config.issuer
            && metadata.issuer.as_ref() != Some(expected)
        {
            return Err(AuthProblem::OtherIssuer {
                found: metadata.issuer.unwrap_or_else(|| "(none)".into()),
                expected: format!("att.auth.issuer says `{expected}`"),
            });
        }
        manager.set_metadata(metadata.clone());
        Ok(Discovered { manager, metadata, client })
    }

    /// A token for ATT itself (`client_credentials`), for the configured scopes and `further`.
    pub(super) async fn fetch(&self, further: &[String]) -> Result<Token, AuthProblem> {
        let Discovered { mut manager, .. } = self.discover().await?;
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        let mut scopes = self.config.scopes();
        if scopes.is_empty() {
            scopes = manager.select_initial_scopes(&[]).await;
        }
        for scope in further {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        let config = self.client_credentials(&url, scopes).await?;
        // Such a token is fetched anew whenever it is needed: it is kept nowhere.
        let kept = InMemoryCredentialStore::new();
        manager.set_credential_store(kept.clone());
        manager.validate_client_credentials_metadata(&config)?;
        manager.configure_client_credentials(&config)?;
        apart(move || async move { manager.exchange_client_credentials(&config).await.map(|_| ()) })
            .await??;
        let stored = rmcp::transport::auth::CredentialStore::load(&kept).await?;
        stored.as_ref().and_then(token_of).ok_or_else(|| {
            AuthProblem::Flow("the authorization server gave no token that HTTP can carry".into())
        })
    }

    async fn client_credentials(
        &self,
        url: &Url,
        scopes: Vec<String>,
    ) -> Result<ClientCredentialsConfig, AuthProblem> {
        let missing = || AuthProblem::Refused("att.auth has no client_id with a secret or a key".into());
        let client_id = self.config.client_id.clone().ok_or_else(missing)?;
        let resource = Some(url.to_string());
        if let Some(key) = &self.config.private_key {
            let key = resolved(key, &*self.secrets, &self.known).await?;
            let name = self.config.algorithm.as_deref().unwrap_or("ES256");
            let signing_algorithm = algorithm(name).ok_or_else(missing)?;
            return Ok(ClientCredentialsConfig::PrivateKeyJwt {
                client_id,
                signing_key: key.into_bytes(),
                signing_algorithm,
                token_endpoint_audience: None,
                scopes,
                resource,
            });
        }
        let secret = self.config.client_secret.as_deref().ok_or_else(missing)?;
        let client_secret = resolved(secret, &*self.secrets, &self.known).await?;
        Ok(ClientCredentialsConfig::ClientSecret { client_id, client_secret, scopes, resource })
    }
}

/// The algorithm of that name.
pub(super) fn algorithm(name: &str) -> Option<JwtSigningAlgorithm> {
    match name {
        "ES256" => Some(JwtSigningAlgorithm::ES256),
        "ES384" => Some(JwtSigningAlgorithm::ES384),
        "RS256" => Some(JwtSigningAlgorithm::RS256),
        "RS384" => Some(JwtSigningAlgorithm::RS384),
        "RS512" => Some(JwtSigningAlgorithm::RS512),
        _ => None,
    }
}

/// Ends what takes too long.
pub(super) async fn bounded<T>(work: impl Future<Output = T>) -> Result<T, AuthProblem> {
    tokio::time::timeout(PATIENCE, Box::pin(work)).await.map_err(|_| {
        AuthProblem::Flow(format!("the authorization server did not answer within {} s", PATIENCE.as_secs()))
    })
}

/// Like [`bounded`], for a future of rmcp's that may not move between threads. It ends with the one who waits for it.
async fn apart<T: Send + 'static, F: Future<Output = T>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, AuthProblem> {
    let left = CancellationToken::new();
    let (gone, _leaving) = (left.clone(), left.drop_guard());
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                () = gone.cancelled() => Err(AuthProblem::Cancelled),
                done = bounded(work()) => done,
            }
        })
    });
    done.await.unwrap_or_else(|_| Err(AuthProblem::Flow("the token request broke off".into())))
}

/// Refuses an address over which a credential would travel in the clear.
pub(super) fn check_address(what: &'static str, address: &str) -> Result<(), AuthProblem> {
    let refused = || {
        let address: String = address.chars().filter(|c| !c.is_control()).take(200).collect();
        Err(AuthProblem::Insecure { what, address })
    };
    match Url::parse(address) {
        Ok(url) if url.scheme() == "https" => Ok(()),
        Ok(url) if url.scheme() == "http" && url.host_str().is_some_and(is_loopback) => Ok(()),
        _ => refused(),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_over_https_or_stay_on_this_machine() {
        for good in
            ["https://as.example/token", "http://127.0.0.1:9/token", "http://[::1]/t", "http://localhost:1/"]
        {
            assert_eq!(check_address("token endpoint", good), Ok(()), "{good}");
        }
        for bad in [
            "http://as.example/token",
            "http://127.0.0.1.evil.example/",
            "file:///etc/passwd",
            "javascript:1",
            "",
        ] {
            assert!(check_address("token endpoint", bad).is_err(), "{bad}");
        }
    }
}
