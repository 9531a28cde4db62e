import type { UseMutationResult } from "@tanstack/react-query";
import { useBackend } from "@/backend/BackendProvider";
import type { CheckDto, OperationError } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { StateWord } from "@/components/StateWord";
import { to } from "@/routes";

/** What is asked of every enabled server. */
export type AllAtOnce = UseMutationResult<CheckDto, OperationError, "connect" | "refresh">;

/** Connects, or reads the lists of, every enabled server; waits until each is done. */
export function useAllAtOnce(): AllAtOnce {
  const backend = useBackend();
  return useAct((wish: "connect" | "refresh") =>
    wish === "connect" ? backend.fleetConnectAll([]) : backend.fleetRefreshAll([]),
  );
}

/** The two buttons. */
export function AllAtOnceButtons({ all }: { all: AllAtOnce }) {
  const busy = (wish: string) => all.isPending && all.variables === wish;
  return (
    <>
      <Button
        data-testid="connect-all"
        title="Connects every enabled server now, without waiting for its next attempt."
        disabled={all.isPending}
        busy={busy("connect")}
        onClick={() => all.mutate("connect")}
      >
        Reconnect all
      </Button>
      <Button
        data-testid="refresh-all"
        title="Reads the lists of every enabled server again."
        disabled={all.isPending}
        busy={busy("refresh")}
        onClick={() => all.mutate("refresh")}
      >
        Refresh all
      </Button>
    </>
  );
}

/** What came of it: those that failed, each with its reason. */
export function AllAtOnceAnswer({ all }: { all: AllAtOnce }) {
  if (all.error) {
    return (
      <div className="mb-3">
        <ErrorPanel error={all.error} title="Not every server could be asked" />
      </div>
    );
  }
  if (!all.data) return null;
  const { results, failures, status } = all.data;
  const done = all.variables === "connect" ? "connected" : "read again";
  return (
    <div
      role="status"
      data-testid="all-answer"
      data-status={status}
      className="mb-3 rounded-md border border-line bg-panel px-4 py-2"
    >
      <p className="flex items-center justify-between gap-3">
        <StateWord
          word={status === "ok" ? "ok" : status === "partial" ? "partial" : "failed"}
          label={`${count(results.length, "server")} ${done}${failures.length > 0 ? `, ${failures.length} not` : ""}`}
        />
        <Button small look="quiet" onClick={() => all.reset()}>
          Close
        </Button>
      </p>
      {failures.length > 0 ? (
        <ul className="mt-1 max-h-32 overflow-y-auto text-small">
          {failures.map((row) => (
            <li key={row.server} className="flex min-w-0 gap-2">
              <a href={to.server(row.server)} className="shrink-0 font-medium hover:underline">
                <bdi>{row.server}</bdi>
              </a>
              <HostileLine text={row.error ?? row.summary} className="text-ink-soft" />
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
