//! Authorization with a server over HTTP: OAuth 2.1 as the MCP specification has it, on rmcp's implementation.
//!
//! Each server with a URL has one [`Authorization`]. The wire asks it for a header before every request and tells it
//! of every 401 and 403; it loads, renews or fetches a token where that needs no person, and otherwise says what a
//! person has to do. [`browser`] is that person's way: a page in their browser and one answer on a loopback port.
//!
//! What a server or its metadata names is hostile: addresses are https or loopback; a host that resolves to a private
//! or loopback address is refused unless the server's own address is of that kind (rmcp's resolver sees to it);
//! bodies are bounded by rmcp to 1 MiB; token requests follow no redirect. A token is kept with the server's address and the issuer
//! that gave it, and is shown to neither another address nor another issuer.

mod browser;
mod config;
mod enterprise;
mod grant;
mod loopback;
mod problem;
mod record;
mod refresh;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use att_core::Clock;
use att_core::secret::SecretStore;
use http::HeaderValue;
use reqwest::Url;
use rmcp::transport::auth::WWWAuthenticateParams;

use crate::config::{Endpoint, ServerConfig};
use crate::model::{AuthNeed, ErrorCategory};
use crate::target::KnownSecrets;
use crate::wire::WireFault;

pub(crate) use browser::BROWSER_PATIENCE;
pub use config::{AuthConfig, Grant, IdentityProvider};
pub(crate) use problem::AuthProblem;
use record::Kept;

/// Scopes taken from one challenge, at most.
const MAX_SCOPES: usize = 64;

/// What becomes of a request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it once more: the header is another one now.
    Again,
    /// A person has to act.
    Refused(AuthNeed, String),
}

/// The authorization of one server.
pub(crate) struct Authorization {
    config: AuthConfig,
    secrets: Arc<dyn SecretStore>,
    known: KnownSecrets,
    clock: Arc<dyn Clock>,
    /// Where refreshes of several processes wait for each other.
    lock_dir: Option<PathBuf>,
    /// The configuration gives the header itself.
    fixed: bool,
    now: Mutex<Now>,
    /// One renewal at a time.
    renewing: tokio::sync::Mutex<()>,
}

/// What is known at the moment.
#[derive(Default)]
struct Now {
    url: Option<Url>,
    token: Option<Token>,
    /// The last challenge, for the discovery that a person's click begins.
    challenge: Option<String>,
    /// Scopes that the server asked for beyond those granted.
    wanted: Vec<String>,
    /// Scopes that a person has agreed to ask for in this run.
    tried: Vec<String>,
    standing: Option<WireFault>,
}

/// The token that requests carry.
#[derive(Clone)]
struct Token {
    secret: String,
    header: HeaderValue,
    /// When it is to be renewed, Unix ms.
    renew_at_ms: Option<i64>,
    granted: Vec<String>,
    renewable: bool,
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization")
    }
}

impl Authorization {
    /// The authorization of `config`; none where it has no URL.
    pub fn of(
        config: &ServerConfig,
        secrets: Arc<dyn SecretStore>,
        known: KnownSecrets,
        clock: Arc<dyn Clock>,
        lock_dir: Option<PathBuf>,
    ) -> Option<Arc<Self>> {
        let Endpoint::Http { headers, .. } = &config.endpoint else { return None };
        let fixed = headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
        let auth = config.auth.clone().unwrap_or_default();
        Some(Arc::new(Self {
            config: auth,
            secrets,
            known,
            clock,
            lock_dir,
            fixed,
            now: Mutex::default(),
            renewing: tokio::sync::Mutex::new(()),
        }))
    }

    /// The address that is dialled; a token is for this one only.
    pub fn bind(&self, url: &Url) {
        let mut now = self.now();
        if now.url.as_ref() != Some(url) {
            *now = Now { url: Some(url.clone()), ..Now::default() };
        }
        now.standing = None;
    }

    /// The header of the next request, and the token in it.
    pub async fn header(&self) -> Option<(HeaderValue, String)> {
        let token = self.now().token.clone()?;
        if token.renewable && token.renew_at_ms.is_some_and(|at| at <= self.clock.now_ms()) {
            // One that cannot be renewed yet may still be good for a while: the server decides.
            if let Err(problem) = self.renew(&token.secret).await {
                tracing::info!(%problem, "the token could not be renewed ahead of time");
            }
            let token = self.now().token.clone().unwrap_or(token);
            return Some((token.header, token.secret));
        }
        Some((token.header, token.secret))
    }

    /// A request that carried `used` was refused with `status`.
    pub async fn refused(&self, status: u16, challenge: Option<&str>, used: Option<&str>) -> Verdict {
        if self.fixed {
            let text = format!("the server refused the configured Authorization header (HTTP {status})");
            return Verdict::Refused(AuthNeed::Secret, text);
        }
        let Some(url) = self.url() else {
            return Verdict::Refused(
                AuthNeed::Refused,
                format!("the server wants authorization (HTTP {status})"),
            );
        };
        let params = challenge.map(|text| WWWAuthenticateParams::parse(text, &url)).unwrap_or_default();
        self.now().challenge = challenge.map(str::to_owned);
        if status == 403 {
            return self.forbidden(&params, used).await;
        }
        let _one_at_a_time = self.renewing.lock().await;
        if self.now().token.as_ref().is_some_and(|token| Some(token.secret.as_str()) != used) {
            return Verdict::Again;
        }
        match self.another_token(used, &[]).await {
            Ok(true) => Verdict::Again,
            Ok(false) => Verdict::Refused(AuthNeed::Authorize, wanted_text(used, &params)),
            Err(problem) => Verdict::Refused(problem.need(), problem.to_string()),
        }
    }

    /// 403: more scopes, or nothing that a token can change.
    async fn forbidden(&self, params: &WWWAuthenticateParams, used: Option<&str>) -> Verdict {
        let asked: Vec<String> = params
            .scope
            .iter()
            .flat_map(|scope| scope.split_whitespace())
            .take(MAX_SCOPES)
            .map(str::to_owned)
            .collect();
        if used.is_none() {
            return Verdict::Refused(AuthNeed::Authorize, wanted_text(used, params));
        }
        if !params.is_insufficient_scope() {
            let text = "the server forbids it with the authorization that it gave (HTTP 403)".to_owned();
            return Verdict::Refused(AuthNeed::Refused, text);
        }
        let _one_at_a_time = self.renewing.lock().await;
        let missing = {
            let mut now = self.now();
            let granted = now.token.as_ref().map(|token| token.granted.clone()).unwrap_or_default();
            let missing = asked.iter().any(|scope| !granted.contains(scope) && !now.tried.contains(scope));
            now.wanted = asked.clone();
            missing
        };
        let shown = asked.join(" ");
        if !missing {
            // To ask again would go round for ever.
            let text = format!(
                "the server wants the scope `{shown}`, which its authorization server was asked for already"
            );
            return Verdict::Refused(AuthNeed::Refused, text);
        }
        match self.another_token(used, &asked).await {
            Ok(true) => Verdict::Again,
            Ok(false) => {
                Verdict::Refused(AuthNeed::Authorize, format!("the server wants the further scope `{shown}`"))
            }
            Err(problem) => Verdict::Refused(problem.need(), problem.to_string()),
        }
    }

    /// Gets another token than `used` without a person; false when that needs one. Called under `renewing`.
    async fn another_token(&self, used: Option<&str>, scopes: &[String]) -> Result<bool, AuthProblem> {
        if self.config.grant != Grant::AuthorizationCode {
            let fresh = match self.config.grant {
                Grant::EnterpriseManaged => Box::pin(self.fetch_by_enterprise(scopes)).await?,
                Grant::ClientCredentials | Grant::AuthorizationCode => self.fetch(scopes).await?,
            };
            if Some(fresh.secret.as_str()) == used {
                return Err(AuthProblem::Refused(
                    "the server refuses the token that it was just given".into(),
                ));
            }
            self.adopt(fresh);
            return Ok(true);
        }
        if !scopes.is_empty() {
            return Ok(false);
        }
        let Some(kept) = self.load().await? else { return Ok(false) };
        let Some(token) = kept.token() else { return Ok(false) };
        if Some(token.secret.as_str()) != used {
            // Another process renewed it, or this one has just begun.
            self.adopt(token);
            return Ok(true);
        }
        if !token.renewable {
            return Ok(false);
        }
        self.refresh(used.unwrap_or_default()).await
    }

    /// A refusal as a fault of the connection.
    pub fn fault(
        &self,
        status: u16,
        challenge: Option<String>,
        refused: Option<(AuthNeed, String)>,
    ) -> WireFault {
        let (need, text) = refused.unwrap_or_else(|| {
            (AuthNeed::Refused, format!("the server refuses every token that ATT has (HTTP {status})"))
        });
        let mut fault = WireFault::new(ErrorCategory::AuthRequired, text);
        fault.status = Some(status);
        fault.challenge = challenge;
        fault.need = Some(need);
        self.now().standing = Some(fault.clone());
        fault
    }

    /// A request came through.
    pub fn accepted(&self, with_token: bool) {
        if with_token {
            self.now().standing = None;
        }
    }

    /// The refusal that no token has ended since the server was dialled.
    pub fn standing_refusal(&self) -> Option<WireFault> {
        self.now().standing.clone()
    }

    /// Forgets token and registration, here and in the place of secrets.
    pub async fn forget(&self) -> Result<bool, AuthProblem> {
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        {
            let mut now = self.now();
            *now = Now { url: now.url.take(), ..Now::default() };
        }
        Ok(self.secrets.delete(&record::name(&url)).await?)
    }

    fn url(&self) -> Option<Url> {
        self.now().url.clone()
    }

    fn adopt(&self, token: Token) {
        self.known.learn("[token]", token.secret.clone());
        self.now().token = Some(token);
    }

    async fn load(&self) -> Result<Option<Kept>, AuthProblem> {
        let url = self.url().ok_or(AuthProblem::NoAddress)?;
        record::load(&*self.secrets, &url).await
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted_text(used: Option<&str>, params: &WWWAuthenticateParams) -> String {
    match (used, params.scope.as_deref()) {
        (Some(_), _) => "the authorization has ended; authorize ATT again".to_owned(),
        (None, Some(scope)) => {
            let scope: String = scope.chars().filter(|c| !c.is_control()).take(200).collect();
            format!("the server wants authorization for `{scope}`")
        }
        (None, None) => "the server wants authorization".to_owned(),
    }
}
