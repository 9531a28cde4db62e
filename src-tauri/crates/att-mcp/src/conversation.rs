//! What a server says beside its answers, and to which request under way it belongs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use att_core::Clock;
use att_core::id::{CorrelationId, RequestId};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::calls::Calls;

/// On whose behalf a request is made.
#[derive(Clone)]
pub(crate) struct Caller {
    pub request_id: RequestId,
    pub correlation: CorrelationId,
    pub calls: Arc<Calls>,
}

/// One connection's side talk.
pub(crate) struct Conversation {
    clock: Arc<dyn Clock>,
    heard: Mutex<HashMap<String, Arc<Heard>>>,
}

/// One request under way, as far as its signs of life go.
pub(crate) struct Heard {
    pub caller: Option<Caller>,
    /// Its hard end.
    pub until: Instant,
    /// Woken by a progress that counts.
    pub sign: Notify,
    best: Mutex<Option<f64>>,
}

impl Conversation {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, heard: Mutex::default() }
    }

    /// Listens for what is said about the request with this token, until the guard is dropped.
    pub fn listen(
        self: &Arc<Self>,
        token: &ProgressToken,
        caller: Option<Caller>,
        until: Instant,
    ) -> Listening {
        let token = token.0.to_string();
        let heard = Arc::new(Heard { caller, until, sign: Notify::new(), best: Mutex::default() });
        self.heard().insert(token.clone(), Arc::clone(&heard));
        Listening { conversation: Arc::clone(self), token, heard }
    }

    /// A progress notification. One for a request that is unknown or over, one that does not grow and one that is no
    /// number says nothing: a server cannot keep a call alive by repeating itself.
    pub fn progressed(&self, params: &ProgressNotificationParam) {
        let Some(heard) = self.heard().get(&params.progress_token.0.to_string()).cloned() else { return };
        if !heard.grows(params.progress) {
            return;
        }
        if let Some(caller) = &heard.caller {
            let total = params.total.filter(|total| total.is_finite());
            let message = params.message.as_deref();
            let at_ms = self.clock.now_ms();
            caller.calls.progressed(&caller.request_id, params.progress, total, message, at_ms);
        }
        heard.sign.notify_one();
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<String, Arc<Heard>>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn grows(&self, progress: f64) -> bool {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        let grows = progress.is_finite() && best.is_none_or(|best| progress > best);
        if grows {
            *best = Some(progress);
        }
        grows
    }
}

/// Listens as long as it lives.
pub(crate) struct Listening {
    conversation: Arc<Conversation>,
    token: String,
    pub heard: Arc<Heard>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.conversation.heard().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CallUnderWay;
    use att_core::SystemClock;
    use att_core::id::SeededRandomness;
    use futures::FutureExt as _;
    use rmcp::model::NumberOrString;
    use tokio_util::sync::CancellationToken;

    fn told(token: i64, progress: f64) -> ProgressNotificationParam {
        ProgressNotificationParam::new(ProgressToken(NumberOrString::Number(token)), progress)
    }

    #[tokio::test]
    async fn only_a_growing_progress_of_a_request_under_way_is_a_sign_of_life() {
        let conversation = Arc::new(Conversation::new(Arc::new(SystemClock)));
        let calls = Arc::new(Calls::new());
        let correlation = CorrelationId::mint(&SeededRandomness::new(1));
        let view = CallUnderWay {
            request_id: "r".into(),
            correlation_id: correlation.clone(),
            client: "test".into(),
            server: None,
            method: "tools/call".into(),
            item: "t".into(),
            since_ms: 1,
            deadline_ms: None,
            progress: None,
            open_questions: 0,
        };
        assert!(calls.enter(view.clone(), CancellationToken::new()));
        assert!(!calls.enter(view, CancellationToken::new()), "one id, one call");
        let caller = Caller { request_id: "r".into(), correlation, calls: Arc::clone(&calls) };
        let token = ProgressToken(NumberOrString::Number(7));
        let listening = conversation.listen(&token, Some(caller), Instant::now());
        let sign = || listening.heard.sign.notified().now_or_never().is_some();
        let steps = [
            (8, 1.0, false),
            (7, 1.0, true),
            (7, 1.0, false),
            (7, 0.5, false),
            (7, f64::NAN, false),
            (7, 2.0, true),
        ];
        for (token, progress, counts) in steps {
            conversation.progressed(&told(token, progress).with_message("step\u{202e}"));
            assert_eq!(sign(), counts, "{token} {progress}");
        }
        let seen = calls.list()[0].progress.clone().unwrap();
        assert_eq!((seen.progress, seen.message.as_deref()), (2.0, Some("step ")));
        drop(listening);
        conversation.progressed(&told(7, 3.0));
        assert_eq!(calls.list()[0].progress.as_ref().unwrap().progress, 2.0, "a late one changes nothing");
    }
}
