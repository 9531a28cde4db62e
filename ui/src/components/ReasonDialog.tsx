import { type ReactNode, useId, useRef, useState } from "react";
import type { OperationError } from "@/backend/port";
import { Button } from "./Button";
import { ErrorPanel } from "./ErrorPanel";
import { Modal } from "./Modal";

/** Asks for a reason before something is done. The focus starts on the button that leaves everything as it is. */
export function ReasonDialog({
  open,
  title,
  description,
  label = "Reason",
  minChars = 1,
  action,
  look = "primary",
  busy,
  error,
  onClose,
  onAct,
  testid,
  children,
}: {
  open: boolean;
  title: string;
  description?: ReactNode;
  label?: string;
  minChars?: number;
  action: string;
  look?: "primary" | "danger";
  busy: boolean;
  error: OperationError | null;
  onClose: () => void;
  onAct: (reason: string) => void;
  testid: string;
  children?: ReactNode;
}) {
  const [reason, setReason] = useState("");
  const safe = useRef<HTMLButtonElement>(null);
  const field = useId();
  const enough = [...reason.trim()].length >= minChars;
  return (
    <Modal open={open} onClose={onClose} title={title} description={description} safe={safe}>
      <div className="space-y-3">
        {children}
        <div>
          <label htmlFor={field} className="mb-1 block font-medium">
            {label}
            {minChars > 1 ? (
              <span className="font-normal text-ink-faint"> ({minChars} characters at least)</span>
            ) : null}
          </label>
          <textarea
            id={field}
            rows={3}
            value={reason}
            data-testid={`${testid}-reason`}
            onChange={(event) => setReason(event.target.value)}
            className="w-full rounded-md border border-edge bg-panel px-2 py-1.5"
          />
        </div>
        {error ? <ErrorPanel error={error} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            Leave it as it is
          </Button>
          <Button
            look={look}
            disabled={!enough}
            busy={busy}
            data-testid={`${testid}-act`}
            onClick={() => onAct(reason.trim())}
          >
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
