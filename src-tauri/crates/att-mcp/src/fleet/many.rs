//! What is asked of many servers at once: one slow or broken server holds up none of the others, and the answer names
//! each (design 1.5).

use std::collections::BTreeMap;
use std::time::Duration;

use att_core::id::CorrelationId;
use tokio::sync::oneshot;

use super::{Fleet, FleetError};
use crate::connection::Ask;
use crate::facets::Input;
use crate::model::{AdminState, ErrorCategory, Fault};

/// Longest wait for the slowest server; it goes on by itself after that.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of it, by server name.
#[derive(Debug, Clone, PartialEq)]
pub struct ManyAnswer {
    /// The servers that did it, and the faults of those that did not.
    pub servers: BTreeMap<String, Result<(), Fault>>,
    /// What all of it carries.
    pub correlation_id: CorrelationId,
}

impl ManyAnswer {
    /// `ok`, `partial` or `failed` (design 1.5). Nothing to do is `ok`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let failed = self.servers.values().filter(|outcome| outcome.is_err()).count();
        match failed {
            0 => "ok",
            all if all == self.servers.len() => "failed",
            _ => "partial",
        }
    }
}

/// What many are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// A usable connection, now.
    Connect,
    /// A fresh reading of the lists.
    Refresh,
}

impl Fleet {
    /// Connects every enabled server of `names` (of all, when it is empty) that is not connected, without waiting for
    /// its next attempt, and probes the others. Waits until each is done, at most two minutes.
    ///
    /// # Errors
    /// [`FleetError::UnknownServer`] when a name is not configured; nothing is done then.
    pub async fn connect_all(&self, names: &[String]) -> Result<ManyAnswer, FleetError> {
        self.many(names, Wish::Connect).await
    }

    /// Reads the lists of every enabled server of `names` (of all, when it is empty), connecting it first where need be.
    /// Waits until each is done, at most two minutes.
    ///
    /// # Errors
    /// As [`Fleet::connect_all`].
    pub async fn refresh_all(&self, names: &[String]) -> Result<ManyAnswer, FleetError> {
        self.many(names, Wish::Refresh).await
    }

    async fn many(&self, names: &[String], wish: Wish) -> Result<ManyAnswer, FleetError> {
        if let Some(unknown) = names.iter().find(|name| self.find(name).is_none()) {
            return Err(FleetError::UnknownServer(unknown.clone()));
        }
        let correlation = self.correlation();
        let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
        let all = self.all();
        let asked = all.iter().filter(|server| {
            // Named, a server that cannot be asked is a failure; unnamed, it is just not meant.
            wanted(&server.config.name)
                && (!names.is_empty() || server.state().facets.admin.state == AdminState::Enabled)
        });
        let each = asked.map(|server| {
            let correlation = correlation.clone();
            async move {
                let name = server.config.name.clone();
                let done = self.one(&name, wish, correlation);
                let outcome = tokio::time::timeout(PATIENCE, done).await.unwrap_or_else(|_| {
                    let text =
                        format!("it was not done within {} s; ATT goes on with it", PATIENCE.as_secs());
                    Err(self.fault(ErrorCategory::NetworkTimeout, &text))
                });
                (name, outcome)
            }
        });
        let servers = futures::future::join_all(each).await.into_iter().collect();
        Ok(ManyAnswer { servers, correlation_id: correlation })
    }

    async fn one(&self, name: &str, wish: Wish, correlation: CorrelationId) -> Result<(), Fault> {
        let ending = || self.fault(ErrorCategory::Cancelled, "ATT no longer looks after it");
        let server = self.find(name).ok_or_else(ending)?;
        let connected = server.link().is_some();
        if connected && wish == Wish::Connect {
            server.ask(Ask::Input { input: Input::RetryNow, correlation }).await;
            return Ok(());
        }
        if !connected {
            let (reply, link) = oneshot::channel();
            if !server.ask(Ask::Link { reply, correlation: correlation.clone() }).await {
                return Err(ending());
            }
            link.await.map_err(|_| ending())??;
            // Connecting has read the lists.
            return Ok(());
        }
        let (reply, done) = oneshot::channel();
        if !server.ask(Ask::Refresh(reply)).await {
            return Err(ending());
        }
        done.await.map_err(|_| ending())?
    }

    fn fault(&self, category: ErrorCategory, text: &str) -> Fault {
        Fault::new(category, text, self.0.shared.clock.now_ms())
    }
}
