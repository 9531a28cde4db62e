//! Probes and readings of a standing link, each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::LatencyPoint;
use super::actor::{Actor, News};
use crate::config::Probe;
use crate::dial::{duration, to_fault};
use crate::facets::Input;
use crate::link::RequestError;
use crate::lists;
use crate::model::{Era, ErrorCategory, ReasonCode};
use crate::wire::WireFault;

/// How often a modern server that offers no subscription is read again.
const UNTOLD_RELIST: Duration = Duration::from_secs(30);

impl Actor {
    pub(super) fn probe(&mut self) {
        let timeout = duration(self.server.config.settings.probe_timeout_ms);
        let (tell, limit) = (self.tell.clone(), Arc::clone(&self.shared.probes));
        let Some(standing) = &mut self.standing else { return };
        standing.probing = true;
        let link = Arc::clone(&standing.link);
        standing.work.spawn(async move {
            let Ok(_permit) = limit.acquire_owned().await else { return };
            let outcome = match link.probe(timeout).await {
                // An error is an answer: the server lives.
                Ok(answer) => Ok(answer.total_ms),
                Err(RequestError::Refused { first_byte_ms, .. }) => Ok(first_byte_ms.unwrap_or(0)),
                Err(RequestError::NotSent(fault) | RequestError::NoReply(fault)) => Err(fault),
            };
            let _ = tell.send(News::Probed { generation: link.generation, outcome }).await;
        });
    }

    pub(super) fn probed(&mut self, generation: u64, outcome: Result<i64, WireFault>) {
        let now_ms = self.now_ms();
        let Some(standing) = self.standing_of(generation) else { return };
        standing.probing = false;
        while standing.work.try_join_next().is_some() {}
        let untold = standing.link.greeting.era == Era::Modern
            && !standing.listening
            && standing.listed_at.elapsed() >= UNTOLD_RELIST;
        if untold && outcome.is_ok() {
            standing.relist_at = Instant::now();
        }
        let latency_ms = outcome.as_ref().ok().copied();
        self.server.keep_latency(LatencyPoint { at_ms: now_ms, latency_ms });
        self.apply(match outcome {
            Ok(latency_ms) => Input::ProbeAnswered { generation, latency_ms },
            Err(mut fault) => {
                if fault.category == ErrorCategory::NetworkTimeout {
                    fault.category = ErrorCategory::HealthCheck;
                    fault.message = format!("the probe got {}", fault.message);
                }
                Input::ProbeFailed { generation, fault: to_fault(&fault, now_ms) }
            }
        });
        self.plan_probe();
    }

    /// The next probe: after the interval with 20 % jitter, or when a throttling server allows it.
    pub(super) fn plan_probe(&mut self) {
        let settings = &self.server.config.settings;
        let now_ms = self.now_ms();
        let throttled_until = match self.state.facets.connection.reason.code {
            ReasonCode::Throttled => self.state.facets.connection.next_action_at_ms,
            _ => None,
        };
        if settings.probe == Probe::None && throttled_until.is_none() {
            return;
        }
        let wait = match throttled_until {
            Some(at) => duration(at - now_ms),
            None => self.jittered(settings.probe_interval_ms),
        };
        let Some(standing) = &mut self.standing else { return };
        standing.probe_at = Some(Instant::now() + wait);
        let generation = standing.link.generation;
        let at_ms = now_ms + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        self.apply(Input::ProbePlanned { generation, at_ms });
    }

    pub(super) fn relist(&mut self) {
        let timeout = duration(self.server.config.settings.list_timeout_ms);
        let tell = self.tell.clone();
        let interval = self.jittered(self.server.config.settings.snapshot_interval_ms);
        let Some(standing) = &mut self.standing else { return };
        // A change told while a reading is under way asks for one more.
        standing.relist_at = Instant::now() + interval;
        if standing.listing {
            return;
        }
        standing.listing = true;
        standing.changed_at = None;
        standing.listed_at = Instant::now();
        let link = Arc::clone(&standing.link);
        standing.work.spawn(async move {
            let capabilities = link.greeting.capabilities.clone();
            let lists = Box::pin(lists::read_all(&link, &capabilities, timeout)).await;
            let _ = tell.send(News::Lists { generation: link.generation, lists }).await;
        });
    }
}
