import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { CycleDto, ReadinessDto } from "@/backend/port";
import { useAct, useCycle } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Field, Fields } from "@/components/Field";
import { dateTime, sentence, words } from "@/components/format";
import { HostileLine, HostileText } from "@/components/HostileText";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateTag, StateWord } from "@/components/StateWord";
import { to } from "@/routes";
import { Stages } from "./Stages";

function Readiness({ cards }: { cards: ReadinessDto[] }) {
  return (
    <Card title="If it goes wrong" data-testid="readiness-card">
      <ul className="space-y-3">
        {cards.map((card) => (
          <li
            key={card.failure_class}
            data-testid={`readiness-${card.failure_class}`}
            data-allowed={card.allowed}
          >
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{sentence(card.failure_class)}</span>
              <StateTag
                word={card.allowed ? (card.needs_person ? "waiting" : "allowed") : "denied"}
                label={
                  card.allowed
                    ? card.needs_person
                      ? "a person decides"
                      : "rolls back by itself"
                    : "no rollback"
                }
              />
            </p>
            <p className="text-small text-ink-soft">
              <HostileText text={card.text} /> <code className="font-mono text-ink-faint">{card.reason}</code>
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Result({ cycle }: { cycle: CycleDto }) {
  const known = cycle.result.filter((field) => field.value !== null);
  const { summary } = cycle;
  return (
    <Card title="Result" data-testid="cycle-result">
      <Fields>
        <Field name="kind">{summary.kind}</Field>
        <Field name="project">
          <bdi>{summary.project}</bdi>
        </Field>
        <Field name="target">
          {summary.target ? (
            <a className="text-accent hover:underline" href={to.releases(summary.target)}>
              <bdi>{summary.target}</bdi>
            </a>
          ) : (
            "none"
          )}
        </Field>
        {summary.branch ? (
          <Field name="branch">
            <HostileText text={summary.branch} mono />
          </Field>
        ) : null}
        <Field name="asked by">
          <bdi>{summary.actor}</bdi>
        </Field>
        <Field name="started">{dateTime(summary.started_at_ms)}</Field>
        {cycle.resumes > 0 ? (
          <Field name="taken up again">{cycle.resumes} times after its driver died</Field>
        ) : null}
        {cycle.linked_cycle_id ? (
          <Field name="linked to">
            <a className="text-accent hover:underline" href={to.cycle(cycle.linked_cycle_id)}>
              {cycle.linked_cycle_id}
            </a>
          </Field>
        ) : null}
        {known.map((field) => (
          <Field key={field.name} name={words(field.name)}>
            <span data-testid={`result-${field.name}`}>
              <HostileText text={field.value ?? ""} />
            </span>
          </Field>
        ))}
      </Fields>
    </Card>
  );
}

function Cancel({ cycleId }: { cycleId: string }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const cancel = useAct(
    (reason: string) => backend.cycleCancel(cycleId, reason),
    () => setAsking(false),
  );
  return (
    <>
      <Button look="danger" data-testid="cycle-cancel" onClick={() => setAsking(true)}>
        Cancel the cycle…
      </Button>
      <ReasonDialog
        open={asking}
        title="Cancel this cycle?"
        description="Before its deploy it just ends. From the deploy on, what happens next is decided like after a failed deploy."
        action="Cancel the cycle"
        look="danger"
        busy={cancel.isPending}
        error={cancel.error}
        onClose={() => setAsking(false)}
        onAct={(reason) => cancel.mutate(reason)}
        testid="cycle-cancel"
      />
    </>
  );
}

/** One cycle: its stages as they light up, what a failure would do, what came out. */
export function CyclePage({ cycleId }: { cycleId: string }) {
  const query = useCycle(cycleId);
  const cycle = query.data;
  return (
    <Page
      title={
        <>
          <a href={to.releases()} className="font-normal text-ink-faint hover:text-accent hover:underline">
            Releases
          </a>
          <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-faint" />
          <HostileLine text={cycle?.summary.subject || cycleId} className="min-w-0" />
          {cycle ? (
            <span
              data-testid="cycle-state"
              data-state={cycle.summary.state}
              data-terminal={cycle.summary.terminal}
            >
              <StateTag word={cycle.summary.state} />
            </span>
          ) : null}
        </>
      }
      aside={
        cycle ? (
          <>
            {cycle.actions.includes("cancel") ? <Cancel cycleId={cycleId} /> : null}
            {cycle.actions.includes("acknowledge") ? (
              <a href={to.decisions()} className="text-accent hover:underline">
                Acknowledge in Decisions
              </a>
            ) : null}
          </>
        ) : null
      }
    >
      {query.isPending ? <Skeleton rows={10} label="Loading the cycle" /> : null}
      {query.error ? (
        <ErrorPanel
          error={query.error}
          title="This cycle cannot be shown"
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {cycle ? (
        <>
          <p className="text-ink-soft" data-testid="cycle-summary">
            <HostileText text={cycle.summary.summary} />
          </p>
          {cycle.summary.decision_id ? (
            <a
              href={to.decision(cycle.summary.decision_id)}
              data-testid="cycle-decision-link"
              className="flex items-center gap-2 rounded-md bg-wait-wash px-4 py-2 font-medium text-wait hover:underline"
            >
              <StateWord
                word={cycle.summary.state === "awaiting_approval" ? "awaiting_approval" : "proposed"}
                label={
                  cycle.summary.state === "awaiting_approval"
                    ? "A rollback waits for your decision: open it"
                    : "Open its rollback decision"
                }
              />
            </a>
          ) : null}
          <div className="grid items-start gap-4 min-[1000px]:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <Card title="Stages">
              <Stages cycleId={cycleId} stages={cycle.stages} />
            </Card>
            <div className="space-y-4">
              {cycle.readiness.length > 0 ? <Readiness cards={cycle.readiness} /> : null}
              <Result cycle={cycle} />
            </div>
          </div>
        </>
      ) : null}
    </Page>
  );
}
