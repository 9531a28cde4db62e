//! The way through a person's browser: a page to open, one answer, a token.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rmcp::transport::auth::{AuthorizationCallback, AuthorizationManager, OAuthClientConfig};
use tokio_util::sync::CancellationToken;

use super::grant::{Discovered, bounded};
use super::loopback::Loopback;
use super::record::{Client, Kept};
use super::{AuthProblem, Authorization, Grant};
use crate::target::resolved;

/// How long a person may take.
pub(crate) const BROWSER_PATIENCE: Duration = Duration::from_secs(300);
/// What an authorization server is told of us.
const CLIENT_NAME: &str = "ATT";

/// An authorization that waits for a person.
pub(crate) struct Browser {
    /// The page to open.
    pub url: String,
    authorization: Arc<Authorization>,
    manager: AuthorizationManager,
    loopback: Loopback,
    state: String,
    scopes: Vec<String>,
}

impl Authorization {
    /// Discovers, registers if need be, and opens the port for the answer.
    pub async fn begin(self: Arc<Self>) -> Result<Browser, AuthProblem> {
        if self.fixed {
            return Err(AuthProblem::NotForBrowser("its configuration holds an Authorization header"));
        }
        if self.config.grant != Grant::AuthorizationCode {
            return Err(AuthProblem::NotForBrowser("att.auth.grant says that no person is needed"));
        }
        let kept = self.load().await?;
        let earlier = kept.as_ref().map(|kept| kept.client.redirect_uri.clone());
        let loopback = Loopback::open(earlier.as_deref()).await?;
        let mut discovered = self.discover().await?;
        // What one issuer gave says nothing to another one.
        let kept = kept.filter(|kept| kept.issuer == discovered.metadata.issuer);
        let scopes = self.scopes(&discovered, kept.as_ref()).await;
        let asked: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let client = self.client(&mut discovered, kept, &loopback.redirect_uri, &asked).await?;
        let mut config = OAuthClientConfig::new(&client.client_id, &client.redirect_uri);
        config.client_secret = client.client_secret.clone();
        *discovered.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        let mut manager = discovered.manager;
        manager.configure_client(config)?;
        let url = manager.get_authorization_url(&asked).await?;
        let parsed = reqwest::Url::parse(&url).map_err(|error| AuthProblem::Flow(error.to_string()))?;
        let state = parsed.query_pairs().find(|(key, _)| key == "state").map(|(_, value)| value.into_owned());
        let state = state.ok_or_else(|| AuthProblem::Flow("the page's address has no state".into()))?;
        Ok(Browser { url, authorization: self, manager, loopback, state, scopes })
    }

    /// Configured scopes; else what the server asks for, and, where it asked for more, what was granted before too.
    async fn scopes(&self, discovered: &Discovered, kept: Option<&Kept>) -> Vec<String> {
        let wanted = self.now().wanted.clone();
        let mut scopes = self.config.scopes();
        if scopes.is_empty() {
            scopes = discovered.manager.select_initial_scopes(&[]).await;
        }
        if !wanted.is_empty() {
            let granted = kept.map(Kept::granted).unwrap_or_default();
            for scope in granted.into_iter().chain(wanted) {
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }

    /// Who ATT is there: configured, by its metadata document, registered before, or registered now.
    async fn client(
        &self,
        discovered: &mut Discovered,
        kept: Option<Kept>,
        redirect_uri: &str,
        scopes: &[&str],
    ) -> Result<Client, AuthProblem> {
        let redirect_uri = redirect_uri.to_owned();
        if let Some(client_id) = self.config.client_id.clone() {
            let client_secret = match &self.config.client_secret {
                Some(secret) => Some(resolved(secret, &*self.secrets, &self.known).await?),
                None => None,
            };
            return Ok(Client { client_id, client_secret, redirect_uri });
        }
        let by_document = discovered.metadata.additional_fields.get("client_id_metadata_document_supported");
        if let Some(url) = &self.config.client_metadata_url
            && by_document.and_then(serde_json::Value::as_bool) == Some(true)
        {
            return Ok(Client { client_id: url.clone(), client_secret: None, redirect_uri });
        }
        if let Some(kept) = kept.filter(|kept| kept.client.redirect_uri == redirect_uri) {
            return Ok(kept.client);
        }
        let registered =
            bounded(discovered.manager.register_client(CLIENT_NAME, &redirect_uri, scopes)).await??;
        if let Some(secret) = &registered.client_secret {
            self.known.learn("[client secret]", secret.clone());
        }
        Ok(Client { client_id: registered.client_id, client_secret: registered.client_secret, redirect_uri })
    }
}

impl Browser {
    /// Waits for the person's answer and turns it into a token.
    pub async fn finish(self, cancel: &CancellationToken) -> Result<(), AuthProblem> {
        let address = tokio::select! {
            () = cancel.cancelled() => return Err(AuthProblem::Cancelled),
            answer = tokio::time::timeout(BROWSER_PATIENCE, self.loopback.answer(&self.state)) => {
                answer.map_err(|_| AuthProblem::TooLate)??
            }
        };
        let callback = AuthorizationCallback::from_redirect_url(&address)?;
        let exchange = self.manager.exchange_code_for_token_with_issuer(
            &callback.code,
            &callback.csrf_token,
            callback.issuer.as_deref(),
        );
        bounded(exchange).await??;
        let token = self.authorization.load().await?.and_then(|kept| kept.token());
        let token = token.ok_or_else(|| {
            AuthProblem::Flow("the authorization server gave no token that HTTP can carry".into())
        })?;
        {
            let mut now = self.authorization.now();
            now.tried.extend(self.scopes);
            now.wanted.clear();
        }
        self.authorization.adopt(token);
        Ok(())
    }
}
