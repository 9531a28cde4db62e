//! A person authorizes ATT with a server: a page to open, and what comes of it.

use std::sync::{Arc, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{Fleet, FleetError};
use crate::auth::{AuthProblem, BROWSER_PATIENCE};
use crate::connection::{Ask, Server};
use crate::facets::Input;
use crate::link::millis;

/// The page on which a person agrees. It came from the server's metadata: show it, and open it on a click only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationPage {
    /// Its address.
    pub url: String,
    /// Until when the answer is waited for, Unix ms.
    pub until_ms: i64,
}

impl Fleet {
    /// Begins to authorize ATT with a server that waits for it; an earlier page of the same server is given up. What
    /// comes of it is told by the server's state: connected again, or `auth_required` with the reason.
    ///
    /// # Errors
    /// [`FleetError::Authorization`] with cause and cure; [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn authorize(&self, name: &str) -> Result<AuthorizationPage, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let failed = |problem: AuthProblem| FleetError::Authorization(problem.to_string());
        let authorization = server
            .authorization
            .clone()
            .ok_or_else(|| failed(AuthProblem::NotForBrowser("it is a program that ATT starts")))?;
        let cancel = CancellationToken::new();
        replace_page(&server, Some(cancel.clone()));
        let browser = Arc::clone(&authorization).begin().await.map_err(failed)?;
        let until_ms = self.0.shared.clock.now_ms() + millis(BROWSER_PATIENCE);
        let page = AuthorizationPage { url: browser.url.clone(), until_ms };
        let correlation = self.input(name, Input::AuthorizeBegun { until_ms }).await?;
        self.0.shared.actors.spawn(async move {
            let input = match Box::pin(browser.finish(&cancel)).await {
                Ok(()) => Input::Authorized,
                // Another page has taken its place, or nobody is left to be told.
                Err(AuthProblem::Cancelled) if is_replaced(&server, &cancel) => return,
                Err(problem) => Input::AuthorizeFailed { need: problem.need(), text: problem.to_string() },
            };
            server.ask(Ask::Input { input, correlation }).await;
        });
        Ok(page)
    }

    /// Gives up the page that a server's authorization waits for; false when none does.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`].
    pub fn cancel_authorization(&self, name: &str) -> Result<bool, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let page = server.page.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(page.filter(|page| !page.is_cancelled()).inspect(CancellationToken::cancel).is_some())
    }

    /// Forgets a server's token and registration, and connects it anew without; false when there were none.
    ///
    /// # Errors
    /// [`FleetError::Authorization`], [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn forget_authorization(&self, name: &str) -> Result<bool, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let Some(authorization) = &server.authorization else { return Ok(false) };
        let forgotten =
            authorization.forget().await.map_err(|problem| FleetError::Authorization(problem.to_string()))?;
        self.input(name, Input::AuthorizationForgotten).await?;
        Ok(forgotten)
    }
}

/// Cancels the page before.
pub(super) fn replace_page(server: &Server, page: Option<CancellationToken>) {
    let mut kept = server.page.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = std::mem::replace(&mut *kept, page) {
        before.cancel();
    }
}

/// True when `page` is no longer the server's.
fn is_replaced(server: &Server, page: &CancellationToken) -> bool {
    let kept = server.page.lock().unwrap_or_else(PoisonError::into_inner);
    match &*kept {
        // Clones of one token are cancelled together; another one stands.
        Some(standing) => page.is_cancelled() && !standing.is_cancelled(),
        None => true,
    }
}
