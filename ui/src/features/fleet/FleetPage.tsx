import { Plus, RotateCw, Search } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { useAct, useFleet, useSystem } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Empty, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count } from "@/components/format";
import { ImportDialog } from "@/features/import/ImportDialog";
import { AddServer } from "./AddServer";
import { AllAtOnceAnswer, AllAtOnceButtons, useAllAtOnce } from "./AllAtOnce";
import { FleetTable } from "./FleetTable";

const EXAMPLE = `{"mcpServers": {
  "files": {
    "command": "npx",
    "args": ["-y", "@modelcontextprotocol/server-filesystem", "/srv"]
  },
  "search": {"url": "http://127.0.0.1:9901/mcp"}
}}`;

function HowToAdd({ home }: { home: string | undefined }) {
  return (
    <Empty title="No servers yet">
      <p>
        Name them in <code className="font-mono text-small">{home ? `${home}/mcp.json` : "mcp.json"}</code>,
        the same form that other MCP clients read, or add or import them here.
      </p>
      <pre className="overflow-x-auto rounded-md border border-line bg-panel p-3 text-left font-mono text-small text-ink">
        {EXAMPLE}
      </pre>
      <p>A command runs only after you have seen and approved it here.</p>
    </Empty>
  );
}

/** Is every server fit to be used, and if not, what happens next and when? */
export function FleetPage() {
  const backend = useBackend();
  const fleet = useFleet();
  const system = useSystem();
  const [search, setSearch] = useState("");
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const all = useAllAtOnce();
  const needle = useDeferredValue(search).trim().toLowerCase();
  const reload = useAct(() => backend.fleetReload());
  const servers = fleet.data?.servers;
  const found = useMemo(
    () =>
      (servers ?? []).filter(
        (row) =>
          !needle ||
          [row.server, row.status, row.transport, row.era, row.error, row.summary].some((text) =>
            text?.toLowerCase().includes(needle),
          ),
      ),
    [servers, needle],
  );
  return (
    <Page
      fill
      title="Fleet"
      aside={
        <>
          <span className="text-small text-ink-faint" role="status">
            {servers
              ? needle
                ? `${found.length} of ${servers.length}`
                : count(servers.length, "server")
              : ""}
          </span>
          <label className="relative">
            <span className="sr-only">Search the fleet</span>
            <Search aria-hidden className="absolute top-2 left-2 size-4 text-ink-faint" />
            <input
              type="search"
              value={search}
              data-testid="fleet-search"
              placeholder="Search name, status, error"
              onChange={(event) => setSearch(event.target.value)}
              className="h-8 w-44 rounded-md border border-edge bg-panel pr-2 pl-8 placeholder:text-ink-faint"
            />
          </label>
          <AllAtOnceButtons all={all} />
          <Button data-testid="import-open" onClick={() => setImporting(true)}>
            Import…
          </Button>
          <Button data-testid="server-add" onClick={() => setAdding(true)}>
            <Plus aria-hidden className="size-4" />
            Add…
          </Button>
          <Button
            busy={reload.isPending}
            data-testid="fleet-reload"
            title="Reads mcp.json again."
            onClick={() => reload.mutate(undefined)}
          >
            <RotateCw aria-hidden className="size-4" />
            Reload
          </Button>
        </>
      }
    >
      <AllAtOnceAnswer all={all} />
      {importing ? <ImportDialog onClose={() => setImporting(false)} /> : null}
      {adding ? <AddServer onClose={() => setAdding(false)} /> : null}
      {reload.error ? (
        <div className="mb-3">
          <ErrorPanel error={reload.error} title="mcp.json was not read" />
        </div>
      ) : null}
      {fleet.error ? (
        <div className="mb-3">
          <ErrorPanel
            error={fleet.error}
            title={
              servers
                ? "This is the fleet as last seen: it cannot be read just now"
                : "The fleet cannot be read"
            }
            onRetry={() => void fleet.refetch()}
          />
        </div>
      ) : null}
      {fleet.isPending ? <Skeleton rows={6} label="Loading the fleet" /> : null}
      {servers?.length === 0 ? <HowToAdd home={system.data?.home} /> : null}
      {servers && servers.length > 0 ? (
        found.length > 0 ? (
          <FleetTable servers={found} />
        ) : (
          <Empty title="Nothing fits the search">
            <Button onClick={() => setSearch("")}>Show all servers</Button>
          </Empty>
        )
      ) : null}
    </Page>
  );
}
