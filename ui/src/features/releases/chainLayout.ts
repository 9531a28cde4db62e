import type { DeploymentDto } from "@/backend/port";

/** Height of one row of the chain, px. */
export const ROW = 52;
/** Width of the drawn gutter, px. */
export const GUTTER = 60;
/** Where the chain's own line runs, px. */
export const RAIL = 16;

/** A line from a deployment down to the one before it. */
export interface Link {
  from: number;
  to: number;
}

/** An arc from a rollback down to the deployment whose release it brought back. */
export interface Arc extends Link {
  path: string;
}

/** Middle of a row, px. */
export function middle(row: number): number {
  return row * ROW + ROW / 2;
}

/** Predecessor links between the rows on screen: the chain is these, not the order of the rows. */
export function links(chain: DeploymentDto[]): Link[] {
  return chain.flatMap((deployment, from) => {
    const to = chain.findIndex((each) => each.id === deployment.predecessor);
    return to >= 0 ? [{ from, to }] : [];
  });
}

/** For each rollback, the arc to the newest older deployment of the same release. */
export function arcs(chain: DeploymentDto[]): Arc[] {
  return chain.flatMap((deployment, from) => {
    if (deployment.kind !== "rollback") return [];
    const to = chain.findIndex((each, row) => row > from && each.release_id === deployment.release_id);
    if (to < 0) return [];
    const bend = Math.min(GUTTER - 6, RAIL + 16 + (to - from) * 6);
    const path = `M ${RAIL} ${middle(from)} C ${bend} ${middle(from)}, ${bend} ${middle(to)}, ${RAIL + 7} ${middle(to)}`;
    return [{ from, to, path }];
  });
}
