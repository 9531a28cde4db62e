import { type ReactNode, useRef } from "react";
import type { OperationError } from "@/backend/port";
import { Button } from "./Button";
import { ErrorPanel } from "./ErrorPanel";
import { Modal } from "./Modal";

/** Asks once before something is started that has an approval of its own later. The focus starts on the safe button. */
export function AskDialog({
  open,
  title,
  description,
  action,
  busy,
  error,
  onClose,
  onAct,
  testid,
}: {
  open: boolean;
  title: string;
  description: ReactNode;
  action: string;
  busy: boolean;
  error: OperationError | null;
  onClose: () => void;
  onAct: () => void;
  testid: string;
}) {
  const safe = useRef<HTMLButtonElement>(null);
  return (
    <Modal open={open} onClose={onClose} title={title} description={description} safe={safe}>
      <div className="space-y-3">
        {error ? <ErrorPanel error={error} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            Leave it as it is
          </Button>
          <Button look="primary" busy={busy} data-testid={`${testid}-act`} onClick={onAct}>
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
