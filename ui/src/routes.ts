import { useSyncExternalStore } from "react";

const SERVER_PARTS = ["logs", "snapshots", "wire"] as const;

/** A part of a server's page that an address can lead to. */
export type ServerPart = (typeof SERVER_PARTS)[number];

/** Where the window stands. */
export type Route =
  | { view: "fleet" }
  | { view: "server"; server: string; at: ServerPart | null }
  | { view: "releases"; target: string | null }
  | { view: "cycle"; cycleId: string }
  | { view: "decisions" }
  | { view: "decision"; decisionId: string }
  | { view: "events"; correlationId: string | null; server: string | null };

function decode(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? "");
  } catch {
    return part ?? "";
  }
}

/** Reads a location's hash; what it does not know is the fleet. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  const argument = decode(rest.join("/"));
  switch (view) {
    case "server":
      return argument
        ? { view: "server", server: argument, at: SERVER_PARTS.find((part) => part === query) ?? null }
        : { view: "fleet" };
    case "releases":
      return { view: "releases", target: argument || null };
    case "cycle":
      return argument ? { view: "cycle", cycleId: argument } : { view: "releases", target: null };
    case "decisions":
      return { view: "decisions" };
    case "decision":
      return argument ? { view: "decision", decisionId: argument } : { view: "decisions" };
    case "events": {
      const filter = new URLSearchParams(query);
      return { view: "events", correlationId: filter.get("correlation"), server: filter.get("server") };
    }
    default:
      return { view: "fleet" };
  }
}

/** The hash that leads to a place. */
export const to = {
  fleet: () => "#/fleet",
  server: (server: string, at?: ServerPart) =>
    `#/server/${encodeURIComponent(server)}${at === undefined ? "" : `?${at}`}`,
  releases: (target?: string) => (target ? `#/releases/${encodeURIComponent(target)}` : "#/releases"),
  cycle: (cycleId: string) => `#/cycle/${encodeURIComponent(cycleId)}`,
  decisions: () => "#/decisions",
  decision: (decisionId: string) => `#/decision/${encodeURIComponent(decisionId)}`,
  events: (filter?: { correlation?: string; server?: string }) => {
    const query = new URLSearchParams(filter as Record<string, string>).toString();
    return query ? `#/events?${query}` : "#/events";
  },
};

/** Goes there. */
export function go(hash: string): void {
  window.location.hash = hash;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

/** The hash as it stands. */
export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}
