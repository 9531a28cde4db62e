//! Writes states, events and attempts behind the actors' backs, in batches, so that a slow journal delays nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::{AttemptRecord, Event, QuestionClosure, ServerState};
use crate::question::Question;
use crate::store::FleetStore;

/// Records waiting to be written, at most; beyond that the newest are dropped and counted.
const CAPACITY: usize = 8_192;
/// Records written in one batch, at most.
const BATCH: usize = 512;
/// Longest wait for the last batch at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

enum Record {
    State(Box<ServerState>),
    Forget(String),
    Event(Box<Event>),
    Attempts(Vec<AttemptRecord>),
    Asked(Box<Question>),
    Settled(Box<QuestionClosure>),
    Flush(oneshot::Sender<()>),
}

/// A handle to the writing task, which ends with the last handle.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Record>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    pub fn start(store: Arc<dyn FleetStore>) -> Self {
        let (queue, records) = mpsc::channel(CAPACITY);
        tokio::spawn(write(store, records));
        Self { queue, dropped: Arc::default() }
    }

    pub fn state(&self, state: ServerState) {
        self.put(Record::State(Box::new(state)));
    }

    pub fn forget(&self, server: &str) {
        self.put(Record::Forget(server.to_owned()));
    }

    pub fn event(&self, event: Event) {
        self.put(Record::Event(Box::new(event)));
    }

    pub fn attempts(&self, attempts: Vec<AttemptRecord>) {
        self.put(Record::Attempts(attempts));
    }

    pub fn asked(&self, question: Question) {
        self.put(Record::Asked(Box::new(question)));
    }

    pub fn settled(&self, closure: QuestionClosure) {
        self.put(Record::Settled(Box::new(closure)));
    }

    /// Waits until all that was recorded so far is with the store.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let flushed = async {
            if self.queue.send(Record::Flush(done)).await.is_ok() {
                let _ = written.await;
            }
        };
        let _ = tokio::time::timeout(FLUSH_TIMEOUT, flushed).await;
    }

    fn put(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                tracing::warn!(dropped, "the journal is too slow: fleet records were dropped");
            }
        }
    }
}

async fn write(store: Arc<dyn FleetStore>, mut records: mpsc::Receiver<Record>) {
    let mut batch = Vec::new();
    while records.recv_many(&mut batch, BATCH).await > 0 {
        let mut states = BTreeMap::new();
        let mut events = Vec::new();
        let mut attempts = Vec::new();
        let (mut asked, mut settled) = (Vec::new(), Vec::new());
        let mut flushed = Vec::new();
        for record in batch.drain(..) {
            match record {
                Record::State(state) => {
                    states.insert(state.server.clone(), Some(*state));
                }
                Record::Forget(server) => {
                    states.insert(server, None);
                }
                Record::Event(event) => events.push(*event),
                Record::Attempts(mut more) => attempts.append(&mut more),
                Record::Asked(question) => asked.push(*question),
                Record::Settled(closure) => settled.push(*closure),
                Record::Flush(done) => flushed.push(done),
            }
        }
        let mut outcomes = Vec::new();
        if !events.is_empty() {
            outcomes.push(store.append_events(events).await);
        }
        if !attempts.is_empty() {
            outcomes.push(store.append_attempts(attempts).await);
        }
        if !asked.is_empty() || !settled.is_empty() {
            outcomes.push(store.keep_questions(asked, settled).await);
        }
        for (server, state) in states {
            outcomes.push(match state {
                Some(state) => store.save_state(state).await,
                None => store.forget_state(&server).await,
            });
        }
        for error in outcomes.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "a fleet record was not kept");
        }
        for done in flushed {
            let _ = done.send(());
        }
    }
}
