import { useEffect, useId, useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { DecisionDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Countdown, useIsPast } from "@/components/Time";
import { mayReject, missing } from "./confirmRules";
import { useArmed } from "./useArmed";

const FIELD = "w-full rounded-md border border-edge bg-panel px-2 disabled:opacity-60";

function useChangedWhileOpen(digest: string): boolean {
  const first = useRef(digest);
  return first.current !== digest;
}

/** The person's answer. It is bound to exactly what is on screen: version and digest go with it. */
export function ConfirmForm({ decision }: { decision: DecisionDto }) {
  const backend = useBackend();
  const ids = useId();
  const [typedId, setTypedId] = useState("");
  const [reason, setReason] = useState("");
  const { summary } = decision;
  const expiresAt = decision.approval?.expires_at_ms ?? summary.expires_at_ms;
  const expired = useIsPast(expiresAt);
  const changed = useChangedWhileOpen(decision.digest);
  const reject = useRef<HTMLButtonElement>(null);

  const approve = useAct(() =>
    backend.decisionApprove({
      decision_id: summary.id,
      version: summary.version,
      digest: decision.digest,
      typed_release_id: decision.typed_id_required ? typedId : null,
      reason: reason.trim(),
    }),
  );
  const refuse = useAct(() => backend.decisionReject(summary.id, summary.version, reason.trim()));

  const gaps = missing(decision, typedId, reason, expired);
  const sent = approve.isPending || approve.isSuccess || refuse.isPending || refuse.isSuccess;
  const { armed, handlers } = useArmed(
    gaps.length === 0 && !sent,
    `${summary.version}/${decision.digest}`,
    () => approve.mutate(undefined),
  );

  // A failed answer leaves the form standing; the focus goes to the answer that does nothing outside.
  useEffect(() => {
    if (approve.isError) reject.current?.focus();
  }, [approve.isError]);

  return (
    <Card
      title="Your decision"
      data-testid="confirm-form"
      className="border-wait"
      aside={
        expiresAt !== null ? (
          <span data-testid="time-left">
            time left{" "}
            <strong className="text-ink">
              <Countdown at={expiresAt} over="none" />
            </strong>
          </span>
        ) : null
      }
    >
      <div className="space-y-3">
        {changed ? (
          <p
            role="status"
            data-testid="facts-changed"
            className="rounded-md bg-warn-wash px-3 py-2 text-warn"
          >
            The facts on this page changed while it was open. Look at them again before you answer.
          </p>
        ) : null}
        {decision.typed_id_required ? (
          <div>
            <label htmlFor={`${ids}-id`} className="mb-1 block">
              Type the release to go back to,{" "}
              <bdi className="font-mono font-semibold select-none">{summary.rollback_target_release_id}</bdi>
            </label>
            <input
              id={`${ids}-id`}
              data-testid="confirm-release-id"
              value={typedId}
              disabled={sent}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              onChange={(event) => setTypedId(event.target.value)}
              className={`${FIELD} h-8 font-mono`}
            />
          </div>
        ) : null}
        <div>
          <label htmlFor={`${ids}-reason`} className="mb-1 block">
            Why?{" "}
            <span className="text-ink-faint">
              (kept in the journal, {decision.reason_min_chars} characters at least)
            </span>
          </label>
          <textarea
            id={`${ids}-reason`}
            data-testid="confirm-reason"
            rows={2}
            value={reason}
            disabled={sent}
            onChange={(event) => setReason(event.target.value)}
            className={`${FIELD} py-1.5`}
          />
        </div>
        {approve.error ? <ErrorPanel error={approve.error} title="Not approved" /> : null}
        {refuse.error ? <ErrorPanel error={refuse.error} title="Not rejected" /> : null}
        <div className="flex flex-wrap items-center gap-3">
          <Button
            ref={reject}
            data-testid="reject-decision"
            disabled={!mayReject(decision, reason) || sent}
            busy={refuse.isPending}
            onClick={() => refuse.mutate(undefined)}
          >
            Reject: leave {summary.deployed_release_id ?? "it"} running
          </Button>
          <Button
            look="primary"
            data-testid="confirm-rollback"
            data-armed={armed}
            disabled={!armed}
            busy={approve.isPending}
            aria-describedby={`${ids}-gaps`}
            {...handlers}
          >
            {approve.isPending ? "Approving…" : `Roll back to ${summary.rollback_target_release_id ?? "?"}`}
          </Button>
          <ul id={`${ids}-gaps`} data-testid="confirm-gaps" className="text-small text-ink-faint">
            {sent ? null : gaps.map((gap) => <li key={gap}>{gap}</li>)}
          </ul>
        </div>
      </div>
    </Card>
  );
}
