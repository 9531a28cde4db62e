import { useId, useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { NextAfterStatement } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Modal } from "@/components/Modal";

const NEXT: { value: NextAfterStatement; label: string }[] = [
  { value: "deciding", label: "Decide about a rollback with what is known now" },
  { value: "failed", label: "Close the cycle as failed" },
  { value: "cancelled", label: "Close the cycle as cancelled" },
];

/** A person says what runs now after the outside state was unknown, and how the cycle goes on. */
export function StatementDialog({ cycleId, onClose }: { cycleId: string; onClose: () => void }) {
  const backend = useBackend();
  const ids = useId();
  const safe = useRef<HTMLButtonElement>(null);
  const [live, setLive] = useState("");
  const [next, setNext] = useState<NextAfterStatement>("deciding");
  const [reason, setReason] = useState("");
  const state = useAct(
    () => backend.operatorStatement(cycleId, live.trim() || null, next, reason.trim()),
    onClose,
  );
  return (
    <Modal
      open
      onClose={onClose}
      safe={safe}
      title="What runs now?"
      description="ATT could not find out. Look at the target yourself; your statement is kept in the journal."
    >
      <div className="space-y-3">
        <div>
          <label htmlFor={`${ids}-live`} className="mb-1 block">
            Release that runs now <span className="text-ink-faint">(empty: none, or not known)</span>
          </label>
          <input
            id={`${ids}-live`}
            data-testid="statement-live"
            value={live}
            onChange={(event) => setLive(event.target.value)}
            className="h-8 w-full rounded-md border border-edge bg-panel px-2 font-mono"
          />
        </div>
        <fieldset>
          <legend className="mb-1">And then</legend>
          {NEXT.map((each) => (
            <label key={each.value} className="flex items-center gap-2 py-0.5">
              <input
                type="radio"
                name={`${ids}-next`}
                checked={next === each.value}
                onChange={() => setNext(each.value)}
              />
              {each.label}
            </label>
          ))}
        </fieldset>
        <div>
          <label htmlFor={`${ids}-reason`} className="mb-1 block">
            How do you know?
          </label>
          <textarea
            id={`${ids}-reason`}
            data-testid="statement-reason"
            rows={2}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            className="w-full rounded-md border border-edge bg-panel px-2 py-1.5"
          />
        </div>
        {state.error ? <ErrorPanel error={state.error} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            Leave it waiting
          </Button>
          <Button
            look="primary"
            data-testid="statement-act"
            disabled={reason.trim() === ""}
            busy={state.isPending}
            onClick={() => state.mutate(undefined)}
          >
            State it
          </Button>
        </div>
      </div>
    </Modal>
  );
}
