import { memo } from "react";
import type { ServerRowDto } from "@/backend/port";
import { duration, transportName } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { neutralise } from "@/components/hostile";
import { Sparkline } from "@/components/Sparkline";
import { StateWord } from "@/components/StateWord";
import { Countdown, Since } from "@/components/Time";
import { to } from "@/routes";
import { SuggestedAction } from "./SuggestedAction";

const QUIET = <span className="text-ink-faint">–</span>;

/** What the status word leaves out: which kind of degraded, which attempt. */
function statusNote(row: ServerRowDto): string | null {
  const { health, connection } = row.facets;
  if (row.status === "degraded" && health.reason_code) return health.reason_code.replaceAll("_", " ");
  if (connection.state === "backoff" && connection.attempt !== null) return `attempt ${connection.attempt}`;
  return null;
}

/** One server of the fleet. */
export const FleetRow = memo(function FleetRow({
  row,
  index,
  top,
  height,
}: {
  row: ServerRowDto;
  index: number;
  top: number;
  height: number;
}) {
  const note = statusNote(row);
  const summary = neutralise(row.summary.slice(0, 300));
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-testid={`server-row-${row.server}`}
      data-status={row.status}
      data-connection={row.facets.connection.state}
      data-health={row.facets.health.state}
      data-health-reason={row.facets.health.reason_code ?? ""}
      className="fleet-grid absolute inset-x-0 border-b border-line px-4 hover:bg-raised"
      style={{ transform: `translateY(${top}px)`, height }}
    >
      <Cell>
        <a
          href={to.server(row.server)}
          title={summary}
          className="block truncate font-medium hover:text-accent hover:underline"
        >
          <bdi>{row.server}</bdi>
        </a>
        <span className="fleet-sub truncate text-tiny text-ink-faint">
          {transportName(row.transport)}
          {row.era ? ` · ${row.era}` : ""}
        </span>
      </Cell>
      <Cell title={summary}>
        <StateWord word={row.status} className="max-w-full" />
        {note ? (
          <span className="block truncate pl-5.5 text-tiny leading-3.5 text-ink-faint">{note}</span>
        ) : null}
      </Cell>
      <Cell className="fleet-wide text-ink-soft">{transportName(row.transport)}</Cell>
      <Cell className="fleet-wide text-ink-soft">{row.era ?? QUIET}</Cell>
      <Cell className="fleet-middle text-ink-soft">
        <Since at={row.since_ms} />
      </Cell>
      <Cell className="flex items-center justify-between gap-2">
        <span className="tabular-nums">{row.latency_ms === null ? QUIET : duration(row.latency_ms)}</span>
        <span className="fleet-middle">
          <Sparkline values={row.latency_history_ms} />
        </span>
      </Cell>
      <Cell className="fleet-middle text-right tabular-nums text-ink-soft">{row.tools ?? QUIET}</Cell>
      <Cell className="text-ink-soft">
        {row.error ? (
          <>
            <HostileLine text={row.error} />
            {row.error_code ? (
              <span className="block truncate text-tiny text-ink-faint">{row.error_code}</span>
            ) : null}
          </>
        ) : (
          QUIET
        )}
      </Cell>
      <Cell className="text-ink-soft">
        {row.facets.connection.state === "backoff" ? (
          <span data-testid={`server-row-${row.server}-next-retry`}>
            <Countdown
              at={row.facets.connection.next_action_at_ms ?? row.next_action_at_ms}
              over="any moment"
            />
          </span>
        ) : (
          QUIET
        )}
      </Cell>
      <Cell className="flex justify-end">
        <SuggestedAction row={row} testid={`server-row-${row.server}`} />
      </Cell>
    </div>
  );
});

function Cell({
  className = "",
  title,
  children,
}: {
  className?: string;
  title?: string;
  children: React.ReactNode;
}) {
  return (
    <div role="cell" title={title} className={`min-w-0 ${className}`}>
      {children}
    </div>
  );
}
