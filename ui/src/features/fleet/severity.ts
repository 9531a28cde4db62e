import type { ServerRowDto } from "@/backend/port";

/** Status words of design 4, worst first: what needs an eye stands on top. */
const ORDER = [
  "unreachable",
  "quarantined",
  "auth_required",
  "consent_required",
  "throttled",
  "degraded",
  "connecting",
  "stopped",
  "healthy",
  "disabled",
];

/** Place of a status in the worst-first order; a word of a newer backend comes first. */
export function rank(status: string): number {
  return ORDER.indexOf(status);
}

/** Worst first. */
export function bySeverity(a: string, b: string): number {
  return rank(a) - rank(b) || a.localeCompare(b);
}

/** How many servers have each status. */
export function countStatuses(servers: ServerRowDto[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { status } of servers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}
