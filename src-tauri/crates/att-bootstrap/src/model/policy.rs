//! The rules one cycle runs under: the target's values, made stricter by the request (design 2.2).

use super::cycle::FailureClass;
use crate::words::words;
use serde::{Deserialize, Serialize};

words! {
    /// Whose deployment a target is (design 2.1).
    DeploymentContext {
        /// ATT's own: policy may roll back by itself.
        SelfHosted = "self_hosted",
        /// Somebody else's: a person always decides.
        External = "external",
    }
}

/// The policy of one cycle, after the target's defaults and the request were joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedPolicy {
    /// Whose deployment it is.
    pub deployment_context: DeploymentContext,
    /// May a failed deploy be rolled back? Default false.
    pub rollback_on_deploy_failure: bool,
    /// May a failed restart watchdog be rolled back? Default true.
    pub rollback_on_restart_watchdog_failure: bool,
    /// May a failed health gate be rolled back? Default true.
    pub rollback_on_health_failure: bool,
    /// The target wants a person even where policy would act by itself.
    pub always_ask: bool,
    /// Waits for a person before merging when false.
    pub auto_merge_on_ci_success: bool,
    /// Ask for a pull request when there is a host for it.
    pub create_pr: bool,
    /// What the health gate looks at, handed to its command as `ATT_HEALTH_TARGET`.
    pub health_check_target: Option<String>,
    /// How often the health gate is tried again after a failure.
    pub health_check_retries: u32,
    /// Pause between two tries of the health gate.
    pub health_check_interval_ms: i64,
    /// How many failed watchdog probes are forgiven.
    pub restart_watchdog_retries: u32,
    /// Pause between two watchdog probes.
    pub restart_watchdog_interval_ms: i64,
    /// How many good watchdog probes in a row make success.
    pub restart_watchdog_successes: u32,
    /// Total time for CI.
    pub ci_timeout_ms: i64,
    /// First pause between two looks at CI; doubles.
    pub ci_initial_poll_ms: i64,
    /// Longest pause between two looks at CI.
    pub ci_max_poll_ms: i64,
}

/// The defaults of design 2.2, for what a target leaves open.
impl Default for ResolvedPolicy {
    fn default() -> Self {
        Self {
            deployment_context: DeploymentContext::SelfHosted,
            rollback_on_deploy_failure: false,
            rollback_on_restart_watchdog_failure: true,
            rollback_on_health_failure: true,
            always_ask: false,
            auto_merge_on_ci_success: true,
            create_pr: true,
            health_check_target: None,
            health_check_retries: 1,
            health_check_interval_ms: 5_000,
            restart_watchdog_retries: 3,
            restart_watchdog_interval_ms: 5_000,
            restart_watchdog_successes: 2,
            ci_timeout_ms: 600_000,
            ci_initial_poll_ms: 10_000,
            ci_max_poll_ms: 60_000,
        }
    }
}

impl ResolvedPolicy {
    /// Is the switch of `class` on? An operator's own request has no switch.
    #[must_use]
    pub fn rollback_enabled(&self, class: FailureClass) -> bool {
        match class {
            FailureClass::DeployFailure => self.rollback_on_deploy_failure,
            FailureClass::RestartWatchdogFailure => self.rollback_on_restart_watchdog_failure,
            FailureClass::HealthFailure => self.rollback_on_health_failure,
            FailureClass::OperatorRequest => true,
        }
    }
}
