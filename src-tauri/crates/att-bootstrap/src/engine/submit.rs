//! How a cycle begins: a change that is to go live, or a release that a person wants back.

use super::Engine;
use crate::error::EngineError;
use crate::model::{
    AuditEvent, Cycle, CycleKind, CycleResult, CycleState, ProbeProgress, Project, ProjectId, TargetId,
};
use crate::request::CycleRequest;
use crate::step::Refusal;
use crate::store::{Changes, Conflict, CycleChange, StoreError};
use att_core::Actor;
use att_core::id::{CorrelationId, CycleId};

/// A release that a person wants on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackRequest {
    /// Where.
    pub target: TargetId,
    /// Which; one that ran there before.
    pub release_id: String,
    /// The cycle that this answers to; its open question is thereby acknowledged.
    pub linked_to: Option<CycleId>,
}

impl Engine {
    /// Accepts a request, or refuses it. The cycle is queued; whoever owns the engine drives it.
    ///
    /// # Errors
    /// When the request is malformed or laxer than its target, or the target waits for an acknowledgement.
    pub async fn submit(&self, request: CycleRequest, actor: Actor) -> Result<Cycle, EngineError> {
        request.check()?;
        let project = self.known_project(&ProjectId::new(request.project.clone())).await?;
        if let Some(mode) = self.store().safe_mode().await?.filter(|mode| mode.active) {
            return Err(EngineError::blocked(
                format!("safe mode is on: {}", mode.reason),
                "lift safe mode first",
            ));
        }
        let base = self.world().fetch(&project).await?;
        let config = self.config_at(&project, &base)?;
        let target = request.deploy_target.as_deref().map(|name| TargetId::new(&project.id, name));
        let cycle = self.new_cycle(CycleKind::Release, &project, target, request, actor);
        // Refused here as well as in `preparing`: whoever asks is told at once.
        self.policy_of(&cycle, &config)?;
        self.refuse_blocked(&cycle, None).await?;
        Box::pin(self.accept(cycle, Changes::default())).await
    }

    /// Accepts a person's wish to have a release back. It always needs that person's approval as well (design 2.6).
    ///
    /// # Errors
    /// When the release is not known there or runs already, or the target waits for an acknowledgement.
    pub async fn plan_rollback(&self, wish: RollbackRequest, actor: Actor) -> Result<Cycle, EngineError> {
        if !actor.may_approve() {
            return Err(Refusal::PersonOnly.into());
        }
        let target = self.store().target(&wish.target).await?;
        let target = target.ok_or_else(|| EngineError::not_found("target", &wish.target))?;
        let project = self.known_project(&target.project).await?;
        if self.store().release(&wish.target, &wish.release_id).await?.is_none() {
            return Err(EngineError::not_found("release", &wish.release_id));
        }
        if target.current_release_id.as_ref() == Some(&wish.release_id) {
            return Err(EngineError::blocked(
                format!("{} is what runs on {}", wish.release_id, wish.target),
                "choose another release of the chain",
            ));
        }
        let request = CycleRequest {
            project: project.id.to_string(),
            deploy_target: Some(target.name.clone()),
            rollback_release_id: Some(wish.release_id.clone()),
            ..CycleRequest::default()
        };
        let mut cycle =
            self.new_cycle(CycleKind::Rollback, &project, Some(wish.target), request, actor.clone());
        cycle.linked_to.clone_from(&wish.linked_to);
        cycle.release_id = target.current_release_id;
        self.refuse_blocked(&cycle, wish.linked_to.as_ref()).await?;
        let mut changes = Changes::default();
        let open = self.store().open_interruptions().await?;
        for row in open.into_iter().filter(|row| {
            row.kind.blocks_target() && wish.linked_to.is_some() && row.cycle_id == wish.linked_to
        }) {
            let note = format!("answered by cycle {}", cycle.id);
            let seen = self.acknowledgement(row, &note, actor.clone())?;
            changes.interruptions.extend(seen.interruptions);
            changes.audit.extend(seen.audit);
        }
        Box::pin(self.accept(cycle, changes)).await
    }

    async fn known_project(&self, id: &ProjectId) -> Result<Project, EngineError> {
        self.store().project(id).await?.ok_or_else(|| EngineError::not_found("project", id))
    }

    /// No new cycle on a target whose last one waits to be acknowledged, except the answer to that one.
    async fn refuse_blocked(&self, cycle: &Cycle, answered: Option<&CycleId>) -> Result<(), EngineError> {
        let Some(target) = &cycle.target else { return Ok(()) };
        let blocking = self.store().open_interruptions().await?.into_iter().find(|row| {
            row.kind.blocks_target()
                && row.target.as_deref() == Some(target.as_str())
                && (answered.is_none() || row.cycle_id.as_ref() != answered)
        });
        match blocking {
            Some(row) => Err(EngineError::blocked(
                format!("{target} waits for a person: {}", row.title),
                "acknowledge it first: in the Decisions view, or with `att target ack`",
            )),
            None => Ok(()),
        }
    }

    fn new_cycle(
        &self,
        kind: CycleKind,
        project: &Project,
        target: Option<TargetId>,
        request: CycleRequest,
        actor: Actor,
    ) -> Cycle {
        let at_ms = self.now_ms();
        let random = self.randomness();
        let suffix = format!("{:032x}", random.bits());
        let branch = request
            .existing_branch
            .clone()
            .or_else(|| request.branch_name.clone())
            .unwrap_or_else(|| format!("att/self-bootstrap-{}", &suffix[..8]));
        Cycle {
            id: CycleId::mint(at_ms, random),
            version: 1,
            kind,
            project: project.id.clone(),
            repository: project.remote.clone(),
            target,
            state: CycleState::Queued,
            state_since_ms: at_ms,
            request,
            requested_by: actor,
            correlation_id: CorrelationId::mint(random),
            policy: None,
            config_digest: None,
            linked_to: None,
            created_at_ms: at_ms,
            updated_at_ms: at_ms,
            ended_at_ms: None,
            resumes: 0,
            cancel: None,
            waiting: None,
            base_commit: None,
            branch,
            head_commit: None,
            merge_allowed: false,
            release_id: None,
            previous_release_id: None,
            previous_deployment_id: None,
            expected_generation: None,
            deployed_by_this_cycle: None,
            operation_id: None,
            readiness: Vec::new(),
            failure: None,
            decision_id: None,
            probe: ProbeProgress::default(),
            stages: Cycle::stages_not_run(),
            result: CycleResult::default(),
        }
    }

    async fn accept(&self, cycle: Cycle, mut changes: Changes) -> Result<Cycle, EngineError> {
        let event = AuditEvent::CycleRequested {
            cycle_id: cycle.id.clone(),
            cycle_kind: cycle.kind,
            project: cycle.project.to_string(),
            target: cycle.target.as_ref().map(ToString::to_string),
            linked_to: cycle.linked_to.clone(),
        };
        changes.audit.push(self.entry(cycle.id.to_string(), cycle.requested_by.clone(), event));
        changes.cycle = Some(CycleChange { expected_version: None, row: cycle.clone() });
        match self.commit(changes).await {
            Err(EngineError::Store(StoreError::Conflict(
                Conflict::LiveOnTarget | Conflict::LiveOnRepository,
            ))) => Err(self.other_live(&cycle).await?),
            Err(error) => Err(error),
            Ok(()) => Ok(cycle),
        }
    }

    /// Says which cycle is in the way.
    async fn other_live(&self, wanted: &Cycle) -> Result<EngineError, EngineError> {
        let live = self.store().live_cycles().await?;
        let other = live.iter().find(|row| {
            row.repository == wanted.repository || (row.target.is_some() && row.target == wanted.target)
        });
        let (id, state) = other.map_or_else(
            || ("another".to_owned(), String::new()),
            |row| (row.id.to_string(), format!(" ({})", row.state)),
        );
        Ok(EngineError::blocked(
            format!(
                "cycle {id}{state} is under way; a target and a repository have one live cycle at a time"
            ),
            "wait until it ends, answer what it asks, or stop it",
        ))
    }
}
