import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { InterruptionDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { sentence } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateTag } from "@/components/StateWord";
import { Since } from "@/components/Time";
import { go, to } from "@/routes";
import { StatementDialog } from "./StatementDialog";

const WORD: Record<string, string> = {
  decision: "awaiting_approval",
  config_approval: "consent_required",
  denied: "denied",
  rollback_failed: "rollback_failed",
  needs_operator: "needs_operator",
};

function Acknowledge({ interruption }: { interruption: InterruptionDto }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const acknowledge = useAct(
    (note: string) => backend.interruptionAcknowledge(interruption.id, note),
    () => setAsking(false),
  );
  return (
    <>
      <Button data-testid={`acknowledge-${interruption.id}`} onClick={() => setAsking(true)}>
        Acknowledge…
      </Button>
      <ReasonDialog
        open={asking}
        title="Acknowledge this?"
        description="It leaves the inbox, and new cycles may start on the target. Your note is kept in the journal."
        label="Note"
        action="Acknowledge"
        busy={acknowledge.isPending}
        error={acknowledge.error}
        onClose={() => setAsking(false)}
        onAct={(note) => acknowledge.mutate(note)}
        testid="acknowledge"
      />
    </>
  );
}

function Continue({ cycleId }: { cycleId: string }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const proceed = useAct(
    (reason: string) => backend.cycleContinue(cycleId, reason),
    () => setAsking(false),
  );
  return (
    <>
      <Button look="primary" data-testid="continue-cycle" onClick={() => setAsking(true)}>
        Let it go on…
      </Button>
      <ReasonDialog
        open={asking}
        title="Let this cycle go on?"
        description="It merges what was tested and then deploys it."
        action="Go on"
        busy={proceed.isPending}
        error={proceed.error}
        onClose={() => setAsking(false)}
        onAct={(reason) => proceed.mutate(reason)}
        testid="continue-cycle"
      />
    </>
  );
}

/** One thing that waits for a person, with what may be done about it. */
export function InterruptionCard({ interruption }: { interruption: InterruptionDto }) {
  const [stating, setStating] = useState(false);
  const { actions, decision_id: decisionId, cycle_id: cycleId } = interruption;
  return (
    <article
      data-testid={`interruption-${interruption.id}`}
      data-kind={interruption.kind}
      className="rounded-lg border border-wait/50 bg-panel p-4"
    >
      <div className="flex flex-wrap items-center gap-2">
        <StateTag word={WORD[interruption.kind] ?? "interruption"} label={sentence(interruption.kind)} />
        <span className="min-w-0 font-semibold">
          <HostileText text={interruption.title} />
        </span>
        <span className="ml-auto text-small text-ink-faint">
          waits <Since at={interruption.since_ms} />
        </span>
      </div>
      <p className="mt-1 text-ink-soft">
        <HostileText text={interruption.detail} limit={500} />
      </p>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {actions.includes("open_decision") && decisionId ? (
          <Button look="primary" data-testid="open-decision" onClick={() => go(to.decision(decisionId))}>
            Open the decision
          </Button>
        ) : null}
        {actions.includes("approve_config") ? (
          <Button data-testid="open-config" onClick={() => go(to.releases())}>
            See the commands
          </Button>
        ) : null}
        {actions.includes("continue") && cycleId ? <Continue cycleId={cycleId} /> : null}
        {actions.includes("state_what_runs") && cycleId ? (
          <Button data-testid="state-what-runs" onClick={() => setStating(true)}>
            Say what runs now…
          </Button>
        ) : null}
        {actions.includes("acknowledge") ? <Acknowledge interruption={interruption} /> : null}
        {decisionId && !actions.includes("open_decision") ? (
          <a href={to.decision(decisionId)} className="text-accent hover:underline">
            Its decision
          </a>
        ) : null}
        {cycleId ? (
          <a href={to.cycle(cycleId)} className="text-accent hover:underline">
            Its cycle
          </a>
        ) : null}
      </div>
      {stating && cycleId ? <StatementDialog cycleId={cycleId} onClose={() => setStating(false)} /> : null}
    </article>
  );
}
