import { useCallsUnderWay } from "@/backend/queries";
import { HostileText } from "@/components/HostileText";
import { Countdown, Since } from "@/components/Time";
import { to } from "@/routes";

/** How far a call under way is, in the server's words, and when it ends at the latest. */
export function CallProgress({ requestId }: { requestId: string }) {
  const calls = useCallsUnderWay();
  const call = calls.data?.find((each) => each.request_id === requestId);
  if (!call) return null;
  const { progress } = call;
  const total = progress?.total ?? null;
  const reached = progress?.progress ?? 0;
  return (
    <div data-testid="call-progress" role="status" className="space-y-1 text-small text-ink-soft">
      <p className="flex flex-wrap gap-x-3">
        <span>
          {call.server ? (
            <>
              Asking <bdi>{call.server}</bdi>
            </>
          ) : (
            "Waiting for a server"
          )}{" "}
          for <Since at={call.since_ms} />
        </span>
        {call.deadline_ms !== null ? (
          <span>
            ends in <Countdown at={call.deadline_ms} over="a moment" /> at the latest
          </span>
        ) : null}
        {call.open_questions > 0 ? (
          <a href={to.decisions()} className="text-accent hover:underline">
            The server asks you something
          </a>
        ) : null}
      </p>
      {progress ? (
        <div>
          {total !== null && total > 0 ? (
            <progress
              aria-label="Progress"
              max={total}
              value={Math.min(reached, total)}
              className="h-2 w-full"
            />
          ) : null}
          <p>
            {reached}
            {total !== null ? ` of ${total}` : ""}
            {progress.message ? (
              <>
                {": "}
                <HostileText text={progress.message} limit={200} />
              </>
            ) : null}
          </p>
        </div>
      ) : null}
    </div>
  );
}
