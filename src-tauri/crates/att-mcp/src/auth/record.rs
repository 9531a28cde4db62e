//! What is kept of an authorization: one secret per server address, which says which issuer it belongs to.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use att_core::secret::{OWN_SECRET_PREFIX, SecretStore, SecretValue};
use att_core::sha256_hex;
use http::HeaderValue;
use oauth2::TokenResponse as _;
use reqwest::Url;
use rmcp::transport::auth::{AuthError, CredentialStore, StoredCredentials};
use serde::{Deserialize, Serialize};

use super::{AuthProblem, Token};

/// A token is renewed so long before its end, or at half of a short life.
const RENEW_BEFORE_SECS: u64 = 60;

/// The client that ATT is at one issuer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Client {
    pub client_id: String,
    pub client_secret: Option<String>,
    pub redirect_uri: String,
}

/// Everything that is kept for one address.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The server's address; a record under another one's name is not used.
    pub url: String,
    pub issuer: Option<String>,
    pub client: Client,
    pub token: Option<StoredCredentials>,
}

impl Kept {
    /// The token as requests carry it.
    pub fn token(&self) -> Option<Token> {
        self.token.as_ref().and_then(token_of)
    }

    pub fn granted(&self) -> Vec<String> {
        self.token.as_ref().map(|kept| kept.granted_scopes.clone()).unwrap_or_default()
    }
}

/// The token in `kept`, if HTTP can carry it.
pub(super) fn token_of(kept: &StoredCredentials) -> Option<Token> {
    let response = kept.token_response.as_ref()?;
    let secret = response.access_token().secret().clone();
    let mut header = HeaderValue::from_str(&format!("Bearer {secret}")).ok()?;
    header.set_sensitive(true);
    let renew_at_ms = response.expires_in().zip(kept.token_received_at).and_then(|(life, received)| {
        let life = life.as_secs();
        let at = received.saturating_add(life - RENEW_BEFORE_SECS.min(life / 2));
        i64::try_from(at).ok()?.checked_mul(1_000)
    });
    let renewable = response.refresh_token().is_some();
    Some(Token { secret, header, renew_at_ms, granted: kept.granted_scopes.clone(), renewable })
}

/// The name of the secret for `url`.
pub(super) fn name(url: &Url) -> String {
    format!("{OWN_SECRET_PREFIX}{}", &sha256_hex(url.as_str().as_bytes())[..32])
}

/// What is kept for `url`. A record that cannot be read counts as none: a new authorization replaces it.
pub(super) async fn load(secrets: &dyn SecretStore, url: &Url) -> Result<Option<Kept>, AuthProblem> {
    let Some(value) = secrets.get(&name(url)).await? else { return Ok(None) };
    match serde_json::from_str::<Kept>(value.expose()) {
        Ok(kept) if kept.url == url.as_str() => Ok(Some(kept)),
        Ok(_) => Ok(None),
        Err(_) => {
            tracing::warn!("a kept authorization cannot be read and is not used");
            Ok(None)
        }
    }
}

/// Keeps `kept`.
pub(super) async fn save(secrets: &dyn SecretStore, url: &Url, kept: &Kept) -> Result<(), AuthProblem> {
    let text = serde_json::to_string(kept)
        .map_err(|_| AuthProblem::Store("the authorization cannot be written down".into()))?;
    Ok(secrets.put(&name(url), &SecretValue::new(text)).await?)
}

/// rmcp's view of one record.
pub(super) struct RecordStore {
    pub secrets: Arc<dyn SecretStore>,
    pub url: Url,
    pub client: Arc<Mutex<Option<Client>>>,
}

impl RecordStore {
    fn failed(problem: &AuthProblem) -> AuthError {
        AuthError::CredentialStoreError(problem.to_string())
    }
}

#[async_trait]
impl CredentialStore for RecordStore {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        let kept = load(&*self.secrets, &self.url).await.map_err(|problem| Self::failed(&problem))?;
        Ok(kept.and_then(|kept| kept.token))
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let client = client.unwrap_or_else(|| Client {
            client_id: credentials.client_id.clone(),
            client_secret: None,
            redirect_uri: String::new(),
        });
        let kept = Kept {
            url: self.url.to_string(),
            issuer: credentials.issuer.clone(),
            client,
            token: Some(credentials),
        };
        save(&*self.secrets, &self.url, &kept).await.map_err(|problem| Self::failed(&problem))
    }

    async fn clear(&self) -> Result<(), AuthError> {
        let deleted = self.secrets.delete(&name(&self.url)).await;
        deleted.map(|_| ()).map_err(|error| AuthError::CredentialStoreError(error.to_string()))
    }
}
