import { useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { DoctorStepDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { duration } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { Modal } from "@/components/Modal";
import { StateTag } from "@/components/StateWord";

const STEPS: Record<string, string> = {
  secrets: "Its secrets are set",
  dns: "Its name leads to an address",
  tcp: "Something listens there",
  tls: "The connection is secure",
  http: "It speaks HTTP",
  program: "Its program is found",
  consent: "Its command is approved",
  spawn: "Its program starts",
  era: "It speaks MCP",
  auth: "It lets ATT in",
  lists: "It lists what it offers",
};

function Step({ step }: { step: DoctorStepDto }) {
  return (
    <li
      data-testid={`doctor-${step.step}`}
      data-outcome={step.outcome}
      className="border-t border-line py-2 first:border-t-0"
    >
      <p className="flex flex-wrap items-center gap-2">
        <StateTag word={step.outcome} />
        <span className="font-medium">{STEPS[step.step] ?? step.step}</span>
        {step.outcome === "skipped" ? null : (
          <span className="ml-auto text-small text-ink-faint tabular-nums">{duration(step.took_ms)}</span>
        )}
      </p>
      <p className="mt-0.5 text-ink-soft">
        <HostileText text={step.seen} limit={300} />
      </p>
      {step.cure ? (
        <p>
          <span className="font-medium">What to do: </span>
          <HostileText text={step.cure} limit={300} />
        </p>
      ) : null}
    </li>
  );
}

/** Walks the whole way to a server over a connection of its own, and names the step that fails with its cure. */
export function Doctor({ server }: { server: string }) {
  const backend = useBackend();
  const safe = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const examine = useAct(() => backend.serverDoctor(server));
  const start = () => {
    setOpen(true);
    examine.mutate(undefined);
  };
  return (
    <>
      <Button small data-testid="server-doctor" onClick={start}>
        Examine…
      </Button>
      <Modal
        open={open}
        onClose={() => setOpen(false)}
        safe={safe}
        title={`The way to “${server}”`}
        description="Every step over a connection of its own; the running one is left as it is."
      >
        <div className="space-y-3" data-testid="doctor" data-well={examine.data?.well ?? ""}>
          {examine.isPending ? <Skeleton rows={5} label="Examining" /> : null}
          {examine.error ? <ErrorPanel error={examine.error} title="It could not be examined" /> : null}
          {examine.data && !examine.isPending ? (
            <>
              <p role="status" className="font-medium">
                {examine.data.well ? "Every step went well." : "The first failed step says what to do."}
              </p>
              <ol>
                {examine.data.steps.map((step) => (
                  <Step key={step.step} step={step} />
                ))}
              </ol>
            </>
          ) : null}
          <div className="flex justify-end gap-2">
            <Button busy={examine.isPending} onClick={() => examine.mutate(undefined)}>
              Once more
            </Button>
            <Button ref={safe} onClick={() => setOpen(false)}>
              Close
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
