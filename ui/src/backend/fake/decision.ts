import type { DecisionDto, DecisionSummaryDto, InterruptionDto } from "../port";

/** A decision that waits, with exceptions. */
export function decisionSummary(now: number, more: Partial<DecisionSummaryDto> = {}): DecisionSummaryDto {
  return {
    id: "dec-1",
    version: 1,
    state: "awaiting_approval",
    cycle_id: "cyc-1",
    target: "demo",
    failure_class: "health_failure",
    deployment_context: "external",
    deployed_release_id: "demo-3",
    rollback_target_release_id: "demo-2",
    verdict:
      "A rollback from demo-3 to demo-2 is allowed, and because the target is external a person has to approve it.",
    at_ms: now - 20_000,
    expires_at_ms: now + 29 * 60_000,
    ...more,
  };
}

const GUARDS = [
  "safe_mode_active",
  "nothing_deployed_by_this_cycle",
  "target_changed",
  "rollback_in_progress",
  "rollback_target_quarantined",
  "rollback_target_not_in_chain",
  "rollback_target_never_healthy",
  "rollback_target_from_log_only",
  "rollback_target_unavailable",
  "rollback_loop",
  "freeze_window",
  "unspecified_target",
  "inconclusive_health",
];

/** A decision in depth, with exceptions. */
export function decision(
  now: number,
  summary = decisionSummary(now),
  more: Partial<DecisionDto> = {},
): DecisionDto {
  const fact = (id: string, value: string | null, source: string, stable = true) => ({
    id,
    value,
    source,
    observed_at_ms: now - 6000,
    stable,
  });
  return {
    summary,
    generation: 3,
    rule: 6,
    rule_text:
      "The class is switched on, there is an executor, and the target release is another one than the deployed.",
    reason: "rollback_target_validated",
    allowed: true,
    target_valid: true,
    digest: "sha256:9b74c9897bac770ffc029102a200c5de",
    failure_detail: "GET /health answered 500 twice (database is locked).",
    facts: [
      fact("live_release_id", "demo-3", "observe command"),
      fact("deployed_release_id", "demo-3", "this cycle"),
      fact("rollback_target_release_id", "demo-2", "ledger"),
      fact("target_generation", "3", "journal"),
      fact("health_probe", "HTTP 500 in 12 ms", "health command", false),
    ],
    guardrails: GUARDS.map((id) => ({
      id,
      outcome: id === "rollback_loop" ? "escalate" : "pass",
      evidence:
        id === "rollback_loop"
          ? "demo-2 was rolled back to an hour ago."
          : "Looked at the journal: nothing against it.",
      would_allow_if: id === "rollback_loop" ? "nobody had gone back to demo-2 within 24 h" : null,
    })),
    sources: [
      {
        source: "ledger",
        outcome: "won",
        current_release_id: "demo-3",
        previous_release_id: "demo-2",
        detail: null,
        elapsed_ms: 0.4,
      },
      {
        source: "runtime_log",
        outcome: "stale",
        current_release_id: "demo-1",
        previous_release_id: null,
        detail: "the log ends before this deploy",
        elapsed_ms: 2.1,
      },
      {
        source: "git",
        outcome: "not_asked",
        current_release_id: null,
        previous_release_id: null,
        detail: null,
        elapsed_ms: 0,
      },
    ],
    would_allow_if: [],
    diff: {
      commits: [
        {
          id: "8c7dd922ad47494fc02c388e12c00eac7d2f3a55",
          subject: "Answer faster (and break the health check)",
          author: "demo",
          at_ms: now - 90_000,
        },
      ],
      files: [
        { path: "service/health.py", status: "modified", insertions: 4, deletions: 1 },
        { path: "service/cache.py", status: "added", insertions: 31, deletions: 0 },
      ],
      truncated: false,
      unavailable: null,
    },
    plan: [
      {
        argv: ["./deploy.sh", "--release", "demo-2", "--note", "back to the last good"],
        cwd: "/home/ann/att/.demo/project",
        timeout_ms: 60_000,
      },
      { argv: ["./observe.sh"], cwd: "/home/ann/att/.demo/project", timeout_ms: 10_000 },
      { argv: ["./health.sh"], cwd: "/home/ann/att/.demo/project", timeout_ms: 10_000 },
    ],
    matrix: ["deploy_failure", "restart_watchdog_failure", "health_failure"].flatMap((failure_class) =>
      ["self_hosted", "external"].map((deployment_context) => ({
        failure_class,
        deployment_context,
        allowed: failure_class !== "deploy_failure",
        reason:
          failure_class === "deploy_failure"
            ? "rollback_disabled_for_deploy_failure"
            : "rollback_target_validated",
        current: failure_class === summary.failure_class && deployment_context === summary.deployment_context,
      })),
    ),
    tried_lately: [
      {
        at_ms: now - 3_600_000,
        actor: "person ann (cli)",
        text: "Rolled back from demo-2b to demo-2; it was verified.",
      },
    ],
    approval: {
      id: "app-1",
      state: "requested",
      requested_at_ms: now - 20_000,
      expires_at_ms: summary.expires_at_ms ?? now,
      actor: null,
      reason: null,
    },
    typed_id_required: summary.deployment_context === "external",
    reason_min_chars: 10,
    actions: summary.state === "awaiting_approval" ? ["approve", "reject"] : [],
    superseded_by: [],
    history: [{ at_ms: now - 20_000, actor: "engine", text: "Proposed after the health check failed." }],
    result: [],
    ...more,
  };
}

/** What waits in the inbox for that decision. */
export function interruption(now: number, more: Partial<InterruptionDto> = {}): InterruptionDto {
  return {
    id: "int-1",
    kind: "decision",
    title: "Roll demo back from demo-3 to demo-2?",
    detail: "The health check of demo-3 failed. The target is external, so a person decides.",
    target: "demo",
    server: null,
    cycle_id: "cyc-1",
    decision_id: "dec-1",
    since_ms: now - 20_000,
    actions: ["open_decision"],
    ...more,
  };
}
