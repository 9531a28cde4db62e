//! Telemetry: states, events and attempts, queued and written in batches, apart from audited writes.
//!
//! The queue is bounded: when the file cannot keep up, the oldest rows are dropped and counted, and the newest
//! state of each server is kept.

use crate::error::JournalError;
use crate::fleet_rows;
use crate::journal::{Fault, Journal, Shared, Writing};
use att_mcp::model::{AttemptRecord, Event, ServerState};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

const FLUSH_EVERY: Duration = Duration::from_millis(250);
const BATCH_ROWS: usize = 1_024;
const QUEUE_ROWS: usize = 10_000;

/// One row that waits to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    Event(Box<Event>),
    Attempt(Box<AttemptRecord>),
}

#[derive(Debug, Default)]
struct Waiting {
    rows: VecDeque<Row>,
    /// The newest state by server; none forgets the server.
    states: BTreeMap<String, Option<Box<ServerState>>>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.states.is_empty()
    }

    /// Drops the oldest rows above `cap` and says how many.
    fn shorten(&mut self, cap: usize) -> u64 {
        let surplus = self.rows.len().saturating_sub(cap);
        self.rows.drain(..surplus);
        surplus as u64
    }
}

/// What one flush writes in one transaction.
#[derive(Debug, Clone, Default)]
struct Batch {
    rows: Vec<Row>,
    states: BTreeMap<String, Option<Box<ServerState>>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Woken by the first row of a batch and when it is full.
    arrived: Notify,
    full: Notify,
    flushing: tokio::sync::Mutex<()>,
    dropped: AtomicU64,
    closing: AtomicBool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_dropped(&self, dropped: u64) {
        if dropped > 0 {
            let total = self.dropped.fetch_add(dropped, Ordering::Relaxed) + dropped;
            tracing::warn!(dropped, total, "the telemetry queue is full; its oldest rows are lost");
        }
    }

    fn take(&self) -> Batch {
        let mut waiting = self.lock();
        let count = waiting.rows.len().min(BATCH_ROWS);
        Batch { rows: waiting.rows.drain(..count).collect(), states: std::mem::take(&mut waiting.states) }
    }

    /// Puts back what could not be written, behind nothing and before everything newer.
    fn put_back(&self, batch: Batch) {
        let dropped = {
            let mut waiting = self.lock();
            for row in batch.rows.into_iter().rev() {
                waiting.rows.push_front(row);
            }
            for (server, state) in batch.states {
                waiting.states.entry(server).or_insert(state);
            }
            waiting.shorten(QUEUE_ROWS)
        };
        self.count_dropped(dropped);
    }

    async fn flush(&self, shared: &Arc<Shared>) -> Result<(), JournalError> {
        let _turn = self.flushing.lock().await;
        loop {
            let batch = self.take();
            if batch.rows.is_empty() && batch.states.is_empty() {
                return Ok(());
            }
            let batch = Arc::new(batch);
            let cap = shared.access().options.event_cap;
            let given = Arc::clone(&batch);
            let written =
                shared.write(move |writing| Box::pin(async move { write_batch(writing, &given, cap).await }));
            if let Err(error) = written.await {
                self.put_back(Arc::unwrap_or_clone(batch));
                return Err(error);
            }
        }
    }
}

async fn write_batch(writing: &mut Writing, batch: &Batch, cap: u32) -> Result<(), Fault> {
    let conn = &mut writing.conn;
    let (mut events, mut attempts) = (Vec::new(), Vec::new());
    for row in &batch.rows {
        match row {
            Row::Event(event) => events.push(&**event),
            Row::Attempt(record) => attempts.push(&**record),
        }
    }
    fleet_rows::insert_events(conn, &events).await?;
    fleet_rows::insert_attempts(conn, &attempts).await?;
    for (server, state) in &batch.states {
        match state {
            Some(state) => fleet_rows::save_state(conn, state).await?,
            None => fleet_rows::forget_state(conn, server).await?,
        }
    }
    fleet_rows::keep_newest(conn, cap, !events.is_empty(), !attempts.is_empty()).await
}

/// The queue's handle. When the last one goes, the task writes what is left and ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    queue: Arc<Queue>,
}

impl Telemetry {
    /// Starts the task that writes. It holds the connections until the queue is drained for good.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let queue = Arc::new(Queue::default());
        if shared.refuse_read_only().is_ok() {
            tokio::spawn(run(Arc::clone(&queue), shared));
        }
        Self { queue }
    }

    pub(crate) fn push(&self, rows: impl IntoIterator<Item = Row>) {
        let dropped = {
            let mut waiting = self.queue.lock();
            waiting.rows.extend(rows);
            self.announce(&waiting);
            waiting.shorten(QUEUE_ROWS)
        };
        self.queue.count_dropped(dropped);
    }

    pub(crate) fn set_state(&self, server: String, state: Option<Box<ServerState>>) {
        let mut waiting = self.queue.lock();
        waiting.states.insert(server, state);
        self.announce(&waiting);
    }

    fn announce(&self, waiting: &Waiting) {
        self.queue.arrived.notify_one();
        if waiting.rows.len() >= BATCH_ROWS {
            self.queue.full.notify_one();
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.queue.closing.store(true, Ordering::Release);
        self.queue.arrived.notify_one();
        self.queue.full.notify_one();
    }
}

async fn run(queue: Arc<Queue>, shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        let closing = queue.closing.load(Ordering::Acquire);
        if !closing {
            if queue.lock().is_empty() {
                queue.arrived.notified().await;
            }
            // Early when the batch is full or the handle is gone; otherwise what comes meanwhile joins in.
            let _ = tokio::time::timeout(FLUSH_EVERY, queue.full.notified()).await;
        }
        match queue.flush(&shared).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "telemetry cannot be written now; it is kept and tried again");
            }
            Err(_) => {}
        }
        if closing {
            return;
        }
    }
}

impl Journal {
    /// Writes all queued telemetry now.
    ///
    /// # Errors
    /// When the journal cannot be written; the rows stay queued.
    pub async fn flush(&self) -> Result<(), JournalError> {
        let queue = &self.telemetry().queue;
        if queue.lock().is_empty() {
            // Somebody else may just be writing the last of it.
            let _turn = queue.flushing.lock().await;
            return Ok(());
        }
        queue.flush(self.shared()).await
    }

    /// How many telemetry rows were dropped since the journal was opened, because the queue was full.
    #[must_use]
    pub fn dropped_telemetry(&self) -> u64 {
        self.telemetry().queue.dropped.load(Ordering::Relaxed)
    }
}
