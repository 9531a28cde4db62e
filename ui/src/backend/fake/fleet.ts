import type { AttemptDto, FacetDto, FacetsDto, ServerRowDto } from "../port";

/** A facet that has held for `ago` ms. */
export function facet(now: number, state: string, ago = 300_000, more: Partial<FacetDto> = {}): FacetDto {
  return {
    state,
    since_ms: now - ago,
    reason_code: null,
    reason: null,
    next_action_at_ms: null,
    attempt: null,
    ...more,
  };
}

/** Facets of a server in good order, with exceptions. */
export function facets(now: number, more: Partial<FacetsDto> = {}): FacetsDto {
  return {
    admin: facet(now, "enabled"),
    connection: facet(now, "ready"),
    health: facet(now, "healthy"),
    breaker: facet(now, "closed"),
    ...more,
  };
}

/** One attempt that went well, with exceptions. */
export function attempt(server: string, more: Partial<AttemptDto> = {}): AttemptDto {
  return {
    server,
    generation: 1,
    era: "legacy",
    stage: "initialize",
    outcome: "replied_ok",
    error: null,
    error_category: null,
    excluded_reason: null,
    queue_ms: 0.1,
    connect_ms: 41,
    first_byte_ms: 12,
    total_ms: 53,
    breaker_before: "closed",
    breaker_after: "closed",
    ...more,
  };
}

/** A healthy server, with exceptions. */
export function row(now: number, server: string, more: Partial<ServerRowDto> = {}): ServerRowDto {
  return {
    server,
    transport: "stdio",
    era: "modern",
    protocol_version: "2026-07-28",
    status: "healthy",
    summary: "Ready, and its last probe was answered.",
    facets: facets(now),
    tools: 6,
    resources: 3,
    resource_templates: 1,
    prompts: 2,
    connect_ms: 53,
    error: null,
    error_code: null,
    error_cure: null,
    attempts: [attempt(server)],
    since_ms: now - 300_000,
    next_action_at_ms: null,
    suggested_action: "none",
    snapshot_id: "b1946ac92492d2347c6235b4d2611184",
    latency_ms: 2.4,
    latency_history_ms: Array.from({ length: 30 }, (_, i) => 2 + Math.abs(Math.sin(i * 1.7)) * 1.5),
    pid: 4711,
    drifted: false,
    ...more,
  };
}

/** The five servers of the demo, as they may stand at one moment. */
export function demoFleet(now: number): ServerRowDto[] {
  return [
    row(now, "drifting", {
      drifted: true,
      summary: "Ready. Its surface differs from the first snapshot.",
      suggested_action: "review_drift",
    }),
    row(now, "echo-http", {
      transport: "streamable_http",
      era: "legacy",
      protocol_version: "2025-11-25",
      tools: 2,
      resources: null,
      prompts: null,
      latency_ms: 11,
      pid: 4720,
    }),
    row(now, "everything"),
    row(now, "flapping", {
      transport: "streamable_http",
      era: "legacy",
      status: "unreachable",
      summary: "It refused the last 3 connections; the next attempt comes by itself.",
      facets: facets(now, {
        connection: facet(now, "backoff", 9000, {
          reason_code: "transport_error",
          reason: "connection refused",
          attempt: 4,
          next_action_at_ms: now + 12_000,
        }),
        health: facet(now, "unreachable", 9000, {
          reason_code: "consecutive_failures",
          reason: "3 failures one after the other",
        }),
      }),
      attempts: [
        attempt("flapping", {
          outcome: "not_sent",
          error: "connection refused (127.0.0.1:9904)",
          error_category: "transport_error",
          first_byte_ms: null,
          connect_ms: 1,
          total_ms: 1,
        }),
      ],
      error: "connection refused (127.0.0.1:9904)",
      error_code: "ATT-MCP-007",
      error_cure: "See whether the server runs and listens on that port.",
      since_ms: now - 9000,
      next_action_at_ms: now + 12_000,
      suggested_action: "retry_now",
      latency_ms: null,
    }),
    row(now, "slow", {
      status: "degraded",
      summary: "It answers, but needs more than 5 s.",
      facets: facets(now, {
        health: facet(now, "degraded", 65_000, { reason_code: "slow", reason: "the last probe took 6.02 s" }),
      }),
      latency_ms: 6020,
      latency_history_ms: [5900, 6100, 6020, 6040, 5980, 6020],
      since_ms: now - 65_000,
      suggested_action: "view_logs",
    }),
  ];
}

/** One that waits for consent to its command. */
export function unapproved(now: number): ServerRowDto {
  return row(now, "new-tool", {
    status: "consent_required",
    summary: "Its command was not approved yet.",
    facets: facets(now, {
      admin: facet(now, "consent_required", 5000),
      connection: facet(now, "idle", 5000),
      health: facet(now, "unknown", 5000),
    }),
    era: null,
    protocol_version: null,
    tools: null,
    latency_ms: null,
    latency_history_ms: [],
    suggested_action: "approve_command",
    snapshot_id: null,
    attempts: [],
    pid: null,
  });
}

/** One that wants to know who asks, and one whose secret is not set. */
export function locked(now: number): ServerRowDto[] {
  const waits = (code: string, reason: string) => ({
    status: "auth_required",
    summary: reason,
    facets: facets(now, {
      connection: facet(now, "auth_required", 5000, { reason_code: code, reason }),
      health: facet(now, "unknown", 5000),
    }),
    tools: null,
    latency_ms: null,
    latency_history_ms: [],
    snapshot_id: null,
    pid: null,
  });
  return [
    row(now, "tickets", {
      transport: "streamable_http",
      ...waits("auth_required", "it wants to know who asks (401)"),
      suggested_action: "authorize",
    }),
    row(now, "vault", {
      ...waits(
        "secret_missing",
        "the secret ${keyring:vault-token} is not set; set it with `att secret set`",
      ),
      suggested_action: "set_secret",
    }),
  ];
}

/** Many servers, most of them well. */
export function bigFleet(now: number, size: number): ServerRowDto[] {
  const five = demoFleet(now);
  return Array.from({ length: size }, (_, index) => {
    const like = index % 23 === 0 ? five[3] : index % 17 === 0 ? five[4] : five[index % 3];
    return { ...(like ?? row(now, "x")), server: `server-${String(index).padStart(4, "0")}` };
  });
}
