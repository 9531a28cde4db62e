//! The policy matrix (design 2.5): pure, total, ordered. The first rule that fits speaks.

use crate::model::{DeploymentContext, FailureClass, MatrixReason, Ruling};

/// What the matrix looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixInput<'a> {
    /// What failed; one of the three classes of the matrix.
    pub failure_class: FailureClass,
    /// Whose deployment it is.
    pub context: DeploymentContext,
    /// Is the class's switch on?
    pub rollback_enabled: bool,
    /// Can the target be rolled back at all?
    pub executor_present: bool,
    /// The release to bring back; an empty id counts as none.
    pub target_release_id: Option<&'a str>,
    /// The release that runs; an empty id counts as none.
    pub deployed_release_id: Option<&'a str>,
    /// The two are the same by content (commit or digest), whatever their ids say.
    pub same_content: bool,
}

fn named(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty())
}

/// The ruling of the matrix. Rule 1's reason names the class; an operator's request has no switch, so that its
/// class can never be switched off and counts from rule 2 on.
#[must_use]
pub fn rule(input: &MatrixInput<'_>) -> Ruling {
    let disabled = match input.failure_class {
        FailureClass::DeployFailure => Some(MatrixReason::DisabledForDeployFailure),
        FailureClass::RestartWatchdogFailure => Some(MatrixReason::DisabledForRestartWatchdogFailure),
        FailureClass::HealthFailure => Some(MatrixReason::DisabledForHealthFailure),
        FailureClass::OperatorRequest => None,
    };
    let target = named(input.target_release_id);
    let deployed = named(input.deployed_release_id);
    let ruling = |rule, allowed, reason, target_valid| Ruling { rule, allowed, reason, target_valid };
    if let Some(reason) = disabled.filter(|_| !input.rollback_enabled) {
        return ruling(1, false, reason, None);
    }
    if !input.executor_present {
        return ruling(2, false, MatrixReason::ExecutorMissing, None);
    }
    match (target, input.context) {
        (None, DeploymentContext::External) => {
            ruling(3, false, MatrixReason::TargetRequiredForExternalContext, Some(false))
        }
        (None, DeploymentContext::SelfHosted) => ruling(4, true, MatrixReason::TargetUnspecified, None),
        (Some(_), _) if target == deployed || input.same_content => {
            ruling(5, false, MatrixReason::TargetSameAsDeployed, Some(false))
        }
        (Some(_), _) => ruling(6, true, MatrixReason::TargetValidated, Some(true)),
    }
}

/// What would have made the matrix allow it; empty when it does. Each line is one thing that must be otherwise.
#[must_use]
pub fn would_allow_if(input: &MatrixInput<'_>) -> Vec<String> {
    if rule(input).allowed {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let class = input.failure_class;
    if !input.rollback_enabled && class != FailureClass::OperatorRequest {
        lines.push(format!("`rollback_on_{class}` were true"));
    }
    if !input.executor_present {
        lines.push("the target had a `rollback` command in att.toml".to_owned());
    }
    let target = named(input.target_release_id);
    if target.is_none() && input.context == DeploymentContext::External {
        lines.push("a release to roll back to were known (named in the request, or by a source)".to_owned());
    }
    if target.is_some() && (target == named(input.deployed_release_id) || input.same_content) {
        lines.push("the release to roll back to were another one than the deployed".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word<T: Copy + std::fmt::Display>(all: &[T], text: &str) -> T {
        *all.iter().find(|word| word.to_string() == text).unwrap()
    }

    fn optional(text: &str) -> Option<&str> {
        (!text.is_empty()).then_some(text)
    }

    fn rows() -> Vec<Vec<&'static str>> {
        let csv = include_str!("../tests/fixtures/policy_matrix.csv");
        csv.lines().skip(1).map(|line| line.split(',').collect()).collect()
    }

    fn input<'a>(row: &[&'a str]) -> MatrixInput<'a> {
        MatrixInput {
            failure_class: word(FailureClass::ALL, row[0]),
            context: word(DeploymentContext::ALL, row[1]),
            rollback_enabled: row[2] == "true",
            executor_present: row[3] == "true",
            target_release_id: optional(row[4]),
            deployed_release_id: optional(row[5]),
            same_content: false,
        }
    }

    #[test]
    fn all_144_rows_of_the_published_matrix_are_reproduced() {
        let rows = rows();
        assert_eq!(rows.len(), 144);
        for row in rows {
            let ruling = rule(&input(&row));
            assert_eq!(ruling.allowed.to_string(), row[6], "{row:?}");
            assert_eq!(ruling.reason.to_string(), row[7], "{row:?}");
            assert_eq!(
                ruling.target_valid.map(|valid| valid.to_string()).unwrap_or_default(),
                row[8],
                "{row:?}"
            );
        }
    }

    #[test]
    fn an_empty_id_counts_as_none() {
        for row in rows() {
            let given = input(&row);
            let emptied = MatrixInput {
                target_release_id: Some(given.target_release_id.unwrap_or("")),
                deployed_release_id: Some(given.deployed_release_id.unwrap_or("")),
                ..given.clone()
            };
            assert_eq!(rule(&emptied), rule(&given), "{row:?}");
        }
    }

    #[test]
    fn same_content_under_another_name_is_the_same_release() {
        let ruling = rule(&MatrixInput {
            failure_class: FailureClass::HealthFailure,
            context: DeploymentContext::External,
            rollback_enabled: true,
            executor_present: true,
            target_release_id: Some("web-old-name"),
            deployed_release_id: Some("web-new-name"),
            same_content: true,
        });
        assert_eq!((ruling.rule, ruling.allowed), (5, false));
    }

    #[test]
    fn doing_all_that_would_allow_it_makes_the_matrix_allow_it() {
        for row in rows() {
            let given = input(&row);
            let lines = would_allow_if(&given);
            assert_eq!(lines.is_empty(), rule(&given).allowed, "{row:?}");
            let mut better = given.clone();
            for line in &lines {
                match line.as_str() {
                    line if line.ends_with("were true") => better.rollback_enabled = true,
                    line if line.contains("`rollback` command") => better.executor_present = true,
                    line if line.contains("were known") => better.target_release_id = Some("r9"),
                    line if line.contains("another one") => better.target_release_id = Some("r9"),
                    line => panic!("an unknown counterfactual: {line}"),
                }
            }
            assert!(rule(&better).allowed, "{row:?}: {lines:?}");
        }
    }
}
