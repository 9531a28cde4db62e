//! What a server says beside its answers, and to which request under way it belongs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use att_core::Clock;
use att_core::id::{CorrelationId, RequestId};
use rmcp::model::{ErrorCode, ErrorData, ProgressNotificationParam, ProgressToken};
use rmcp::service::InboundStreamOrigin;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::calls::Calls;
use crate::question::desk::{Asker, Desk};
use crate::question::{Posed, on_the_wire};

/// Requests of a server that a person answers.
pub(crate) const QUESTIONS: [&str; 2] = ["elicitation/create", "sampling/createMessage"];

/// On whose behalf a request is made.
#[derive(Clone)]
pub(crate) struct Caller {
    pub request_id: RequestId,
    pub correlation: CorrelationId,
    pub calls: Arc<Calls>,
}

/// Longest wait for an answer to a question that belongs to no call.
const UNASKED: Duration = Duration::from_secs(300);
/// How a refused sampling is told (specification, "Error handling" of sampling).
const REFUSED: ErrorCode = ErrorCode(-1);

/// Who may be asked, and what is known without asking.
#[derive(Clone)]
pub(crate) struct Asking {
    pub desk: Arc<Desk>,
    pub server: String,
    pub generation: u64,
    /// The operator's folders.
    pub roots: Vec<String>,
}

/// One connection's side talk.
pub(crate) struct Conversation {
    clock: Arc<dyn Clock>,
    asking: Option<Asking>,
    /// The connection is gone.
    over: CancellationToken,
    heard: Mutex<HashMap<String, Arc<Heard>>>,
}

/// One request under way, as far as its signs of life go.
pub(crate) struct Heard {
    pub caller: Option<Caller>,
    /// Its id on the wire.
    id: String,
    /// Its hard end.
    pub until: Instant,
    /// Woken when a question about it is put or settled.
    pub asked: Notify,
    questions: AtomicU32,
    over: CancellationToken,
    /// Woken by a progress that counts.
    pub sign: Notify,
    best: Mutex<Option<f64>>,
}

impl Conversation {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, asking: None, over: CancellationToken::new(), heard: Mutex::default() }
    }

    /// The same, with somebody to ask.
    pub fn asking(mut self, asking: Asking) -> Self {
        self.asking = Some(asking);
        self
    }

    /// The connection is gone: nobody waits for an answer any more.
    pub fn end(&self) {
        self.over.cancel();
    }

    /// Listens for what is said about the request with this token, until the guard is dropped.
    pub fn listen(
        self: &Arc<Self>,
        token: &ProgressToken,
        id: &str,
        caller: Option<Caller>,
        until: Instant,
    ) -> Listening {
        let token = token.0.to_string();
        let heard = Arc::new(Heard {
            caller,
            id: id.to_owned(),
            until,
            asked: Notify::new(),
            questions: AtomicU32::new(0),
            over: self.over.child_token(),
            sign: Notify::new(),
            best: Mutex::default(),
        });
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

    /// A request of the server's own, on the stream of one of ours where `origin` says so.
    pub async fn asked(
        &self,
        method: &str,
        params: Option<&Value>,
        origin: Option<&InboundStreamOrigin>,
        withdrawn: CancellationToken,
    ) -> Result<Value, ErrorData> {
        let unknown = || ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None);
        let asking = self.asking.as_ref().ok_or_else(unknown)?;
        if method == "roots/list" {
            return Ok(asking.roots());
        }
        if !QUESTIONS.contains(&method) {
            return Err(unknown());
        }
        let refused = |code, why: String| ErrorData::new(code, why, None);
        let posed = Posed::read(method, params).map_err(|why| refused(ErrorCode::INVALID_PARAMS, why))?;
        let kind = posed.kind;
        let about = self.about(origin);
        let asker = Asker {
            server: asking.server.clone(),
            generation: asking.generation,
            caller: about.as_ref().and_then(|heard| heard.caller.clone()),
        };
        let over = about.as_ref().map_or_else(|| self.over.clone(), |heard| heard.over.clone());
        let until = about.as_ref().map_or_else(|| Instant::now() + UNASKED, |heard| heard.until);
        let _pause = about.map(Pause::new);
        let answer = tokio::select! {
            answer = asking.desk.ask(asker, posed, until) => answer,
            () = over.cancelled() => Err("what it was about is over".to_owned()),
            () = withdrawn.cancelled() => Err("the question was withdrawn".to_owned()),
        };
        let answer = answer.map_err(|why| refused(ErrorCode::INTERNAL_ERROR, why))?;
        on_the_wire(kind, &answer)
            .ok_or_else(|| refused(REFUSED, "the operator refused the sampling request".to_owned()))
    }

    /// The request of ours that a question belongs to. Where the stream does not tell, the only call under way.
    fn about(&self, origin: Option<&InboundStreamOrigin>) -> Option<Arc<Heard>> {
        let heard = self.heard();
        if let Some(InboundStreamOrigin::OutboundRequest(id)) = origin {
            let id = id.to_string();
            return heard.values().find(|heard| heard.id == id).cloned();
        }
        let mut calls = heard.values().filter(|heard| heard.caller.is_some());
        let only = calls.next()?;
        calls.next().is_none().then(|| Arc::clone(only))
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<String, Arc<Heard>>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking {
    /// The operator's folders as MCP wants them; one that is no absolute path is left out.
    pub fn roots(&self) -> Value {
        Self::roots_of(&self.roots)
    }

    /// The same of any list of folders.
    pub fn roots_of(folders: &[String]) -> Value {
        let uris = folders.iter().filter_map(|folder| reqwest::Url::from_directory_path(folder).ok());
        json!({"roots": uris.map(|uri| json!({"uri": uri.as_str().trim_end_matches('/')})).collect::<Vec<_>>()})
    }
}

impl Heard {
    /// True while a question about it is open: silence is the operator's then, not the server's.
    pub fn waits_for_operator(&self) -> bool {
        self.questions.load(Ordering::SeqCst) > 0
    }

    fn grows(&self, progress: f64) -> bool {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        let grows = progress.is_finite() && best.is_none_or(|best| progress > best);
        if grows {
            *best = Some(progress);
        }
        grows
    }
}

/// A request waits for the operator as long as this lives.
struct Pause(Arc<Heard>);

impl Pause {
    fn new(heard: Arc<Heard>) -> Self {
        heard.questions.fetch_add(1, Ordering::SeqCst);
        heard.asked.notify_one();
        Self(heard)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.questions.fetch_sub(1, Ordering::SeqCst);
        self.0.asked.notify_one();
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
        self.heard.over.cancel();
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
        let listening = conversation.listen(&token, "1", Some(caller), Instant::now());
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
