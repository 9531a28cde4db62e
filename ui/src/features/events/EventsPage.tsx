import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import type { EventDto, EventFilterDto } from "@/backend/port";
import { useEvents, useFleet } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Empty, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { dateTime, timeOfDay } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { go, type Route, to } from "@/routes";

const KINDS = [
  "ConnectionChanged",
  "HealthChanged",
  "InvocationPhase",
  "SnapshotTaken",
  "DriftFound",
  "ServerStderr",
];
const FIELD = "h-8 rounded-md border border-edge bg-panel px-2 placeholder:text-ink-faint";
const GRID = "grid grid-cols-[4.5rem_9.5rem_minmax(6rem,9rem)_minmax(0,1fr)_6.5rem] items-center gap-3 px-4";

function Event({ event, open, onToggle }: { event: EventDto; open: boolean; onToggle: () => void }) {
  return (
    <>
      <div className={`${GRID} h-9 hover:bg-raised`}>
        <time className="text-small text-ink-faint tabular-nums" title={dateTime(event.at_ms)}>
          {timeOfDay(event.at_ms)}
        </time>
        <button
          type="button"
          aria-expanded={open}
          onClick={onToggle}
          className="truncate text-left font-medium hover:underline"
        >
          {event.kind}
        </button>
        <a href={to.server(event.server)} className="truncate hover:text-accent hover:underline">
          <bdi>{event.server}</bdi> <span className="text-ink-faint">#{event.generation}</span>
        </a>
        <HostileLine text={event.text} className="text-ink-soft" />
        {event.correlation_id ? (
          <a
            href={to.events({ correlation: event.correlation_id })}
            title={`Everything with correlation ${event.correlation_id}`}
            className="truncate text-right font-mono text-tiny text-accent hover:underline"
          >
            {event.correlation_id.slice(0, 12)}
          </a>
        ) : (
          <span />
        )}
      </div>
      {open ? (
        <div className="px-4 pb-2">
          <JsonView text={event.body} />
        </div>
      ) : null}
    </>
  );
}

function EventList({ events }: { events: EventDto[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<string | null>(null);
  const virtualizer = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 36,
    getItemKey: (index) => events[index]?.id ?? index,
    overscan: 12,
  });
  return (
    <div
      ref={scroller}
      data-testid="events-list"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable from the keyboard
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Events, newest first"
      className="min-h-0 flex-1 overflow-y-auto rounded-lg border border-line bg-panel"
    >
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const event = events[item.index];
          return event ? (
            <div
              key={item.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              data-testid="event-row"
              data-kind={event.kind}
              data-server={event.server}
              className="absolute inset-x-0 border-b border-line"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Event
                event={event}
                open={open === event.id}
                onToggle={() => setOpen(open === event.id ? null : event.id)}
              />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

/** What happened in the fleet, newest first. */
export function EventsPage({ route }: { route: Extract<Route, { view: "events" }> }) {
  const [server, setServer] = useState(route.server ?? "");
  const [kind, setKind] = useState("");
  const [correlation, setCorrelation] = useState(route.correlationId ?? "");
  const fleet = useFleet();
  const filter: EventFilterDto = {
    server: server || null,
    kind: kind || null,
    correlation_id: correlation.trim() || null,
    since_ms: null,
    limit: 500,
  };
  const query = useEvents(filter);
  const filtered = server !== "" || kind !== "" || correlation !== "";
  const names = [
    ...new Set([...(fleet.data?.servers.map((row) => row.server) ?? []), ...(server ? [server] : [])]),
  ];
  const showAll = () => {
    setServer("");
    setKind("");
    setCorrelation("");
    go(to.events());
  };
  return (
    <Page
      fill
      title="Events"
      aside={
        <>
          <select
            aria-label="Server"
            data-testid="events-server"
            value={server}
            onChange={(e) => setServer(e.target.value)}
            className={`${FIELD} max-w-44`}
          >
            <option value="">All servers</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <select
            aria-label="Kind"
            data-testid="events-kind"
            value={kind}
            onChange={(e) => setKind(e.target.value)}
            className={FIELD}
          >
            <option value="">All kinds</option>
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
          <input
            type="search"
            aria-label="Correlation id"
            data-testid="events-correlation"
            placeholder="Correlation id"
            value={correlation}
            onChange={(e) => setCorrelation(e.target.value)}
            className={`${FIELD} w-48 font-mono text-small`}
          />
          {filtered ? (
            <Button look="quiet" onClick={showAll}>
              Show all
            </Button>
          ) : null}
        </>
      }
    >
      {query.isPending ? <Skeleton rows={8} label="Loading the events" /> : null}
      {query.error ? (
        <div className="mb-3">
          <ErrorPanel
            error={query.error}
            title="The events cannot be read"
            onRetry={() => void query.refetch()}
          />
        </div>
      ) : null}
      {query.data && query.data.length > 0 ? <EventList events={query.data} /> : null}
      {query.data?.length === 0 ? (
        <Empty title={filtered ? "Nothing fits the filters" : "Nothing has happened yet"}>
          {filtered ? <Button onClick={showAll}>Show all events</Button> : null}
        </Empty>
      ) : null}
    </Page>
  );
}
