import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { toOperationError } from "@/backend/failure";
import type { JournalVerifyDto, OperationError } from "@/backend/port";
import { useAct, useSystem } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Field, Fields } from "@/components/Field";
import { count, short } from "@/components/format";
import { Modal } from "@/components/Modal";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateWord } from "@/components/StateWord";

function Verified({ answer }: { answer: JournalVerifyDto }) {
  return (
    <div data-testid="journal-verify-answer" data-ok={answer.ok} role="status" className="space-y-1">
      <StateWord
        word={answer.ok ? "ok" : "failed"}
        label={answer.ok ? "The audit chain is whole" : "The audit chain is damaged"}
      />
      <p className="text-ink-soft">
        {count(answer.entries, "entry").replace("entrys", "entries")}, head {answer.head_sequence}{" "}
        <code className="font-mono text-small">{short(answer.head_hash, 16)}</code>
      </p>
      {answer.problem ? (
        <p className="text-bad">
          {answer.first_bad_sequence !== null ? `Entry ${answer.first_bad_sequence}: ` : ""}
          {answer.problem}
        </p>
      ) : null}
    </div>
  );
}

/** Version, home, engine; safe mode; the journal's verification. */
export function SystemDialog({ onClose }: { onClose: () => void }) {
  const backend = useBackend();
  const { data } = useSystem();
  const safe = useRef<HTMLButtonElement>(null);
  const [asking, setAsking] = useState(false);
  const verify = useMutation<JournalVerifyDto, OperationError>({
    mutationFn: () =>
      backend.journalVerify().catch((thrown: unknown) => {
        throw toOperationError(thrown);
      }),
  });
  const safeMode = useAct(
    (reason: string) => backend.safeModeSet(true, reason),
    () => setAsking(false),
  );
  return (
    <Modal open onClose={onClose} title="System" safe={safe}>
      <div className="space-y-4">
        {data ? (
          <Fields>
            <Field name="Version">{data.version}</Field>
            <Field name="ATT_HOME">
              <code className="font-mono text-small">
                <bdi>{data.home}</bdi>
              </code>
              {data.demo ? " (demo)" : ""}
            </Field>
            <Field name="Engine">
              {data.engine.running
                ? `runs in process ${data.engine.pid ?? "?"}${data.engine.face ? ` (${data.engine.face})` : ""}`
                : "does not run"}
            </Field>
          </Fields>
        ) : null}
        {verify.data ? <Verified answer={verify.data} /> : null}
        {verify.error ? <ErrorPanel error={verify.error} /> : null}
        <div className="flex flex-wrap justify-end gap-2">
          <Button data-testid="journal-verify" busy={verify.isPending} onClick={() => verify.mutate()}>
            Verify the journal
          </Button>
          {data && !data.safe_mode ? (
            <Button look="danger" data-testid="safe-mode-on" onClick={() => setAsking(true)}>
              Safe mode…
            </Button>
          ) : null}
          <Button ref={safe} onClick={onClose}>
            Close
          </Button>
        </div>
      </div>
      <ReasonDialog
        open={asking}
        title="Switch safe mode on?"
        description="No cycle starts, nothing deploys, and automatic rollbacks wait for a person until it is switched off."
        action="Switch on"
        busy={safeMode.isPending}
        error={safeMode.error}
        onClose={() => setAsking(false)}
        onAct={(reason) => safeMode.mutate(reason)}
        testid="safe-mode"
      />
    </Modal>
  );
}
