import { useBackend } from "@/backend/BackendProvider";
import { useAct, useSessions } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Field, Fields } from "@/components/Field";
import { StateWord } from "@/components/StateWord";
import { Since } from "@/components/Time";

const FRESHNESS: Record<string, [word: string, label: string]> = {
  active_recent: ["ok", "active lately"],
  stale: ["stale", "stale: no answer for a while"],
  unknown: ["unknown", "unknown: nothing was answered yet"],
};

/** The session with one server, and how to drop it or make it anew. No other server is touched by either. */
export function SessionCard({ server }: { server: string }) {
  const backend = useBackend();
  const sessions = useSessions();
  const session = sessions.data?.find((each) => each.server === server);
  const invalidate = useAct(() => backend.sessionInvalidate(server));
  const renew = useAct(() => backend.sessionRefresh(server));
  const error = invalidate.error ?? renew.error;
  const [word, label] = FRESHNESS[session?.freshness ?? "unknown"] ?? ["unknown", "unknown"];
  return (
    <Card
      title="Session"
      data-testid="session"
      data-state={session?.freshness ?? ""}
      aside={
        <>
          <Button
            small
            data-testid="session-invalidate"
            busy={invalidate.isPending}
            title="Calls under way end first; the next use makes a new session."
            onClick={() => invalidate.mutate(undefined)}
          >
            Drop it
          </Button>
          <Button
            small
            data-testid="session-refresh"
            busy={renew.isPending}
            title="Drops the session and makes a new one now."
            onClick={() => renew.mutate(undefined)}
          >
            Make it anew
          </Button>
        </>
      }
    >
      {error ? (
        <div className="mb-3">
          <ErrorPanel error={error} title="The session was not changed" />
        </div>
      ) : null}
      {sessions.error ? <ErrorPanel error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {session ? (
        <Fields>
          <Field name="Usable now">
            <StateWord word={session.active ? "ok" : "idle"} label={session.active ? "yes" : "no"} />
          </Field>
          <Field name="Handshake">{session.initialized ? "done" : "not done"}</Field>
          <Field name="Last activity">
            <Since at={session.last_activity_at_ms} suffix=" ago" />
          </Field>
          <Field name="Freshness">
            <StateWord word={word} label={label} />
          </Field>
        </Fields>
      ) : null}
      {sessions.data && !session ? <p className="text-ink-faint">There is none.</p> : null}
    </Card>
  );
}
