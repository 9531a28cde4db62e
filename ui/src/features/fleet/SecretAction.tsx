import { useId, useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ServerRowDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { HostileText } from "@/components/HostileText";
import { Modal } from "@/components/Modal";

/** The secret that a server waits for, read from the reference in its reason. */
export function missingSecret(reason: string | null): { kind: "keyring" | "env"; name: string } | null {
  const found = /\$\{(keyring|env):([^}]+)\}/.exec(reason ?? "");
  return found ? { kind: found[1] === "env" ? "env" : "keyring", name: found[2] ?? "" } : null;
}

/** Takes a secret's value once. It is read from the field when it is sent, and kept nowhere in the window. */
function SecretDialog({ server, name, onClose }: { server: string; name: string; onClose: () => void }) {
  const backend = useBackend();
  const field = useId();
  const input = useRef<HTMLInputElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const [empty, setEmpty] = useState(true);
  const save = useAct(() => {
    const value = input.current?.value ?? "";
    if (input.current) input.current.value = "";
    setEmpty(true);
    return backend.secretSet(name, value);
  });
  return (
    <Modal
      open
      onClose={onClose}
      safe={safe}
      title={`Set the secret “${name}”`}
      description={`“${server}” waits for it. It goes into your keyring, or an encrypted file where there is none, and is never shown again.`}
    >
      <form
        className="space-y-3"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (!empty && !save.isPending) save.mutate(undefined);
        }}
      >
        <div>
          <label htmlFor={field} className="mb-1 block font-medium">
            Value
          </label>
          <input
            ref={input}
            id={field}
            type="password"
            autoComplete="new-password"
            spellCheck={false}
            data-testid="secret-value"
            onChange={(event) => setEmpty(event.target.value === "")}
            className="h-8 w-full rounded-md border border-edge bg-panel px-2 font-mono"
          />
        </div>
        {save.error ? <ErrorPanel error={save.error} title="The secret was not kept" /> : null}
        {save.data ? (
          <p role="status" data-testid="secret-kept" className="text-ok">
            It is kept in {save.data.place}. The server is tried again.
          </p>
        ) : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            {save.data ? "Close" : "Leave it as it is"}
          </Button>
          <Button
            look="primary"
            type="submit"
            data-testid="secret-save"
            disabled={empty}
            busy={save.isPending}
          >
            Keep it
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Instead({ reason, onClose }: { reason: string | null; onClose: () => void }) {
  const safe = useRef<HTMLButtonElement>(null);
  return (
    <Modal open onClose={onClose} safe={safe} title="This secret is not set here">
      <div className="space-y-3" data-testid="secret-elsewhere">
        <p>
          <HostileText text={reason ?? "A secret that this server needs cannot be read."} />
        </p>
        <p className="text-ink-soft">
          A variable of the environment is read when ATT starts: set it, then start ATT again. To keep the
          value here instead, write <code className="font-mono text-small">{"${keyring:NAME}"}</code> in
          mcp.json.
        </p>
        <div className="flex justify-end">
          <Button ref={safe} onClick={onClose}>
            Close
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** The button of a server that waits for a secret. */
export function SecretAction({ row, testid }: { row: ServerRowDto; testid: string }) {
  const [open, setOpen] = useState(false);
  const reason = row.facets.connection.reason ?? row.error;
  const missing = missingSecret(reason);
  const close = () => setOpen(false);
  return (
    <>
      <Button small data-testid={`${testid}-secret`} onClick={() => setOpen(true)}>
        Set secret…
      </Button>
      {open && missing?.kind === "keyring" ? (
        <SecretDialog server={row.server} name={missing.name} onClose={close} />
      ) : null}
      {open && missing?.kind !== "keyring" ? <Instead reason={reason} onClose={close} /> : null}
    </>
  );
}
