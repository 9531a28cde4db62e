//! What was seen running, taken into the target's row: the generation grows when release or digest changed,
//! and the chain gets its next link (design 2.1 and 4). Pure.

use crate::model::{Deployment, DeploymentKind, Release, ReleaseHealth, Target};
use crate::step::TargetUpdate;
use crate::store::TargetChange;
use att_core::id::{CycleId, DeploymentId, OperationId, Randomness};
use serde::{Deserialize, Serialize};

/// What the `observe` command printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The release that answers.
    pub release_id: String,
    /// Digest of its artefact.
    #[serde(default)]
    pub digest: Option<String>,
    /// The commit it was made of.
    #[serde(default)]
    pub commit: Option<String>,
}

impl Observed {
    /// Is this the release, by id or, failing that, by content?
    #[must_use]
    pub fn is(&self, id: &str, commit: Option<&str>, digest: Option<&str>) -> bool {
        self.release_id == id
            || (self.commit.is_some() && self.commit.as_deref() == commit)
            || (self.digest.is_some() && self.digest.as_deref() == digest)
    }

    /// The id under which it is known here: its own, or that of a release with the same content.
    #[must_use]
    pub fn known_as<'a>(&'a self, releases: &'a [Release]) -> &'a str {
        if releases.iter().any(|release| release.id == self.release_id) {
            return &self.release_id;
        }
        releases
            .iter()
            .rev()
            .find(|release| self.is(&release.id, release.commit.as_deref(), release.digest.as_deref()))
            .map_or(&self.release_id, |release| &release.id)
    }
}

/// On whose account the target is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// How a change found now came about, if the release is `expected`.
    pub kind: DeploymentKind,
    /// The release that was to be running.
    pub expected: Option<&'a str>,
    /// The cycle that wanted it.
    pub cycle_id: Option<&'a CycleId>,
    /// The operation that did it.
    pub operation_id: Option<&'a OperationId>,
}

impl Account<'_> {
    /// Nobody's: whatever is new was put there by somebody else.
    pub const OBSERVER: Self =
        Account { kind: DeploymentKind::Observed, expected: None, cycle_id: None, operation_id: None };
}

/// The target with `observed` taken in.
#[must_use]
pub fn take_in(
    target: &Target,
    releases: &[Release],
    observed: &Observed,
    account: Account<'_>,
    at_ms: i64,
    randomness: &dyn Randomness,
) -> TargetUpdate {
    let id = observed.known_as(releases);
    let same_release = target.current_release_id.as_deref() == Some(id);
    let other_digest = observed.digest.is_some()
        && target.current_digest.is_some()
        && observed.digest != target.current_digest;
    let mut row = Target { observed_at_ms: Some(at_ms), ..target.clone() };
    let mut update = TargetUpdate {
        target: TargetChange { expected_generation: Some(target.generation), row: row.clone() },
        deployments: Vec::new(),
        releases: Vec::new(),
    };
    if observed.digest.is_some() {
        row.current_digest.clone_from(&observed.digest);
    }
    if !same_release || other_digest {
        let ours = account.expected == Some(id);
        let deployment = Deployment {
            id: DeploymentId::mint(at_ms, randomness),
            target: target.id.clone(),
            release_id: id.to_owned(),
            predecessor: target.current_deployment_id.clone(),
            kind: if ours { account.kind } else { DeploymentKind::Observed },
            cycle_id: account.cycle_id.filter(|_| ours).cloned(),
            operation_id: account.operation_id.filter(|_| ours).cloned(),
            generation: target.generation + 1,
            at_ms,
        };
        row.generation += 1;
        row.current_release_id = Some(id.to_owned());
        row.current_digest.clone_from(&observed.digest);
        row.current_deployment_id = Some(deployment.id.clone());
        update.deployments.push(deployment);
    }
    match releases.iter().find(|release| release.id == id) {
        None => update.releases.push(Release {
            id: id.to_owned(),
            target: target.id.clone(),
            commit: observed.commit.clone(),
            digest: observed.digest.clone(),
            health: ReleaseHealth::Unknown,
            healthy_at_ms: None,
            quarantine: None,
            cycle_id: None,
            created_at_ms: at_ms,
        }),
        Some(known) if observed.digest.is_some() && known.digest != observed.digest => {
            update.releases.push(Release { digest: observed.digest.clone(), ..known.clone() });
        }
        Some(_) => {}
    }
    update.target.row = row;
    update
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeploymentContext, ProjectId, TargetId};
    use att_core::id::SeededRandomness;

    fn target() -> Target {
        Target {
            id: TargetId::from_text("shop/web"),
            project: ProjectId::new("shop"),
            name: "web".into(),
            deployment_context: DeploymentContext::External,
            generation: 4,
            current_release_id: Some("r1".into()),
            current_digest: Some("d1".into()),
            current_deployment_id: Some("D1".into()),
            observed_at_ms: None,
        }
    }

    fn seen(release: &str, digest: Option<&str>) -> Observed {
        Observed { release_id: release.into(), digest: digest.map(Into::into), commit: None }
    }

    fn look(observed: &Observed, account: Account<'_>) -> TargetUpdate {
        take_in(&target(), &[], observed, account, 9, &SeededRandomness::new(1))
    }

    #[test]
    fn the_generation_grows_when_release_or_digest_changes_and_not_at_a_restart() {
        for (observed, generation) in [
            (seen("r1", Some("d1")), 4),
            (seen("r1", None), 4),
            (seen("r1", Some("d2")), 5),
            (seen("r2", Some("d1")), 5),
            (seen("r2", None), 5),
        ] {
            let update = look(&observed, Account::OBSERVER);
            assert_eq!(update.target.row.generation, generation, "{observed:?}");
            assert_eq!(update.target.expected_generation, Some(4));
            assert_eq!(update.deployments.len(), usize::from(generation == 5));
        }
    }

    #[test]
    fn a_new_link_points_to_what_ran_before_and_is_ours_only_if_it_is_what_we_wanted() {
        let cycle = CycleId::from("C");
        let ours = Account {
            kind: DeploymentKind::Deploy,
            expected: Some("r2"),
            cycle_id: Some(&cycle),
            operation_id: None,
        };
        let update = look(&seen("r2", None), ours);
        assert_eq!(update.deployments[0].predecessor, Some("D1".into()));
        assert_eq!(update.deployments[0].kind, DeploymentKind::Deploy);
        assert_eq!(update.deployments[0].cycle_id, Some(cycle.clone()));
        let update = look(&seen("r3", None), ours);
        assert_eq!(
            (update.deployments[0].kind, &update.deployments[0].cycle_id),
            (DeploymentKind::Observed, &None)
        );
    }

    #[test]
    fn a_release_that_reports_only_its_commit_is_known_by_its_content() {
        let release = Release {
            id: "web-abc".into(),
            target: TargetId::from_text("shop/web"),
            commit: Some("abc".into()),
            digest: None,
            health: ReleaseHealth::Unknown,
            healthy_at_ms: None,
            quarantine: None,
            cycle_id: None,
            created_at_ms: 1,
        };
        let observed = Observed { release_id: "abc".into(), digest: None, commit: Some("abc".into()) };
        assert_eq!(observed.known_as(&[release]), "web-abc");
    }
}
