import { useRef } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { useAct, useServer } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Skeleton } from "@/components/Card";
import { CopyButton } from "@/components/Copy";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Field, Fields } from "@/components/Field";
import { commandLine } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { Modal } from "@/components/Modal";

/** Shows the exact command before it may run for the first time; a change of it asks again. */
export function ApproveCommand({ server, onClose }: { server: string; onClose: () => void }) {
  const backend = useBackend();
  const detail = useServer(server);
  const safe = useRef<HTMLButtonElement>(null);
  const approve = useAct((digest: string) => backend.serverApproveCommand(server, digest), onClose);
  const withdraw = useAct(() => backend.serverWithdrawConsent(server), onClose);
  const command = detail.data?.command;
  return (
    <Modal
      open
      onClose={onClose}
      safe={safe}
      title={command?.approved ? `“${server}” runs this command` : `Let “${server}” run this command?`}
      description="It runs with your rights. If the command, its arguments or its variables change, you are asked again."
    >
      <div className="space-y-3">
        {detail.isPending ? <Skeleton rows={3} /> : null}
        {detail.error ? <ErrorPanel error={detail.error} /> : null}
        {command ? (
          <>
            <ol
              className="space-y-1 rounded-md border border-line bg-ground p-3 font-mono text-small"
              data-testid="command-argv"
            >
              {command.argv.map((part, index) => (
                <li key={index} className="grid grid-cols-[2rem_minmax(0,1fr)]">
                  <span className="text-ink-faint">{index}</span>
                  <HostileText text={part} limit={2000} />
                </li>
              ))}
            </ol>
            <Fields>
              <Field name="Variables set">
                {command.env_names.length > 0 ? command.env_names.join(", ") : "none"}
                <span className="text-ink-faint"> (values are not shown)</span>
              </Field>
              <Field name="Digest">
                <code className="font-mono text-small">{command.digest}</code>
              </Field>
            </Fields>
            <CopyButton text={commandLine(command.argv)} label="Copy command" />
          </>
        ) : null}
        {detail.data && !command ? <p>This server has no command to approve.</p> : null}
        {approve.error ? <ErrorPanel error={approve.error} /> : null}
        {withdraw.error ? <ErrorPanel error={withdraw.error} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            {command?.approved ? "Close" : "Do not run it"}
          </Button>
          {command?.approved ? (
            <Button
              look="danger"
              data-testid="command-withdraw"
              title="Its program ends, and it is asked for again."
              busy={withdraw.isPending}
              onClick={() => withdraw.mutate(undefined)}
            >
              Take the consent back
            </Button>
          ) : (
            <Button
              look="primary"
              data-testid="command-approve"
              disabled={!command}
              busy={approve.isPending}
              onClick={() => command && approve.mutate(command.digest)}
            >
              Approve and run
            </Button>
          )}
        </div>
      </div>
    </Modal>
  );
}
