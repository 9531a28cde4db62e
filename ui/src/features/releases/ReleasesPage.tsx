import { Play } from "lucide-react";
import { useBackend } from "@/backend/BackendProvider";
import type { ReleasesDto } from "@/backend/port";
import { useAct, useReleases } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Empty, Page, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { go, to } from "@/routes";
import { CyclesTable } from "./CyclesTable";
import { ProjectCard } from "./ProjectCard";
import { TargetCard } from "./TargetCard";

function RunDemo({ releases }: { releases: ReleasesDto }) {
  const backend = useBackend();
  const run = useAct(
    () => backend.releaseRunDemo(),
    (cycle) => go(to.cycle(cycle.id)),
  );
  const busy = releases.targets.some((target) => target.live_cycle_id !== null);
  return (
    <>
      {run.error ? (
        <span
          role="alert"
          data-testid="run-demo-refused"
          className="max-w-md text-small text-bad"
          title={run.error.report.cure ?? undefined}
        >
          {run.error.report.message} {run.error.report.cure ?? ""}
        </span>
      ) : null}
      <Button
        look="primary"
        data-testid="run-demo-release"
        busy={run.isPending}
        disabled={busy}
        title={busy ? "A cycle is under way on this target" : undefined}
        onClick={() => run.mutate(undefined)}
      >
        <Play aria-hidden className="size-4" />
        Run the demo release
      </Button>
    </>
  );
}

/** What was released where, what is live, and what is under way. */
export function ReleasesPage({ target }: { target: string | null }) {
  const query = useReleases();
  const data = query.data;
  const targets = (data?.targets ?? []).filter((each) => target === null || each.target === target);
  const cycles = (data?.cycles ?? []).filter((each) => target === null || each.target === target);
  return (
    <Page
      title={
        target === null ? (
          "Releases"
        ) : (
          <>
            <a href={to.releases()} className="font-normal text-ink-faint hover:text-accent hover:underline">
              Releases
            </a>
            <span aria-hidden className="text-ink-faint">
              /
            </span>
            <bdi>{target}</bdi>
          </>
        )
      }
      aside={data?.projects.some((project) => project.demo) ? <RunDemo releases={data} /> : null}
    >
      {query.isPending ? <Skeleton rows={8} label="Loading the releases" /> : null}
      {query.error ? (
        <ErrorPanel
          error={query.error}
          title="The releases cannot be read"
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {data?.projects.map((project) => (
        <ProjectCard key={project.project} project={project} />
      ))}
      {targets.map((each) => (
        <TargetCard key={`${each.project}/${each.target}`} target={each} />
      ))}
      {data && target !== null && targets.length === 0 ? (
        <Empty title={`There is no target “${target}”`} />
      ) : null}
      {data && cycles.length > 0 ? <CyclesTable cycles={cycles} /> : null}
      {data && data.projects.length === 0 && data.targets.length === 0 ? (
        <Empty title="No project yet">
          <p>
            A project is a git repository with an <code className="font-mono text-small">att.toml</code> on
            its base branch. It shows up here with its first cycle:
          </p>
          <pre className="rounded-md border border-line bg-panel p-3 text-left font-mono text-small text-ink">
            att release run REQUEST.json
          </pre>
        </Empty>
      ) : null}
    </Page>
  );
}
