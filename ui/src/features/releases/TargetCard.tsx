import { Loader, ShieldX, Undo2 } from "lucide-react";
import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { DeploymentDto, TargetDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { AskDialog } from "@/components/AskDialog";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { dateTime, short, words } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { StateTag, StateWord } from "@/components/StateWord";
import { Since } from "@/components/Time";
import { go, to } from "@/routes";
import { arcs, GUTTER, links, middle, RAIL, ROW } from "./chainLayout";

const SHOWN = 30;

function Gutter({ chain }: { chain: DeploymentDto[] }) {
  return (
    <svg
      aria-hidden="true"
      width={GUTTER}
      height={chain.length * ROW}
      className="absolute top-0 left-3 text-line-strong"
    >
      <defs>
        <marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">
          <path d="M0 0 L6 3 L0 6 z" className="fill-warn" />
        </marker>
      </defs>
      {links(chain).map((link) => (
        <line
          key={link.from}
          x1={RAIL}
          x2={RAIL}
          y1={middle(link.from)}
          y2={middle(link.to)}
          stroke="currentColor"
          strokeWidth="2"
        />
      ))}
      {arcs(chain).map((arc) => (
        <path
          key={arc.from}
          d={arc.path}
          fill="none"
          className="stroke-warn"
          strokeWidth="1.5"
          strokeDasharray="4 3"
          markerEnd="url(#arrow)"
        />
      ))}
      {chain.map((deployment, row) => (
        <circle
          key={deployment.id}
          cx={RAIL}
          cy={middle(row)}
          r={deployment.live ? 7 : 5}
          className={
            deployment.live
              ? "fill-ok stroke-panel"
              : deployment.quarantined || deployment.health === "unhealthy"
                ? "fill-bad stroke-panel"
                : "fill-panel stroke-line-strong"
          }
          strokeWidth="2"
        />
      ))}
    </svg>
  );
}

const KIND: Record<string, string> = {
  deploy: "deployed",
  rollback: "rolled back to",
  observed: "seen running, not deployed by ATT",
};

function ChainRow({
  deployment,
  onRollBack,
}: {
  deployment: DeploymentDto;
  onRollBack: (() => void) | null;
}) {
  return (
    <li
      data-testid={`chain-row-${deployment.release_id}`}
      data-live={deployment.live}
      data-kind={deployment.kind}
      data-health={deployment.health}
      className="flex items-center gap-3 border-b border-line pr-4 last:border-b-0"
      style={{ height: ROW, paddingLeft: GUTTER + 16 }}
    >
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2">
          <bdi className="truncate font-mono text-small font-semibold">{deployment.release_id}</bdi>
          {deployment.live ? <StateTag word="passed" label="live" /> : null}
          {deployment.health === "unhealthy" ? <StateTag word="unhealthy" /> : null}
          {deployment.health === "healthy" ? <StateWord word="healthy" className="text-small" /> : null}
          {deployment.quarantined ? (
            <span className="inline-flex h-5 items-center gap-1 rounded bg-bad-wash px-1.5 text-small text-bad">
              <ShieldX aria-hidden className="size-3.5" /> quarantined
            </span>
          ) : null}
        </p>
        <p className="flex min-w-0 items-center gap-1.5 text-small text-ink-faint">
          <span className="inline-flex shrink-0 items-center gap-1">
            {deployment.kind === "rollback" ? <Undo2 aria-hidden className="size-3.5 text-warn" /> : null}
            {KIND[deployment.kind] ?? words(deployment.kind)}
          </span>
          <span className="shrink-0">
            · <Since at={deployment.at_ms} suffix=" ago" />
          </span>
          {deployment.predecessor_release_id ? (
            <span className="shrink-0">· after {deployment.predecessor_release_id}</span>
          ) : null}
          {deployment.commit ? (
            <code className="shrink-0 font-mono">· {short(deployment.commit, 8)}</code>
          ) : null}
          {deployment.subject ? <HostileLine text={deployment.subject} /> : null}
        </p>
      </div>
      {deployment.cycle_id ? (
        <a href={to.cycle(deployment.cycle_id)} className="shrink-0 text-small text-accent hover:underline">
          Cycle
        </a>
      ) : null}
      {onRollBack ? (
        <Button
          small
          look="quiet"
          onClick={onRollBack}
          data-testid={`chain-rollback-${deployment.release_id}`}
        >
          Roll back to this…
        </Button>
      ) : null}
    </li>
  );
}

/** One target: what is live, and the chain of deployments with the rollbacks drawn in. */
export function TargetCard({ target }: { target: TargetDto }) {
  const backend = useBackend();
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState<string | null>(null);
  const rollback = useAct(
    (releaseId: string) => backend.releaseRollback(target.target, releaseId),
    (cycle) => {
      setAsked(null);
      go(to.cycle(cycle.id));
    },
  );
  const chain = all ? target.chain : target.chain.slice(0, SHOWN);
  return (
    <Card
      flush
      data-testid={`target-${target.target}`}
      title={
        <span className="flex items-center gap-2">
          <a href={to.releases(target.target)} className="hover:underline">
            <bdi>{target.target}</bdi>
          </a>
          <span
            className="rounded bg-raised px-1.5 text-small font-normal text-ink-soft"
            title="Where it runs: a rollback of an external target always needs a person"
          >
            {words(target.deployment_context)}
          </span>
        </span>
      }
      aside={
        <>
          {target.live_cycle_id ? (
            <a
              href={to.cycle(target.live_cycle_id)}
              className="inline-flex items-center gap-1 text-accent hover:underline"
            >
              <Loader aria-hidden className="spin size-3.5" /> a cycle is under way
            </a>
          ) : null}
          <span>
            live{" "}
            <bdi className="font-mono font-semibold text-ink" data-testid={`live-${target.target}`}>
              {target.live_release_id ?? "not known"}
            </bdi>
          </span>
          <span title={dateTime(target.observed_at_ms)}>
            seen <Since at={target.observed_at_ms} suffix=" ago" />
          </span>
          <span title="Grows with every change of what runs there">generation {target.generation}</span>
        </>
      }
    >
      {chain.length === 0 ? <p className="p-4 text-ink-faint">Nothing was deployed here yet.</p> : null}
      <div className="relative">
        <Gutter chain={chain} />
        <ol aria-label={`Deployments on ${target.target}, newest first`}>
          {chain.map((deployment) => (
            <ChainRow
              key={deployment.id}
              deployment={deployment}
              onRollBack={
                deployment.release_id === target.live_release_id ||
                target.live_cycle_id !== null ||
                deployment.quarantined
                  ? null
                  : () => setAsked(deployment.release_id)
              }
            />
          ))}
        </ol>
      </div>
      {target.chain.length > chain.length ? (
        <button
          type="button"
          className="w-full border-t border-line py-2 text-small text-accent"
          onClick={() => setAll(true)}
        >
          Show all {target.chain.length}
        </button>
      ) : null}
      <AskDialog
        open={asked !== null}
        title={`Propose to roll ${target.target} back to ${asked ?? ""}?`}
        description="A cycle of its own gathers the facts and asks for your decision. Nothing is run before you approve it."
        action="Propose the rollback"
        busy={rollback.isPending}
        error={rollback.error}
        onClose={() => {
          setAsked(null);
          rollback.reset();
        }}
        onAct={() => asked && rollback.mutate(asked)}
        testid="propose-rollback"
      />
    </Card>
  );
}
