import { type ReactNode, useRef } from "react";
import type { OperationError } from "@/backend/port";
import { Button } from "./Button";
import { ErrorPanel } from "./ErrorPanel";
import { Modal } from "./Modal";

/** A dialog with fields of its own. The focus starts on the button that leaves everything as it is. */
export function FormDialog({
  title,
  description,
  action,
  ready,
  busy,
  error,
  onClose,
  onAct,
  testid,
  children,
}: {
  title: string;
  description?: ReactNode;
  action: string;
  ready: boolean;
  busy: boolean;
  error: OperationError | null;
  onClose: () => void;
  onAct: () => void;
  testid: string;
  children: ReactNode;
}) {
  const safe = useRef<HTMLButtonElement>(null);
  return (
    <Modal open onClose={onClose} title={title} description={description} safe={safe}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) onAct();
        }}
      >
        {children}
        {error ? <ErrorPanel error={error} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            Leave it as it is
          </Button>
          <Button look="primary" type="submit" disabled={!ready} busy={busy} data-testid={`${testid}-act`}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** One labelled line of text. */
export function TextField({
  label,
  hint,
  value,
  onChange,
  testid,
  mono = false,
  list,
}: {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  testid: string;
  mono?: boolean;
  list?: string;
}) {
  return (
    <label className="block">
      <span className="mb-1 block font-medium">
        {label}
        {hint ? <span className="font-normal text-ink-faint"> ({hint})</span> : null}
      </span>
      <input
        value={value}
        spellCheck={false}
        list={list}
        data-testid={testid}
        onChange={(event) => onChange(event.target.value)}
        className={`h-8 w-full rounded-md border border-edge bg-panel px-2 ${mono ? "font-mono text-small" : ""}`}
      />
    </label>
  );
}
