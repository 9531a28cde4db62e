import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { Button } from "@/components/Button";
import { Card, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count } from "@/components/format";
import { WireEntry } from "./WireEntry";
import { filtered, MOST_WIRE_ENTRIES, type WireFilter, type WireView, withPage } from "./wire";

const PAGE = 200;
const FOLLOW_MS = 1000;
const SHOWN = 200;

function useWire(server: string, follow: boolean) {
  const backend = useBackend();
  const client = useQueryClient();
  const queryKey = ["wire", server];
  return useQuery({
    queryKey,
    queryFn: async () => {
      const before = client.getQueryData<WireView>(queryKey);
      return withPage(before, await backend.serverWire(server, before?.nextSeq ?? null, PAGE));
    },
    refetchInterval: follow ? FOLLOW_MS : false,
    gcTime: 0,
  });
}

function Filter({ filter, onChange }: { filter: WireFilter; onChange: (filter: WireFilter) => void }) {
  const select = "h-7 rounded-md border border-edge bg-panel px-1.5 text-ink";
  return (
    <>
      <input
        type="search"
        aria-label="Search method, id or text"
        placeholder="Search method, id, text"
        data-testid="wire-search"
        value={filter.text}
        onChange={(event) => onChange({ ...filter, text: event.target.value })}
        className="h-7 w-48 rounded-md border border-edge bg-panel px-2 text-ink placeholder:text-ink-faint"
      />
      <select
        aria-label="Direction"
        data-testid="wire-direction"
        value={filter.direction}
        onChange={(event) => onChange({ ...filter, direction: event.target.value })}
        className={select}
      >
        <option value="">both ways</option>
        <option value="out">to the server</option>
        <option value="in">from the server</option>
      </select>
      <select
        aria-label="Kind"
        data-testid="wire-kind"
        value={filter.kind}
        onChange={(event) => onChange({ ...filter, kind: event.target.value })}
        className={select}
      >
        <option value="">every kind</option>
        <option value="request">requests</option>
        <option value="response">responses</option>
        <option value="notification">notifications</option>
        <option value="error">errors</option>
      </select>
    </>
  );
}

function Open({ server, onClose }: { server: string; onClose: () => void }) {
  const [follow, setFollow] = useState(true);
  const [filter, setFilter] = useState<WireFilter>({ text: "", direction: "", kind: "" });
  const wire = useWire(server, follow);
  const entries = wire.data?.entries ?? [];
  const found = filtered(entries, filter);
  const shown = found.slice(-SHOWN).reverse();
  return (
    <Card
      title="Wire log"
      data-testid="wire-log"
      flush
      aside={
        <>
          <Filter filter={filter} onChange={setFilter} />
          <Button small aria-pressed={follow} data-testid="wire-follow" onClick={() => setFollow(!follow)}>
            {follow ? "Hold" : "Follow"}
          </Button>
          <Button small look="quiet" onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      {wire.isPending ? <Skeleton rows={3} label="Reading the wire log" /> : null}
      {wire.error ? (
        <div className="p-4">
          <ErrorPanel
            error={wire.error}
            title="The wire log cannot be read"
            onRetry={() => void wire.refetch()}
          />
        </div>
      ) : null}
      {wire.data ? (
        <>
          <p className="border-b border-line px-4 py-1.5 text-small text-ink-faint">
            {found.length === entries.length
              ? count(entries.length, "message")
              : `${found.length} of ${count(entries.length, "message")}`}
            , newest first{found.length > SHOWN ? `; the last ${SHOWN} are shown` : ""}. At most{" "}
            {MOST_WIRE_ENTRIES} are held here; secrets are left out.
            {wire.data.source === "disk" ? " Another process writes them; they are read from the disk." : ""}
          </p>
          <ol className="max-h-[32rem] overflow-y-auto" data-testid="wire-entries">
            {shown.map((entry) => (
              <WireEntry key={entry.seq} entry={entry} all={entries} />
            ))}
          </ol>
          {shown.length === 0 ? (
            <p className="p-4 text-ink-faint">
              {entries.length === 0 ? "Nothing has gone over the wire yet." : "Nothing fits the filter."}
            </p>
          ) : null}
        </>
      ) : null}
    </Card>
  );
}

/** Every message as it went over the wire. Read only while it is open. */
export function WireLog({ server, opened }: { server: string; opened: boolean }) {
  const [open, setOpen] = useState(opened);
  if (open) return <Open server={server} onClose={() => setOpen(false)} />;
  return (
    <Card
      title="Wire log"
      data-testid="wire-log"
      aside={
        <Button small data-testid="wire-open" onClick={() => setOpen(true)}>
          Show messages
        </Button>
      }
    >
      <p className="text-ink-faint">
        Every JSON-RPC message to and from this server, in order, with its size and time.
      </p>
    </Card>
  );
}
