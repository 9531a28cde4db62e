//! Drives live cycles: look first, do, commit; again and again until they end or wait (design 2.3).

mod adopt;
mod approve;
mod deploy;
mod drive;
mod gates;
mod land;
mod prepare;
mod project;
mod rollback;
mod submit;

pub use adopt::AdoptedRelease;
pub use approve::ApprovalRequest;
pub use drive::Rest;
pub use submit::RollbackRequest;

use crate::error::EngineError;
use crate::model::{
    Approval, Cycle, CycleState, Decision, Interruption, Operation, OperationKind, OperationPhase, OutputLog,
    TargetId,
};
use crate::step::{Input, Now, State, step};
use crate::store::{Changes, CycleStore, LeaseFence};
use crate::world::World;
use att_core::id::{CycleId, DecisionId, InterruptionId, OperationId, Randomness};
use att_core::{Actor, Clock};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What an engine is made of.
#[derive(Debug, Clone)]
pub struct EngineDeps {
    /// Its memory.
    pub store: Arc<dyn CycleStore>,
    /// `ATT_HOME`.
    pub home: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For ids.
    pub randomness: Arc<dyn Randomness>,
    /// The lease under which it drives. None: for a process that only answers questions and does not drive.
    pub lease: Option<LeaseFence>,
    /// This process.
    pub pid: u32,
}

/// Something changed; read it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A cycle.
    Cycle(CycleId),
    /// A decision.
    Decision(DecisionId),
    /// A target, its chain or its releases.
    Target(TargetId),
    /// The inbox.
    Interruption(InterruptionId),
}

/// One cycle that is being driven here.
#[derive(Debug, Clone, Default)]
struct Driven {
    /// Set while a drive is under way.
    busy: bool,
    /// Fired when somebody wants it stopped.
    cancel: CancellationToken,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn CycleStore>,
    world: World,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    lease: Option<LeaseFence>,
    actor: Actor,
    notices: tokio::sync::broadcast::Sender<Notice>,
    driven: Mutex<BTreeMap<CycleId, Driven>>,
}

/// The engine. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

/// A cycle with all that a step looks at.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub cycle: Cycle,
    pub decision: Option<Decision>,
    pub approval: Option<Approval>,
    pub operation: Option<Operation>,
    pub interruptions: Vec<Interruption>,
}

impl Loaded {
    fn state(&self) -> State<'_> {
        State {
            cycle: &self.cycle,
            decision: self.decision.as_ref(),
            approval: self.approval.as_ref(),
            operation: self.operation.as_ref(),
            interruptions: &self.interruptions,
        }
    }

    /// The operation that is awaited, if it is of that kind and its outcome is not yet there.
    pub(crate) fn awaited(&self, kind: OperationKind) -> Option<&Operation> {
        self.operation.as_ref().filter(|row| row.kind == kind && row.phase == OperationPhase::Intended)
    }
}

/// What a look at a cycle comes to.
pub(crate) enum Advance {
    /// Commit this, and look again.
    Step(Box<Input>, Option<OutputLog>),
    /// Nothing to do before that time; none: before a person acts.
    Wait(Option<i64>),
}

impl Advance {
    pub(crate) fn step(input: Input) -> Self {
        Self::Step(Box::new(input), None)
    }
}

impl Engine {
    /// An engine.
    #[must_use]
    pub fn new(deps: EngineDeps) -> Self {
        let (notices, _) = tokio::sync::broadcast::channel(1024);
        Self(Arc::new(Inner {
            world: World::new(&deps.home, deps.clock.clone()),
            store: deps.store,
            clock: deps.clock,
            randomness: deps.randomness,
            lease: deps.lease,
            actor: Actor::engine(deps.pid),
            notices,
            driven: Mutex::default(),
        }))
    }

    /// What changed, as it changes; bounded, a slow reader is told that it missed some.
    #[must_use]
    pub fn notices(&self) -> tokio::sync::broadcast::Receiver<Notice> {
        self.0.notices.subscribe()
    }

    /// The outside world, for its live output.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The journal.
    #[must_use]
    pub fn store(&self) -> &dyn CycleStore {
        self.0.store.as_ref()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    pub(crate) fn randomness(&self) -> &dyn Randomness {
        self.0.randomness.as_ref()
    }

    pub(crate) fn now(&self) -> Now<'_> {
        Now { at_ms: self.now_ms(), actor: self.0.actor.clone(), randomness: self.randomness() }
    }

    fn driven(&self) -> MutexGuard<'_, BTreeMap<CycleId, Driven>> {
        self.0.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn load(&self, id: &CycleId) -> Result<Loaded, EngineError> {
        let store = self.store();
        let cycle = store.cycle(id).await?.ok_or_else(|| EngineError::not_found("cycle", id))?;
        let decision = match &cycle.decision_id {
            Some(id) => store.decision(id).await?,
            None => None,
        };
        let approval = match decision.as_ref().and_then(|decision| decision.approval_id.as_ref()) {
            Some(id) => store.approval(id).await?,
            None => None,
        };
        let operation = match &cycle.operation_id {
            Some(id) => store.operation(id).await?,
            None => None,
        };
        let interruptions = store
            .open_interruptions()
            .await?
            .into_iter()
            .filter(|open| open.cycle_id.as_ref() == Some(id))
            .collect();
        Ok(Loaded { cycle, decision, approval, operation, interruptions })
    }

    /// Takes one step of a driver and commits it under the lease.
    pub(crate) async fn commit_step(
        &self,
        at: &Loaded,
        input: Input,
        output: Option<OutputLog>,
    ) -> Result<(), EngineError> {
        let mut changes = step(&at.state(), input, &self.now())?;
        changes.fence.clone_from(&self.0.lease);
        changes.output_logs.extend(output);
        Box::pin(self.commit(changes)).await
    }

    /// Takes one step on behalf of a person, who needs no lease.
    pub(crate) async fn commit_answer(&self, at: &Loaded, input: Input) -> Result<(), EngineError> {
        let changes = step(&at.state(), input, &self.now())?;
        Box::pin(self.commit(changes)).await
    }

    pub(crate) async fn commit(&self, changes: Changes) -> Result<(), EngineError> {
        let mut notices = Vec::new();
        notices.extend(changes.cycle.as_ref().map(|change| Notice::Cycle(change.row.id.clone())));
        notices.extend(changes.decision.as_ref().map(|change| Notice::Decision(change.row.id.clone())));
        notices.extend(changes.target.as_ref().map(|change| Notice::Target(change.row.id.clone())));
        notices.extend(changes.interruptions.iter().map(|row| Notice::Interruption(row.id.clone())));
        self.store().commit(changes).await?;
        for notice in notices {
            // Nobody listening is fine.
            let _ = self.0.notices.send(notice);
        }
        Ok(())
    }

    /// A new operation of `cycle`.
    pub(crate) fn operation(
        &self,
        cycle: &Cycle,
        kind: OperationKind,
        argv: &[String],
        timeout_ms: i64,
    ) -> Operation {
        let at_ms = self.now_ms();
        Operation {
            id: OperationId::mint(at_ms, self.randomness()),
            cycle_id: cycle.id.clone(),
            target: cycle.target.clone(),
            kind,
            phase: OperationPhase::Intended,
            argv: argv.to_vec(),
            expected_generation: cycle.expected_generation,
            timeout_ms,
            intended_at_ms: at_ms,
            finished_at_ms: None,
            outcome: None,
        }
    }

    /// Asks a cycle to stop. Before the deploy it ends as cancelled; from it on a decision is made.
    ///
    /// # Errors
    /// When there is no such cycle, or it has ended.
    pub async fn cancel(&self, id: &CycleId, actor: Actor, reason: &str) -> Result<(), EngineError> {
        loop {
            let at = self.load(id).await?;
            let input = Input::CancelAsked { actor: actor.clone(), reason: reason.to_owned() };
            match self.commit_answer(&at, input).await {
                Err(error) if error.is_conflict() => continue,
                other => other?,
            }
            break;
        }
        self.cancel_token(id).cancel();
        Ok(())
    }

    fn cancel_token(&self, id: &CycleId) -> CancellationToken {
        self.driven().entry(id.clone()).or_default().cancel.clone()
    }
}

/// Names the three moments around an effect, so that a test can have us die there.
pub(crate) fn moment(state: CycleState, what: &str) {
    att_process::crash_point(&format!("{state}:{what}"));
}
