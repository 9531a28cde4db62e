//! The control room: what a face opens, and what drives while it is open.

use crate::config::{self, Configuration};
use crate::driver::Driver;
use crate::dto::{ConfigProblemDto, Notice, Topic};
use crate::engine_lock::EngineLock;
use crate::home::Home;
use crate::notices::Notices;
use crate::operations::ProjectShelf;
use att_bootstrap::engine::{Engine, EngineDeps};
use att_bootstrap::store::LeaseFence;
use att_core::id::{OsRandomness, Randomness};
use att_core::secret::SecretStore;
use att_core::{Actor, Clock, Code, Face, Report, SystemClock};
use att_journal::{Journal, OpenOptions};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{RwLock, RwLockReadGuard, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the journal is looked at for what others wrote (design 4).
const LOOK: Duration = Duration::from_millis(200);
/// How often a face that wants to drive tries for the engine lock.
const LOCK_RETRY: Duration = Duration::from_secs(1);
/// The longest time that closing waits for what was started.
const CLOSE: Duration = Duration::from_secs(10);

/// What a face wants to drive, if nobody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Only look.
    Nothing,
    /// Cycles, until the face is done (`att release run`, `att decision approve`).
    Cycles,
    /// The fleet and the cycles (desktop, `att watch`).
    FleetAndCycles,
}

/// An open control room. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct ControlRoom(pub(crate) Arc<Room>);

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) home: Home,
    pub(crate) face: Face,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) secrets: Arc<dyn SecretStore>,
    /// Why the home cannot hold state; the fleet is watched all the same.
    journal: Result<Journal, Report>,
    driver: RwLock<Option<Driver>>,
    pub(crate) notices: Notices,
    configuration: Mutex<Configuration>,
    pub(crate) projects: ProjectShelf,
    subjects: Mutex<BTreeMap<String, String>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ControlRoom {
    /// Opens `home`. Never fails: what is wrong is told by `system_status` and by the operations that need it.
    pub async fn open(home: Home, face: Face, drive: Drive) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let randomness: Arc<dyn Randomness> = Arc::new(OsRandomness);
        let journal = open_journal(&home).await;
        if let Err(report) = &journal {
            // A face tells it to its person; the log keeps it for later.
            tracing::info!(%report, "the journal cannot be used");
        }
        let secrets = crate::secrets::Secrets::of(&home);
        let room = Self(Arc::new(Room {
            home,
            face,
            clock,
            randomness,
            secrets,
            journal,
            driver: RwLock::new(None),
            notices: Notices::new(),
            configuration: Mutex::default(),
            projects: ProjectShelf::default(),
            subjects: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        room.read_configuration();
        if drive != Drive::Nothing {
            room.try_to_drive(drive).await;
            room.spawn(room.clone().keep_driving(drive));
        }
        if drive == Drive::FleetAndCycles {
            room.spawn(crate::watching::watch(room.clone()));
        }
        if room.0.journal.is_ok() {
            room.spawn(room.clone().look_at_journal());
        }
        room
    }

    /// Ends all that was started: children first, then timers, then the journal.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        let end = async {
            self.0.tasks.wait().await;
            if let Some(driver) = self.0.driver.write().await.take() {
                driver.stop(self).await;
            }
            if let Ok(journal) = &self.0.journal {
                journal.close().await;
            }
        };
        if tokio::time::timeout(CLOSE, end).await.is_err() {
            tracing::warn!("closing took longer than {} s and was cut off", CLOSE.as_secs());
        }
    }

    /// What is newer, per topic.
    #[must_use]
    pub fn notices(&self) -> watch::Receiver<Vec<Notice>> {
        self.0.notices.watch()
    }

    /// The person at this face.
    pub(crate) fn person(&self) -> Actor {
        let name =
            ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|n| !n.is_empty());
        Actor::person(name.unwrap_or_else(|| "operator".into()), self.0.face, std::process::id())
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    pub(crate) fn journal(&self) -> Result<&Journal, Report> {
        self.0.journal.as_ref().map_err(Clone::clone)
    }

    /// The engine that drives here, or one that only answers questions and takes a person's word.
    pub(crate) async fn engine(&self) -> Result<Engine, Report> {
        match self.driver().await.as_ref().and_then(Driver::engine) {
            Some(engine) => Ok(engine.clone()),
            None => Ok(self.new_engine(self.journal()?, None)),
        }
    }

    pub(crate) fn new_engine(&self, journal: &Journal, lease: Option<LeaseFence>) -> Engine {
        Engine::new(EngineDeps {
            store: Arc::new(journal.clone()),
            home: self.0.home.root().to_path_buf(),
            clock: Arc::clone(&self.0.clock),
            randomness: Arc::clone(&self.0.randomness),
            lease,
            pid: std::process::id(),
        })
    }

    pub(crate) async fn driver(&self) -> RwLockReadGuard<'_, Option<Driver>> {
        self.0.driver.read().await
    }

    /// True while this process drives the cycles.
    pub async fn drives(&self) -> bool {
        self.driver().await.is_some()
    }

    /// Refuses what acts while something drives the web view of a real home (design 2.6).
    pub(crate) fn may_act(&self) -> Result<(), Report> {
        if self.0.home.acting_refused() {
            return Err(Report::new(
                Code::Denied,
                "acting is refused while the window is driven by a program",
            )
            .cause("TAURI_WEBVIEW_AUTOMATION is set and this home is not marked as a demo's or a test's")
            .cure("start ATT without TAURI_WEBVIEW_AUTOMATION"));
        }
        Ok(())
    }

    /// First lines of commits by commit id; a commit never changes.
    pub(crate) fn subject_cache(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn config_problems(&self) -> Vec<ConfigProblemDto> {
        self.configuration().problems.clone()
    }

    pub(crate) fn configuration(&self) -> MutexGuard<'_, Configuration> {
        self.0.configuration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads `mcp.json` again. A file that cannot be read leaves the servers as they were, and so does a broken entry
    /// the server that it was.
    pub(crate) fn read_configuration(&self) {
        let path = self.0.home.mcp_json();
        let read = config::read(&self.0.home, &path);
        let mut kept = self.configuration();
        match read {
            Ok(fresh) => *kept = config::over(&kept, fresh, &path),
            Err(report) => kept.problems = vec![config::as_problem(&path, &report)],
        }
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    async fn keep_driving(self, drive: Drive) {
        loop {
            tokio::time::sleep(LOCK_RETRY).await;
            if self.driver().await.is_none() {
                self.try_to_drive(drive).await;
            }
        }
    }

    async fn try_to_drive(&self, drive: Drive) {
        let lock = match EngineLock::try_take(&self.0.home) {
            Ok(Some(lock)) => Some(lock),
            Ok(None) => return,
            // A home that cannot even be locked cannot be shared with anybody: watch the fleet, keep nothing.
            Err(error) if self.0.journal.is_err() => {
                tracing::warn!(%error, "the engine lock cannot be taken");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the engine lock cannot be taken");
                return;
            }
        };
        let driver = Driver::start(self, lock, drive).await;
        *self.0.driver.write().await = driver;
        self.0.notices.tell(&[Topic::System, Topic::Fleet, Topic::Releases, Topic::Decisions]);
    }

    /// Looks for what other processes wrote: requests to take, cycles to drive, news to show.
    async fn look_at_journal(self) {
        let Ok(journal) = self.journal() else { return };
        let mut version = journal.data_version().await.unwrap_or_default();
        let mut audited = journal.head_sequence().await.unwrap_or_default();
        loop {
            tokio::time::sleep(LOOK).await;
            let fresh = journal.data_version().await.unwrap_or(version);
            if fresh == version {
                continue;
            }
            version = fresh;
            let drives = match self.driver().await.as_ref() {
                Some(driver) => {
                    driver.look(&self).await;
                    true
                }
                None => false,
            };
            let sequence = journal.head_sequence().await.unwrap_or(audited);
            if sequence != audited {
                audited = sequence;
                self.0.notices.tell(&[Topic::Releases, Topic::Decisions, Topic::System]);
            }
            if !drives {
                self.0.notices.tell(&[Topic::Fleet, Topic::Snapshots, Topic::Events, Topic::Output]);
            }
        }
    }
}

/// Opens the journal for writing, or, where that is refused, for reading.
async fn open_journal(home: &Home) -> Result<Journal, Report> {
    home.prepare()?;
    // What is wrong with the settings is told with the configuration.
    let event_cap =
        config::settings(home).map_or(OpenOptions::default().event_cap, |(global, _)| global.events_kept);
    let options = OpenOptions { event_cap, ..OpenOptions::default() };
    match Journal::open(home.root(), options).await {
        Ok(journal) => Ok(journal),
        Err(error @ att_journal::JournalError::NotWritable { .. }) => {
            Journal::open(home.root(), OpenOptions::read_only()).await.map_err(|_| Report::from(error))
        }
        Err(error) => Err(error.into()),
    }
}
