import { ChevronRight } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { DecisionDto } from "@/backend/port";
import { useAct, useCycle, useDecision } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { dateTime, sentence, words } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";
import { Countdown } from "@/components/Time";
import { Stages } from "@/features/releases/Stages";
import { to } from "@/routes";
import { ConfirmForm } from "./ConfirmForm";
import { Facts, Guardrails, Sources } from "./Facts";
import { Matrix } from "./Matrix";
import { History, Plan, ReleaseDiff } from "./WhatWillHappen";

const ROLLBACK_STAGES = new Set([
  "deciding",
  "awaiting_approval",
  "rolling_back",
  "verifying_rollback",
  "rolled_back",
  "rollback_failed",
  "denied",
]);
const UNDER_WAY = new Set(["auto_approved", "executing", "verifying", "succeeded", "failed", "unknown"]);

const FORM_ID = "your-decision";

/** Leads from the top of the page to the form below the evidence. */
function GoDecide({ decision }: { decision: DecisionDto }) {
  const expiresAt = decision.approval?.expires_at_ms ?? decision.summary.expires_at_ms;
  return (
    <>
      <span className="text-small text-ink-soft">
        time left <Countdown at={expiresAt} over="none" />
      </span>
      <Button
        small
        data-testid="go-decide"
        onClick={() => {
          const form = document.getElementById(FORM_ID);
          form?.scrollIntoView({ block: "start" });
          form?.querySelector<HTMLElement>("input, textarea")?.focus({ preventScroll: true });
        }}
      >
        Decide…
      </Button>
    </>
  );
}

function Note({ tone, title, children }: { tone: string; title: string; children?: ReactNode }) {
  return (
    <div role="status" className={`rounded-md px-4 py-3 ${tone}`}>
      <p className="font-semibold">{title}</p>
      {children ? <div className="mt-1 text-ink">{children}</div> : null}
    </div>
  );
}

function Progress({ cycleId }: { cycleId: string }) {
  const cycle = useCycle(cycleId);
  const stages = cycle.data?.stages.filter((stage) => ROLLBACK_STAGES.has(stage.stage)) ?? [];
  return stages.length > 0 ? (
    <Card title="The rollback" data-testid="rollback-progress">
      <Stages cycleId={cycleId} stages={stages} />
    </Card>
  ) : null;
}

function EvaluateAgain({ decision }: { decision: DecisionDto }) {
  const backend = useBackend();
  const again = useAct(() => backend.decisionEvaluateAgain(decision.summary.id));
  return (
    <div className="space-y-2">
      {again.error ? <ErrorPanel error={again.error} /> : null}
      <Button
        look="primary"
        data-testid="evaluate-again"
        busy={again.isPending}
        onClick={() => again.mutate(undefined)}
      >
        Evaluate again
      </Button>
    </div>
  );
}

function Outcome({ decision }: { decision: DecisionDto }) {
  const { state, deployed_release_id: deployed, rollback_target_release_id: target } = decision.summary;
  const answer = decision.approval;
  const said = answer?.actor ? (
    <p>
      <bdi>{answer.actor}</bdi>: <HostileText text={answer.reason ?? "no reason kept"} />
    </p>
  ) : null;
  switch (state) {
    case "denied":
      return (
        <Note tone="bg-bad-wash text-bad" title={`No rollback: ${words(decision.reason)}`}>
          {decision.would_allow_if.length > 0 ? (
            <div data-testid="would-allow-if">
              It would have been allowed if:
              <ul className="list-disc pl-5">
                {decision.would_allow_if.map((line) => (
                  <li key={line}>
                    <HostileText text={line} />
                  </li>
                ))}
              </ul>
            </div>
          ) : null}
          <p>
            You can choose a release from the chain instead:{" "}
            <a className="text-accent underline" href={to.releases(decision.summary.target)}>
              open {decision.summary.target}
            </a>
            .
          </p>
        </Note>
      );
    case "expired":
      return (
        <Note tone="bg-warn-wash text-warn" title="Nobody answered in time, so nothing was done">
          <p>The facts may have changed since. An old answer is never extended: evaluate them anew.</p>
        </Note>
      );
    case "superseded":
      return (
        <Note tone="bg-warn-wash text-warn" title="The world changed, so this decision no longer holds">
          <ul data-testid="superseded-by" className="list-disc pl-5">
            {decision.superseded_by.map((line) => (
              <li key={line}>
                <HostileText text={line} />
              </li>
            ))}
          </ul>
        </Note>
      );
    case "rejected":
      return (
        <Note
          tone="bg-raised text-ink-soft"
          title={`Rejected: ${deployed ?? "what is deployed"} keeps running`}
        >
          {said}
        </Note>
      );
    case "succeeded":
      return (
        <Note
          tone="bg-ok-wash text-ok"
          title={`Rolled back: ${target ?? "the target release"} is what answers now`}
        >
          {said}
        </Note>
      );
    case "failed":
      return (
        <Note tone="bg-bad-wash text-bad" title="The rollback failed">
          {said}
          <p>No new cycle starts on this target until someone has acknowledged it in Decisions.</p>
        </Note>
      );
    case "unknown":
      return (
        <Note tone="bg-bad-wash text-bad" title="It is not known what runs now">
          <p>Look at the target, then say in Decisions what runs there.</p>
        </Note>
      );
    case "executing":
    case "verifying":
    case "auto_approved":
      return (
        <Note tone="bg-accent-wash text-accent" title={`Rolling back to ${target ?? "the target release"}`}>
          {said}
        </Note>
      );
    default:
      return null;
  }
}

function DecisionCard({ decision }: { decision: DecisionDto }) {
  const { summary } = decision;
  const waiting = decision.actions.includes("approve") || decision.actions.includes("reject");
  const card = useRef<HTMLDivElement>(null);
  const waited = useRef(waiting);

  // Once it is answered, what happens next stands at the top of the page.
  useEffect(() => {
    if (waited.current && !waiting) {
      card.current?.scrollIntoView({ block: "start" });
      card.current?.focus({ preventScroll: true });
    }
    waited.current = waiting;
  }, [waiting]);

  return (
    <div
      ref={card}
      tabIndex={-1}
      data-testid="decision-card"
      data-state={summary.state}
      data-version={summary.version}
      className="space-y-4 outline-none"
    >
      <section className="rounded-lg border border-line bg-panel p-4">
        <p className="text-base font-medium" data-testid="verdict">
          <HostileText text={summary.verdict} limit={600} />
        </p>
        <p className="mt-1 text-ink-soft">
          {sentence(summary.failure_class)} on <bdi>{summary.target}</bdi> (
          {words(summary.deployment_context)}, generation {decision.generation}), {dateTime(summary.at_ms)}.
          Reason: <code className="font-mono text-small">{decision.reason}</code>
        </p>
        {decision.failure_detail ? (
          <p className="mt-2 rounded bg-bad-wash px-2 py-1">
            <span className="font-medium text-bad">What failed: </span>
            <HostileText text={decision.failure_detail} />
          </p>
        ) : null}
      </section>
      <Outcome decision={decision} />
      {decision.actions.includes("evaluate_again") ? <EvaluateAgain decision={decision} /> : null}
      {UNDER_WAY.has(summary.state) ? <Progress cycleId={summary.cycle_id} /> : null}
      <div className="grid items-start gap-4 min-[1000px]:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="space-y-4">
          <Facts facts={decision.facts} />
          <Plan plan={decision.plan} state={summary.state} />
          <ReleaseDiff
            diff={decision.diff}
            from={summary.deployed_release_id}
            to={summary.rollback_target_release_id}
          />
        </div>
        <div className="space-y-4">
          <Matrix cells={decision.matrix} rule={decision.rule} ruleText={decision.rule_text} />
          <Sources sources={decision.sources} />
          <History
            title="Tried lately on this target"
            entries={decision.tried_lately}
            none="Nothing in the last 24 hours."
            testid="tried-lately"
          />
        </div>
      </div>
      <Guardrails guardrails={decision.guardrails} />
      {waiting ? (
        <div id={FORM_ID} className="scroll-mt-4">
          <ConfirmForm decision={decision} />
        </div>
      ) : null}
      <History
        title="History of this decision"
        entries={decision.history}
        none="Nothing yet."
        testid="decision-history"
      />
    </div>
  );
}

/** One decision: what is known, what the policy says, what would be run, and the person's answer. */
export function DecisionPage({ decisionId }: { decisionId: string }) {
  const query = useDecision(decisionId);
  const summary = query.data?.summary;
  return (
    <Page
      title={
        <>
          <a href={to.decisions()} className="font-normal text-ink-faint hover:text-accent hover:underline">
            Decisions
          </a>
          <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-faint" />
          {summary ? (
            <>
              <span className="truncate">
                Roll <bdi>{summary.target}</bdi> back from <bdi>{summary.deployed_release_id ?? "?"}</bdi> to{" "}
                <bdi>{summary.rollback_target_release_id ?? "?"}</bdi>?
              </span>
              <StateTag word={summary.state} />
            </>
          ) : (
            decisionId
          )}
        </>
      }
      aside={
        summary ? (
          <>
            <a href={to.cycle(summary.cycle_id)} className="text-accent hover:underline">
              Its cycle
            </a>
            {query.data?.actions.includes("approve") ? <GoDecide decision={query.data} /> : null}
          </>
        ) : null
      }
    >
      {query.isPending ? <Skeleton rows={10} label="Loading the decision" /> : null}
      {query.error ? (
        <ErrorPanel
          error={query.error}
          title="This decision cannot be shown"
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {query.data ? <DecisionCard decision={query.data} /> : null}
    </Page>
  );
}
