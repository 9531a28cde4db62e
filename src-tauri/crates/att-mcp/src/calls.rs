//! The calls under way: who asked what of whom, how far it is, and how it is cancelled.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use att_core::id::{CorrelationId, RequestId};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::text::shown;

/// Longest progress message kept, in characters.
const MESSAGE_CHARS: usize = 300;
/// Watchers of progress are woken at most so often.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How far a call is, as its server told it last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallProgress {
    /// How much is done; it only grows.
    pub progress: f64,
    /// How much there is, where the server knows.
    pub total: Option<f64>,
    /// What the server says it does; bounded, without secrets.
    pub message: Option<String>,
    /// When it was told, Unix ms.
    pub at_ms: i64,
}

/// One call under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallUnderWay {
    /// The invocation; what [`crate::Fleet::cancel`] wants.
    pub request_id: RequestId,
    /// Its trace.
    pub correlation_id: CorrelationId,
    /// Who calls: `desktop`, `cli`, `mcp`.
    pub client: String,
    /// The server that is asked now; none before one is chosen.
    pub server: Option<String>,
    /// The MCP method.
    pub method: String,
    /// The tool, URI or prompt.
    pub item: String,
    /// Since when, Unix ms.
    pub since_ms: i64,
    /// When it ends at the latest, Unix ms.
    pub deadline_ms: Option<i64>,
    /// How far it is.
    pub progress: Option<CallProgress>,
    /// Open questions of the server about it.
    pub open_questions: u32,
}

#[derive(Debug)]
struct Listed {
    cancel: CancellationToken,
    view: CallUnderWay,
}

/// The list of calls under way.
#[derive(Debug)]
pub(crate) struct Calls {
    listed: Mutex<HashMap<RequestId, Listed>>,
    version: watch::Sender<u64>,
    told_at: Mutex<Option<Instant>>,
}

impl Calls {
    pub fn new() -> Self {
        Self { listed: Mutex::default(), version: watch::Sender::new(0), told_at: Mutex::default() }
    }

    /// Puts a call on the list; false when one of that id is under way.
    pub fn enter(&self, view: CallUnderWay, cancel: CancellationToken) -> bool {
        let entered = {
            let mut listed = self.listed();
            let free = !listed.contains_key(&view.request_id);
            if free {
                listed.insert(view.request_id.clone(), Listed { cancel, view });
            }
            free
        };
        self.changed();
        entered
    }

    pub fn leave(&self, id: &RequestId) {
        self.listed().remove(id);
        self.changed();
    }

    /// Cancels one call; false when it is not under way.
    pub fn cancel(&self, id: &RequestId) -> bool {
        self.listed().get(id).inspect(|call| call.cancel.cancel()).is_some()
    }

    pub fn cancel_all(&self) {
        for call in self.listed().values() {
            call.cancel.cancel();
        }
    }

    /// Every call, oldest first.
    pub fn list(&self) -> Vec<CallUnderWay> {
        let mut all: Vec<_> = self.listed().values().map(|call| call.view.clone()).collect();
        all.sort_by(|a, b| (a.since_ms, &a.request_id).cmp(&(b.since_ms, &b.request_id)));
        all
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// A server is asked now, until `deadline_ms` at the latest. What another one told of its progress is forgotten.
    pub fn asks(&self, id: &RequestId, server: &str, deadline_ms: i64) {
        self.update(id, |view| {
            view.server = Some(server.to_owned());
            view.deadline_ms = Some(deadline_ms);
            view.progress = None;
        });
        self.changed();
    }

    /// How many questions are open about a call.
    pub fn questions(&self, id: &RequestId, open: u32) {
        self.update(id, |view| view.open_questions = open);
        self.changed();
    }

    /// The server told how far it is.
    pub fn progressed(
        &self,
        id: &RequestId,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
        at_ms: i64,
    ) {
        let message = message.map(|text| shown(text, MESSAGE_CHARS));
        self.update(id, |view| view.progress = Some(CallProgress { progress, total, message, at_ms }));
        let now = Instant::now();
        let mut told_at = self.told_at.lock().unwrap_or_else(PoisonError::into_inner);
        if told_at.is_none_or(|at| now.duration_since(at) >= TELL_EVERY) {
            *told_at = Some(now);
            self.changed();
        }
    }

    fn update(&self, id: &RequestId, change: impl FnOnce(&mut CallUnderWay)) {
        if let Some(call) = self.listed().get_mut(id) {
            change(&mut call.view);
        }
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    fn listed(&self) -> MutexGuard<'_, HashMap<RequestId, Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
