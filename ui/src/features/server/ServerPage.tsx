import { ChevronRight, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ServerDetailDto } from "@/backend/port";
import { useAct, useServer } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card, Empty, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";
import { ApproveCommand } from "@/features/fleet/ApproveCommand";
import { SuggestedAction } from "@/features/fleet/SuggestedAction";
import { type ServerPart, to } from "@/routes";
import { AttemptsTable } from "./AttemptsTable";
import { CallPanel } from "./CallPanel";
import { Capabilities } from "./Capabilities";
import { Doctor } from "./Doctor";
import { FacetCards } from "./FacetCards";
import { InFile } from "./InFile";
import { ServerFacts } from "./ServerFacts";
import { SessionCard } from "./SessionCard";
import { Snapshots } from "./Snapshots";
import { StderrTail } from "./StderrTail";
import { WireLog } from "./WireLog";

function Actions({ detail }: { detail: ServerDetailDto }) {
  const backend = useBackend();
  const { row } = detail;
  const refresh = useAct(() => backend.serverRefresh(row.server));
  const enable = useAct((on: boolean) => backend.serverSetEnabled(row.server, on));
  const [showingCommand, setShowingCommand] = useState(false);
  const on = row.facets.admin.state !== "disabled";
  const error = refresh.error ?? enable.error;
  return (
    <>
      {error ? (
        <span role="alert" className="text-small text-bad" title={error.report.cure ?? undefined}>
          {error.report.message}
        </span>
      ) : null}
      {row.suggested_action === "view_logs" || row.suggested_action === "review_drift" ? null : (
        <SuggestedAction row={row} testid="server" />
      )}
      {detail.command?.approved ? (
        <Button small onClick={() => setShowingCommand(true)}>
          Command…
        </Button>
      ) : null}
      <Doctor server={row.server} />
      <Button
        small
        busy={refresh.isPending}
        data-testid="server-refresh"
        onClick={() => refresh.mutate(undefined)}
      >
        <RefreshCw aria-hidden className="size-3.5" />
        Take a snapshot
      </Button>
      {on || row.suggested_action !== "enable" ? (
        <Button small busy={enable.isPending} data-testid="server-enable" onClick={() => enable.mutate(!on)}>
          {on ? "Disable" : "Enable"}
        </Button>
      ) : null}
      {showingCommand ? (
        <ApproveCommand server={row.server} onClose={() => setShowingCommand(false)} />
      ) : null}
    </>
  );
}

function Detail({ detail, at }: { detail: ServerDetailDto; at: ServerPart | null }) {
  const { row } = detail;
  return (
    <>
      <p className="text-ink-soft" data-testid="server-summary">
        <HostileText text={row.summary} limit={400} />
      </p>
      {row.error ? (
        <ErrorPanel
          error={{ code: row.error_code ?? "error", message: row.error, cause: null, cure: row.error_cure }}
          title="The last error"
        />
      ) : null}
      <FacetCards facets={row.facets} />
      <div className="grid items-start gap-4 min-[1100px]:grid-cols-2">
        <div className="min-w-0 space-y-4">
          {detail.snapshot ? (
            <Capabilities snapshot={detail.snapshot} />
          ) : (
            <Card title="Capabilities">
              <Empty title="No snapshot yet">
                <p>The first is taken when the connection becomes ready.</p>
              </Empty>
            </Card>
          )}
          <ServerFacts detail={detail} />
        </div>
        <div className="min-w-0 space-y-4">
          <CallPanel server={row.server} group={detail.group} snapshot={detail.snapshot} />
          <SessionCard server={row.server} />
          <InFile server={row.server} />
        </div>
      </div>
      <div id="snapshots">
        <Snapshots server={row.server} snapshots={detail.snapshots} />
      </div>
      <Card
        title="The newest connect"
        aside={
          <a className="text-accent hover:underline" href={to.events({ server: row.server })}>
            Events of this server
          </a>
        }
      >
        <AttemptsTable attempts={row.attempts} testid="connect-attempts" />
      </Card>
      <div id="wire">
        <WireLog server={row.server} opened={at === "wire"} />
      </div>
      <div id="logs">
        <StderrTail lines={detail.stderr} transport={row.transport} />
      </div>
    </>
  );
}

/** One server in depth. */
export function ServerPage({ server, at = null }: { server: string; at?: ServerPart | null }) {
  const query = useServer(server);
  const row = query.data?.row;
  const here = row !== undefined;
  useEffect(() => {
    if (at && here) document.getElementById(at)?.scrollIntoView({ block: "start" });
  }, [at, here]);
  return (
    <Page
      title={
        <>
          <a href={to.fleet()} className="font-normal text-ink-faint hover:text-accent hover:underline">
            Fleet
          </a>
          <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-faint" />
          <bdi className="truncate">{server}</bdi>
          {row ? (
            <span data-testid="server-status" data-status={row.status}>
              <StateTag word={row.status} />
            </span>
          ) : null}
        </>
      }
      aside={query.data ? <Actions detail={query.data} /> : null}
    >
      {query.isPending ? <Skeleton rows={8} label={`Loading ${server}`} /> : null}
      {query.error ? (
        <ErrorPanel
          error={query.error}
          title="This server cannot be shown"
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {query.data ? <Detail detail={query.data} at={at} /> : null}
    </Page>
  );
}
