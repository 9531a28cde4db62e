import type { DecisionSummaryDto } from "@/backend/port";
import { useDecisions, useQuestions } from "@/backend/queries";
import { Card, Empty, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { dateTime } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { StateWord } from "@/components/StateWord";
import { Countdown, Since } from "@/components/Time";
import { QuestionCard } from "@/features/questions/QuestionCard";
import { to } from "@/routes";
import { InterruptionCard } from "./InterruptionCard";

function DecisionRow({ decision }: { decision: DecisionSummaryDto }) {
  return (
    <li
      data-testid={`decision-row-${decision.id}`}
      data-state={decision.state}
      className="flex items-center gap-4 border-t border-line px-4 py-2 first:border-t-0 hover:bg-raised"
    >
      <StateWord word={decision.state} className="w-40 shrink-0" />
      <a href={to.decision(decision.id)} className="min-w-0 flex-1 hover:underline">
        <span className="font-medium">
          <bdi>{decision.target}</bdi>:{" "}
          <bdi className="font-mono text-small">{decision.deployed_release_id ?? "?"}</bdi> →{" "}
          <bdi className="font-mono text-small">{decision.rollback_target_release_id ?? "?"}</bdi>
        </span>
        <HostileLine text={decision.verdict} className="text-small text-ink-soft" />
      </a>
      <span className="shrink-0 text-small text-ink-faint" title={dateTime(decision.at_ms)}>
        {decision.state === "awaiting_approval" && decision.expires_at_ms !== null ? (
          <>
            <Countdown at={decision.expires_at_ms} over="no time" /> left
          </>
        ) : (
          <Since at={decision.at_ms} suffix=" ago" />
        )}
      </span>
    </li>
  );
}

/** Everything that waits for a person, then what was decided. */
export function DecisionsPage() {
  const query = useDecisions();
  const questions = useQuestions();
  const data = query.data;
  const open = new Map((questions.data ?? []).map((question) => [question.id, question]));
  return (
    <Page title="Decisions">
      {query.isPending ? <Skeleton rows={6} label="Loading the decisions" /> : null}
      {query.error ? (
        <ErrorPanel
          error={query.error}
          title="The decisions cannot be read"
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {questions.error ? (
        <ErrorPanel
          error={questions.error}
          title="The questions of servers cannot be read"
          onRetry={() => void questions.refetch()}
        />
      ) : null}
      {data && data.interruptions.length > 0 ? (
        <section aria-label="Waiting for a person" className="space-y-3">
          {data.interruptions.map((interruption) => {
            const question = open.get(interruption.id);
            return question ? (
              <QuestionCard key={interruption.id} question={question} />
            ) : (
              <InterruptionCard key={interruption.id} interruption={interruption} />
            );
          })}
        </section>
      ) : null}
      {data && data.interruptions.length === 0 ? (
        <p
          data-testid="inbox-empty"
          className="rounded-md border border-line bg-panel px-4 py-3 text-ink-soft"
        >
          <StateWord word="ok" label="Nothing waits for a person." />
        </p>
      ) : null}
      {data && data.decisions.length > 0 ? (
        <Card title="Decisions, newest first" flush>
          <ul>
            {data.decisions.map((decision) => (
              <DecisionRow key={decision.id} decision={decision} />
            ))}
          </ul>
        </Card>
      ) : null}
      {data && data.decisions.length === 0 ? (
        <Empty title="No decision was needed yet">
          <p>
            When a deploy goes wrong, the policy decides about a rollback, and it is kept here with its
            reasons.
          </p>
        </Empty>
      ) : null}
    </Page>
  );
}
