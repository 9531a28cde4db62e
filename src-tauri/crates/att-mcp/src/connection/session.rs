//! A session that is dropped or made anew, and calls that may finish first.

use std::sync::Arc;

use att_core::id::CorrelationId;
use tokio::sync::oneshot;

use super::actor::Actor;
use crate::dial::duration;
use crate::facets::Input;
use crate::link::Link;
use crate::model::{AdminState, ConnectionState, ErrorCategory, Fault, ReasonCode};

impl Actor {
    pub(super) async fn take_input(&mut self, input: Input) {
        match input {
            Input::Enable { .. } => self.release().await,
            Input::Disable | Input::Invalidate { .. } => self.drain().await,
            _ => {}
        }
        self.apply(input);
    }

    /// Lets the calls under way finish, for as long as the settings allow. Nothing else is done meanwhile: the server
    /// is about to stop.
    pub(super) async fn drain(&mut self) {
        let Some(link) = self.standing.as_ref().map(|standing| Arc::clone(&standing.link)) else { return };
        // Nobody new finds it.
        self.server.set_link(None);
        if !link.activity.in_use() || self.state.facets.connection.state != ConnectionState::Ready {
            return;
        }
        let patience_ms = self.server.config.settings.drain_timeout_ms;
        self.apply(Input::Drain { until_ms: self.now_ms() + patience_ms });
        link.activity.drained(duration(patience_ms)).await;
    }

    /// Drops the session and makes one now; `reply` gets its link.
    pub(super) async fn renew(
        &mut self,
        correlation: CorrelationId,
        reply: oneshot::Sender<Result<Arc<Link>, Fault>>,
        code: ReasonCode,
    ) {
        self.correlation = correlation;
        if self.state.facets.admin.state != AdminState::Enabled {
            let fault = Fault::new(ErrorCategory::Cancelled, &self.state.summary, self.now_ms());
            let _ = reply.send(Err(fault));
            return;
        }
        match self.standing.as_ref().map(|standing| &standing.link) {
            // Its end was not told yet.
            Some(link) if link.is_closed() => {
                let text = "the connection closed";
                let fault = Fault::new(ErrorCategory::TransportError, text, self.now_ms());
                let generation = link.generation;
                self.apply(Input::Lost { generation, fault });
            }
            _ => {
                self.drain().await;
                self.apply(Input::Invalidate { code });
            }
        }
        self.waiting.push(reply);
        self.apply(Input::RetryNow);
    }
}
