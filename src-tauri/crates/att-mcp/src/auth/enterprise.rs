//! Enterprise-managed authorization (SEP-990): an identity provider of the operator's says who they are, and the
//! server's authorization server takes its word. Both are named in the configuration; discovery only confirms them.

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderValue;
use oauth2::ClientSecret;
use rmcp::transport::auth::AuthorizationMetadata;
use rmcp::transport::auth::default_oauth_http_client;
use rmcp::transport::auth::enterprise::{
    EmaAuthorizationServer, EmaClientAuthentication, EmaError, EmaExchangeRequest, EmaExchangeStage,
};

use super::grant::{Discovered, bounded, check_address};
use super::{AuthProblem, Authorization, Token};
use crate::target::resolved;

impl Authorization {
    /// A token by way of the operator's identity provider.
    pub(super) async fn fetch_by_enterprise(&self, further: &[String]) -> Result<Token, AuthProblem> {
        let missing = || AuthProblem::Refused("att.auth has no idp, issuer or client_id".into());
        let idp = self.config.idp.as_ref().ok_or_else(missing)?;
        let client_id = self.config.client_id.as_deref().ok_or_else(missing)?;
        // Discovery refuses any other issuer than the configured one.
        self.config.issuer.as_ref().ok_or_else(missing)?;
        check_address("identity provider's token endpoint", &idp.token_endpoint)?;
        let Discovered { manager, metadata, .. } = self.discover().await?;
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        let mut scopes = self.config.scopes();
        if scopes.is_empty() {
            scopes = manager.select_initial_scopes(&[]).await;
        }
        scopes.extend(further.iter().cloned());
        let mut seen = HashSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        let id_token = resolved(&idp.id_token, &*self.secrets, &self.known).await?;
        let asker = EmaAuthorizationServer::new(&idp.issuer, &idp.token_endpoint, &idp.client_id)
            .with_client_authentication(self.authentication(idp.client_secret.as_deref(), None).await?);
        let issuer = metadata.issuer.clone().ok_or_else(missing)?;
        let giver = EmaAuthorizationServer::new(issuer, &metadata.token_endpoint, client_id)
            .with_client_authentication(
                self.authentication(self.config.client_secret.as_deref(), Some(&metadata)).await?,
            );
        let http = default_oauth_http_client()?;
        let exchange = EmaExchangeRequest::new_with_id_token(asker, giver, url.as_str(), &id_token)
            .with_scopes(scopes)
            .exchange(&http, &http);
        let given = bounded(exchange).await?.map_err(|error| problem(&error))?;
        let secret = given.access_token.secret().clone();
        let mut header = HeaderValue::from_str(&format!("Bearer {secret}")).map_err(|_| {
            AuthProblem::Flow("the authorization server gave no token that HTTP can carry".into())
        })?;
        header.set_sensitive(true);
        let life = given.expires_in.unwrap_or(Duration::ZERO);
        let renew_at_ms = (!life.is_zero()).then(|| self.clock.now_ms() + crate::link::millis(life));
        Ok(Token {
            secret,
            header,
            renew_at_ms,
            granted: given.scopes.into_iter().collect(),
            renewable: false,
        })
    }

    async fn authentication(
        &self,
        secret: Option<&str>,
        metadata: Option<&AuthorizationMetadata>,
    ) -> Result<EmaClientAuthentication, AuthProblem> {
        let Some(secret) = secret else { return Ok(EmaClientAuthentication::None) };
        let secret = ClientSecret::new(resolved(secret, &*self.secrets, &self.known).await?);
        let methods = metadata
            .and_then(|metadata| metadata.additional_fields.get("token_endpoint_auth_methods_supported"))
            .and_then(serde_json::Value::as_array);
        let takes = |name: &str| methods.is_some_and(|methods| methods.iter().any(|method| method == name));
        Ok(match takes("client_secret_post") && !takes("client_secret_basic") {
            true => EmaClientAuthentication::ClientSecretPost(secret),
            false => EmaClientAuthentication::ClientSecretBasic(secret),
        })
    }
}

fn problem(error: &EmaError) -> AuthProblem {
    match error {
        EmaError::InvalidGrant(EmaExchangeStage::IdentityProvider)
        | EmaError::InsufficientUserAuthentication(_) => AuthProblem::Secret(
            "the identity provider refuses the ID token; sign in again and set it under att.auth.idp.id_token"
                .into(),
        ),
        other => AuthProblem::Refused(format!("{other}; see att.auth.idp and the client at both servers")),
    }
}
