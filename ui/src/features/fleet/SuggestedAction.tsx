import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { OperationError, ServerRowDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { go, to } from "@/routes";
import { ApproveCommand } from "./ApproveCommand";
import { AuthorizeAction } from "./AuthorizeAction";
import { SecretAction } from "./SecretAction";

function Refused({ error }: { error: OperationError | null }) {
  return error ? (
    <span role="alert" title={error.report.cure ?? undefined} className="mr-2 truncate text-small text-bad">
      {error.report.message}
    </span>
  ) : null;
}

/** The one thing the backend suggests for this server, as a button. Every face shows the same answer. */
export function SuggestedAction({ row, testid }: { row: ServerRowDto; testid: string }) {
  const backend = useBackend();
  const [showingCommand, setShowingCommand] = useState(false);
  const retry = useAct(() => backend.serverRetry(row.server));
  const enable = useAct(() => backend.serverSetEnabled(row.server, true));

  // In a backoff the wait can always be cut short; an authorization under way can be looked at and given up.
  const { state } = row.facets.connection;
  const action =
    row.suggested_action !== "none"
      ? row.suggested_action
      : state === "backoff"
        ? "retry_now"
        : state === "authorizing"
          ? "authorize"
          : "none";

  switch (action) {
    case "retry_now":
      return (
        <>
          <Refused error={retry.error} />
          <Button
            small
            busy={retry.isPending}
            data-testid={`${testid}-retry`}
            onClick={() => retry.mutate(undefined)}
          >
            Retry now
          </Button>
        </>
      );
    case "enable":
      return (
        <>
          <Refused error={enable.error} />
          <Button
            small
            busy={enable.isPending}
            data-testid={`${testid}-enable`}
            onClick={() => enable.mutate(undefined)}
          >
            Enable
          </Button>
        </>
      );
    case "approve_command":
      return (
        <>
          <Button small data-testid={`${testid}-approve`} onClick={() => setShowingCommand(true)}>
            Show command…
          </Button>
          {showingCommand ? (
            <ApproveCommand server={row.server} onClose={() => setShowingCommand(false)} />
          ) : null}
        </>
      );
    case "view_logs":
      return (
        <>
          {row.facets.connection.state === "backoff" ? (
            <Button
              small
              look="quiet"
              busy={retry.isPending}
              data-testid={`${testid}-retry`}
              onClick={() => retry.mutate(undefined)}
            >
              Retry
            </Button>
          ) : null}
          <Button small data-testid={`${testid}-logs`} onClick={() => go(to.server(row.server, "logs"))}>
            View logs
          </Button>
        </>
      );
    case "review_drift":
      return (
        <Button small data-testid={`${testid}-drift`} onClick={() => go(to.server(row.server, "snapshots"))}>
          Review changes
        </Button>
      );
    case "authorize":
      return <AuthorizeAction row={row} testid={testid} />;
    case "set_secret":
      return <SecretAction row={row} testid={testid} />;
    default:
      return null;
  }
}
