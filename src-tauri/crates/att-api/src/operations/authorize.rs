//! A server's authorization: the page to open, giving it up, throwing it away. No operation answers a token.

use crate::authorize::authorize_once;
use crate::dto::{AuthorizePageDto, Topic};
use crate::once::fleet_report;
use crate::requests::{Ask, fulfil, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use tokio::sync::oneshot;

impl ControlRoom {
    /// Begins to authorize ATT with a server. The answer is the page that the person opens; what comes of it is told
    /// by the server's state.
    ///
    /// # Errors
    /// When there is no such server, or no page; the report tells the cure.
    pub async fn server_authorize(&self, server: String) -> Result<AuthorizePageDto, Report> {
        self.may_act()?;
        if let Some(fleet) = self.driver().await.as_ref().and_then(|driver| driver.fleet()).cloned() {
            let page = fleet.authorize(&server).await.map_err(fleet_report)?;
            return Ok(AuthorizePageDto { server, url: page.url, until_ms: page.until_ms });
        }
        let (shown, page) = oneshot::channel();
        let room = self.clone();
        self.spawn(async move {
            let mut shown = Some(shown);
            let show = |page| drop(shown.take().map(|shown| shown.send(Ok(page))));
            let outcome = Box::pin(authorize_once(&room.0.home, &server, show)).await;
            let again = outcome.is_ok();
            if let Some(shown) = shown {
                let nothing = Report::new(Code::Conflict, format!("`{server}` wants no authorization now"));
                let _ = shown.send(Err(outcome.err().unwrap_or(nothing)));
            }
            if again {
                tell(&room, Ask::Retry { server }).await;
                room.0.notices.tell(&[Topic::Fleet]);
            }
        });
        page.await.unwrap_or_else(|_| Err(Report::new(Code::Internal, "the authorization broke off")))
    }

    /// Gives up the page that waits for a person; without one, nothing happens.
    ///
    /// # Errors
    /// When there is no such server.
    pub async fn server_authorize_cancel(&self, server: String) -> Result<(), Report> {
        if let Some(fleet) = self.driver().await.as_ref().and_then(|driver| driver.fleet()) {
            fleet.cancel_authorization(&server).map_err(fleet_report)?;
        }
        Ok(())
    }

    /// Throws a server's token and registration away; it is connected anew without.
    ///
    /// # Errors
    /// When there is no such server, nobody watches the fleet, or the place of secrets cannot be used.
    pub async fn server_forget_authorization(&self, server: String) -> Result<(), Report> {
        self.may_act()?;
        fulfil(self, Ask::ForgetAuthorization { server }).await
    }

    /// Tells whoever watches the fleet that a server has been authorized.
    pub async fn server_authorized(&self, server: String) {
        tell(self, Ask::Retry { server }).await;
    }
}
