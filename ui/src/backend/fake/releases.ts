import type { CycleDto, CycleSummaryDto, DeploymentDto, ReleasesDto, StageDto, TargetDto } from "../port";

/** The stages of a cycle that ends in a rollback, in the table's order. */
export const STAGES = [
  "preparing",
  "changing",
  "testing",
  "committing",
  "pushing",
  "opening_pr",
  "awaiting_ci",
  "merging",
  "readying",
  "deploying",
  "watching",
  "health_checking",
  "deciding",
  "awaiting_approval",
  "rolling_back",
  "verifying_rollback",
];

/** A deployment, with exceptions. */
export function deployment(
  now: number,
  id: string,
  release: string,
  more: Partial<DeploymentDto> = {},
): DeploymentDto {
  return {
    id,
    release_id: release,
    predecessor: null,
    predecessor_release_id: null,
    kind: "deploy",
    at_ms: now - 3_600_000,
    ended_at_ms: null,
    cycle_id: null,
    live: false,
    health: "healthy",
    quarantined: false,
    commit: "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    subject: "Say hello in two languages",
    digest: null,
    ...more,
  };
}

/** The demo's target before its bad release. */
export function target(now: number, more: Partial<TargetDto> = {}): TargetDto {
  return {
    target: "demo",
    project: "demo-service",
    deployment_context: "external",
    generation: 2,
    live_release_id: "demo-2",
    observed_at_ms: now - 3000,
    live_cycle_id: null,
    chain: [
      deployment(now, "d2", "demo-2", {
        live: true,
        predecessor: "d1",
        predecessor_release_id: "demo-1",
        at_ms: now - 1_800_000,
      }),
      deployment(now, "d1", "demo-1", {
        at_ms: now - 5_400_000,
        ended_at_ms: now - 1_800_000,
        subject: "First light",
      }),
    ],
    ...more,
  };
}

/** A cycle of the demo, with exceptions. */
export function cycleSummary(now: number, id: string, more: Partial<CycleSummaryDto> = {}): CycleSummaryDto {
  return {
    id,
    kind: "release",
    state: "queued",
    terminal: false,
    summary: "It waits for its turn.",
    project: "demo-service",
    target: "demo",
    branch: "att/self-bootstrap-1f2e3d4c",
    subject: "Answer faster (and break the health check)",
    actor: "person ann (desktop)",
    started_at_ms: now,
    updated_at_ms: now,
    decision_id: null,
    ...more,
  };
}

/** The project of the demo and what was released from it. */
export function releases(now: number, more: Partial<ReleasesDto> = {}): ReleasesDto {
  return {
    projects: [
      {
        project: "demo-service",
        path: "/home/ann/att/.demo/project",
        base: "main",
        config_digest: "c0ffee",
        config_approved: true,
        config_commands: ["demo deploy: ./deploy.sh", "demo health: ./health.sh"],
        demo: true,
        problem: null,
      },
    ],
    targets: [target(now)],
    cycles: [],
    ...more,
  };
}

/** A cycle whose first `done` stages passed; the next one is in `state`. */
export function cycle(now: number, summary: CycleSummaryDto, done: number, state = "running"): CycleDto {
  const stages: StageDto[] = STAGES.map((stage, index) => {
    const began = now - (done - index) * 2000;
    if (stage === "opening_pr" && index <= done) {
      return {
        stage,
        state: "not_run",
        started_at_ms: null,
        ended_at_ms: null,
        detail: "This repository has no PR host.",
        has_output: false,
      };
    }
    if (stage === "health_checking" && index < done) {
      return {
        stage,
        state: "failed",
        started_at_ms: began,
        ended_at_ms: began + 1700,
        detail: "GET /health answered 500.",
        has_output: true,
      };
    }
    if (index < done)
      return {
        stage,
        state: "passed",
        started_at_ms: began,
        ended_at_ms: began + 1700,
        detail: null,
        has_output: stage === "testing" || stage === "deploying",
      };
    if (index === done && !summary.terminal) {
      return {
        stage,
        state,
        started_at_ms: began,
        ended_at_ms: null,
        detail: null,
        has_output: stage === "testing" || stage === "deploying" || stage === "rolling_back",
      };
    }
    return {
      stage,
      state: "not_run",
      started_at_ms: null,
      ended_at_ms: null,
      detail: null,
      has_output: false,
    };
  });
  return {
    summary,
    stages,
    readiness:
      done > STAGES.indexOf("readying")
        ? ["deploy_failure", "restart_watchdog_failure", "health_failure"].map((failure_class) => ({
            failure_class,
            allowed: failure_class !== "deploy_failure",
            reason:
              failure_class === "deploy_failure"
                ? "rollback_disabled_for_deploy_failure"
                : "rollback_target_validated",
            target_release_id: failure_class === "deploy_failure" ? null : "demo-2",
            needs_person: failure_class !== "deploy_failure",
            text:
              failure_class === "deploy_failure"
                ? "Nothing would be rolled back."
                : "It would go back to demo-2, after a person approved it.",
          }))
        : [],
    result: [
      { name: "deployed_release_id", value: done > STAGES.indexOf("deploying") ? "demo-3" : null },
      { name: "rollback_target_release_id", value: done > STAGES.indexOf("readying") ? "demo-2" : null },
      { name: "health_status", value: done > STAGES.indexOf("health_checking") ? "failed" : null },
      { name: "pr_url", value: null },
    ],
    actions: summary.terminal ? [] : ["cancel"],
    resumes: 0,
    linked_cycle_id: null,
  };
}
