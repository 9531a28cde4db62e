import type { QueryClient } from "@tanstack/react-query";
import type { Topic } from "./port";

/** Query keys begin with one of these; a topic refreshes each group that shows something of it. */
const GROUPS: Record<Topic, string[]> = {
  fleet: ["fleet", "server"],
  snapshots: ["server", "fleet"],
  events: ["events"],
  releases: ["releases", "cycle"],
  output: ["output"],
  decisions: ["decisions", "decision", "system"],
  system: ["system"],
};

const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 3000;

/**
 * Turns notices into re-reads: one at a time per group, with a pause that grows with what a read costs.
 *
 * A plain invalidation for each notice would cancel the read under way, and a busy fleet would never be shown.
 */
export class Refresher {
  private readonly busy = new Set<string>();
  private readonly again = new Set<string>();
  private readonly client: QueryClient;

  constructor(client: QueryClient) {
    this.client = client;
  }

  /** Something under `topic` is newer than what is on screen. */
  notice(topic: Topic): void {
    for (const group of GROUPS[topic] ?? []) {
      if (this.busy.has(group)) this.again.add(group);
      else void this.run(group);
    }
  }

  private async run(group: string): Promise<void> {
    this.busy.add(group);
    do {
      this.again.delete(group);
      const began = performance.now();
      await this.client.invalidateQueries({ queryKey: [group] });
      const cost = performance.now() - began;
      const pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, cost * 2));
      await new Promise((resolve) => setTimeout(resolve, pause));
    } while (this.again.has(group));
    this.busy.delete(group);
  }
}
