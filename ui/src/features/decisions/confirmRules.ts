import type { DecisionDto } from "@/backend/port";

/** How long everything must have been right before a press counts: a press begun elsewhere is over by then. */
export const ARM_DELAY_MS = 300;

/** What still keeps "Roll back" off, as sentences; empty when nothing does. */
export function missing(decision: DecisionDto, typedId: string, reason: string, expired: boolean): string[] {
  const out: string[] = [];
  const target = decision.summary.rollback_target_release_id;
  if (expired) out.push("The time for this decision is over: evaluate it again.");
  if (decision.facts.length === 0 || decision.plan.length === 0) out.push("The facts are not all here yet.");
  if (decision.typed_id_required && (target === null || typedId !== target)) {
    out.push(`Type the release id ${target ?? ""} exactly.`);
  }
  const left = decision.reason_min_chars - [...reason.trim()].length;
  if (left > 0) out.push(`Give a reason: ${left} more character${left === 1 ? "" : "s"}.`);
  return out;
}

/** True when a rejection may be sent: it needs a reason, and nothing else. */
export function mayReject(decision: DecisionDto, reason: string): boolean {
  return [...reason.trim()].length >= decision.reason_min_chars;
}
