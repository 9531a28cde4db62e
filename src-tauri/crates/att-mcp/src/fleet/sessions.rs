//! Sessions: seen, dropped, made anew. What one server does to its session leaves every other untouched.

use std::time::Duration;

use att_core::id::CorrelationId;
use tokio::sync::oneshot;

use super::{Fleet, FleetError};
use crate::connection::Ask;
use crate::facets::Input;
use crate::model::{ReasonCode, Session};

/// Longer than the longest connect that settings allow.
const PATIENCE: Duration = Duration::from_secs(660);

impl Fleet {
    /// The session of every server, by name.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        let now_ms = self.0.shared.clock.now_ms();
        let session = |server: &std::sync::Arc<crate::connection::Server>| {
            Session::of(&server.state(), server.config.settings.session_window_ms, now_ms)
        };
        self.all().iter().map(session).collect()
    }

    /// Drops a server's session once its calls have ended, or had time to; its next use makes a new one. Answers the
    /// correlation id of what that causes.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`], [`FleetError::Ending`].
    pub async fn invalidate_session(&self, name: &str) -> Result<CorrelationId, FleetError> {
        self.input(name, Input::Invalidate { code: ReasonCode::OperatorRequest }).await
    }

    /// Drops a server's session, makes one now, and waits for it.
    ///
    /// # Errors
    /// [`FleetError::Server`] when that fails or the server is not enabled; [`FleetError::UnknownServer`],
    /// [`FleetError::Ending`].
    pub async fn refresh_session(&self, name: &str) -> Result<CorrelationId, FleetError> {
        let server = self.find(name).ok_or_else(|| FleetError::UnknownServer(name.to_owned()))?;
        let correlation = self.correlation();
        let (reply, made) = oneshot::channel();
        if !server.ask(Ask::Renew { reply, correlation: correlation.clone() }).await {
            return Err(FleetError::Ending);
        }
        match tokio::time::timeout(PATIENCE, made).await {
            Ok(Ok(Ok(_))) => Ok(correlation),
            Ok(Ok(Err(fault))) => Err(FleetError::Server(fault)),
            Ok(Err(_)) | Err(_) => Err(FleetError::Ending),
        }
    }

    pub(super) fn correlation(&self) -> CorrelationId {
        CorrelationId::mint(&*self.0.shared.randomness)
    }
}
