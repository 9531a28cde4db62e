//! The desk where questions wait: who asked what, until when, and who answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use att_core::id::{InterruptionId, Randomness};
use att_core::{Actor, Clock};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::{Answerer, Posed, Question, QuestionAnswer};
use crate::calls::Calls;
use crate::conversation::Caller;
use crate::model::QuestionClosure;
use crate::recorder::Recorder;

/// Longest time that a question waits, unless its call ends sooner.
const LONGEST: Duration = Duration::from_secs(300);
/// A question lapses so long before its call, so that the server still hears of it.
const BEFORE_THE_END: Duration = Duration::from_millis(200);
/// Open questions of one server, at most.
const PER_SERVER: usize = 8;
/// Open questions in all, at most.
const IN_ALL: usize = 64;

/// Why an answer was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// No such question is open.
    Unknown,
    /// It does not fit.
    Unfit(Vec<String>),
}

/// Who asks, and about what.
#[derive(Clone)]
pub(crate) struct Asker {
    pub server: String,
    pub generation: u64,
    pub caller: Option<Caller>,
}

struct Open {
    question: Question,
    reply: Option<oneshot::Sender<QuestionAnswer>>,
}

/// All open questions of a fleet.
pub(crate) struct Desk {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    answerer: Option<Arc<dyn Answerer>>,
    recorder: Recorder,
    calls: Arc<Calls>,
    open: Mutex<Vec<Open>>,
    version: watch::Sender<u64>,
}

impl Desk {
    pub fn new(
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        answerer: Option<Arc<dyn Answerer>>,
        recorder: Recorder,
        calls: Arc<Calls>,
    ) -> Self {
        let (open, version) = (Mutex::default(), watch::Sender::new(0));
        Self { clock, randomness, answerer, recorder, calls, open, version }
    }

    /// Every open question, oldest first.
    pub fn list(&self) -> Vec<Question> {
        self.open().iter().map(|open| open.question.clone()).collect()
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Asks, and waits for the answer until `until` at the latest. `Err` says why nobody is asked.
    pub async fn ask(&self, asker: Asker, posed: Posed, until: Instant) -> Result<QuestionAnswer, String> {
        let left = until.saturating_duration_since(Instant::now()).saturating_sub(BEFORE_THE_END);
        let patience = left.min(LONGEST);
        let now_ms = self.clock.now_ms();
        let question = Question {
            id: InterruptionId::mint(now_ms, &*self.randomness),
            server: asker.server,
            generation: asker.generation,
            request_id: asker.caller.as_ref().map(|caller| caller.request_id.clone()),
            correlation_id: asker.caller.as_ref().map(|caller| caller.correlation.clone()),
            kind: posed.kind,
            message: posed.message,
            schema: posed.schema,
            url: posed.url,
            messages: posed.messages,
            asked_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(crate::link::millis(patience)),
        };
        let (reply, given) = oneshot::channel();
        let waiting = self.put(&question, reply)?;
        if let Some(answerer) = &self.answerer
            && let Ok(Some(answer)) = timeout(patience, answerer.answer(&question)).await
        {
            return Ok(match question.fitted(answer) {
                Ok(answer) => {
                    waiting.closed(&answer, None);
                    answer
                }
                Err(wrong) => {
                    tracing::warn!(server = question.server, problems = wrong.len(), "an answer did not fit");
                    waiting.closed(&QuestionAnswer::Decline, None);
                    QuestionAnswer::Decline
                }
            });
        }
        match timeout(patience, given).await {
            Ok(Ok(answer)) => Ok(answer),
            // The guard tells why: nobody answered in time, or the fleet is ending.
            Ok(Err(_)) => Ok(QuestionAnswer::Cancel),
            Err(_) => {
                self.close(&question.id, "nobody answered in time", &QuestionAnswer::Cancel, None);
                Ok(QuestionAnswer::Cancel)
            }
        }
    }

    /// The operator's answer.
    pub fn answer(&self, id: &InterruptionId, answer: QuestionAnswer, by: Actor) -> Result<(), Untaken> {
        let question =
            self.open().iter().find(|open| open.question.id == *id).map(|open| open.question.clone());
        let answer = question.ok_or(Untaken::Unknown)?.fitted(answer).map_err(Untaken::Unfit)?;
        let reply = self.close(id, "answered", &answer, Some(by)).ok_or(Untaken::Unknown)?;
        reply.send(answer).map_err(|_| Untaken::Unknown)
    }

    fn put(
        &self,
        question: &Question,
        reply: oneshot::Sender<QuestionAnswer>,
    ) -> Result<Waiting<'_>, String> {
        {
            let mut open = self.open();
            let of_server = open.iter().filter(|other| other.question.server == question.server).count();
            if of_server >= PER_SERVER || open.len() >= IN_ALL {
                return Err("too many questions are open already".to_owned());
            }
            open.push(Open { question: question.clone(), reply: Some(reply) });
        }
        self.recorder.asked(question.clone());
        self.changed(question);
        Ok(Waiting { desk: self, id: question.id.clone() })
    }

    /// Takes a question off the desk; its reply channel where it was still open.
    fn close(
        &self,
        id: &InterruptionId,
        how: &str,
        answer: &QuestionAnswer,
        by: Option<Actor>,
    ) -> Option<oneshot::Sender<QuestionAnswer>> {
        let mut taken = {
            let mut open = self.open();
            let at = open.iter().position(|open| open.question.id == *id)?;
            open.remove(at)
        };
        self.recorder.settled(QuestionClosure {
            id: id.clone(),
            at_ms: self.clock.now_ms(),
            action: answer.as_str().to_owned(),
            how: how.to_owned(),
            fields: fields(answer),
            by,
        });
        self.changed(&taken.question);
        taken.reply.take()
    }

    fn changed(&self, question: &Question) {
        if let Some(request) = &question.request_id {
            let of_call =
                self.open().iter().filter(|open| open.question.request_id.as_ref() == Some(request)).count();
            self.calls.questions(request, u32::try_from(of_call).unwrap_or(u32::MAX));
        }
        self.version.send_modify(|version| *version += 1);
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of what was given, never the values: they may be secret.
fn fields(answer: &QuestionAnswer) -> Vec<String> {
    match answer {
        QuestionAnswer::Accept { content } => {
            content.as_object().map(|given| given.keys().cloned().collect()).unwrap_or_default()
        }
        QuestionAnswer::Decline | QuestionAnswer::Cancel => Vec::new(),
    }
}

/// A question on the desk. Dropped, whoever asked is gone: it is taken back.
struct Waiting<'a> {
    desk: &'a Desk,
    id: InterruptionId,
}

impl Waiting<'_> {
    fn closed(&self, answer: &QuestionAnswer, by: Option<Actor>) {
        self.desk.close(&self.id, "answered by a program", answer, by);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.desk.close(&self.id, "what it was about is over", &QuestionAnswer::Cancel, None);
    }
}
