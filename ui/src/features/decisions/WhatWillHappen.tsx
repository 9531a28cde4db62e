import type { HistoryDto, PlanStepDto, ReleaseDiffDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { commandLine, count, dateTime, duration, short } from "@/components/format";
import { HostileLine, HostileText } from "@/components/HostileText";
import { Since } from "@/components/Time";

const OPEN = new Set(["proposed", "awaiting_approval", "auto_approved", "executing", "verifying"]);
const RAN = new Set(["succeeded", "failed", "unknown"]);

function planTitle(state: string): string {
  if (OPEN.has(state)) return "What will be run";
  return RAN.has(state) ? "What was run" : "What would have been run";
}

/** What a rollback runs, exactly. */
export function Plan({ plan, state }: { plan: PlanStepDto[]; state: string }) {
  return (
    <Card title={planTitle(state)} flush data-testid="plan">
      <ol>
        {plan.map((step, index) => (
          <li key={index} data-testid="plan-step" className="border-t border-line px-4 py-2 first:border-t-0">
            <p className="rounded bg-ground px-2 py-1" data-testid="plan-argv">
              <HostileText text={commandLine(step.argv)} mono limit={2000} />
            </p>
            <p className="mt-0.5 flex justify-between gap-3 text-small text-ink-faint">
              <span>
                in <HostileText text={step.cwd} mono />
              </span>
              <span className="shrink-0">at most {duration(step.timeout_ms)}</span>
            </p>
          </li>
        ))}
      </ol>
      {plan.length === 0 ? (
        <p className="p-4 text-ink-faint">Nothing: there is no release to go back to, or no executor.</p>
      ) : null}
    </Card>
  );
}

const SIGN: Record<string, string> = { added: "A", modified: "M", deleted: "D", renamed: "R" };

/** Commits and files between the deployed release and the one to go back to: what the rollback takes away. */
export function ReleaseDiff({
  diff,
  from,
  to,
}: {
  diff: ReleaseDiffDto;
  from: string | null;
  to: string | null;
}) {
  return (
    <Card
      title="What the rollback takes away"
      data-testid="release-diff"
      flush
      aside={
        <span>
          {count(diff.commits.length, "commit")}, {count(diff.files.length, "file")}
          {diff.truncated ? " and more" : ""}
        </span>
      }
    >
      <p className="border-b border-line px-4 py-2 text-small text-ink-soft">
        In <bdi className="font-mono">{from ?? "?"}</bdi> and not in{" "}
        <bdi className="font-mono">{to ?? "?"}</bdi>
      </p>
      <ul className="max-h-60 overflow-y-auto">
        {diff.commits.map((commit) => (
          <li key={commit.id} data-testid="diff-commit" className="flex items-baseline gap-3 px-4 py-1">
            <code className="shrink-0 font-mono text-small text-ink-faint">{short(commit.id, 8)}</code>
            <HostileLine text={commit.subject} className="min-w-0 flex-1" />
            <span className="shrink-0 text-small text-ink-faint" title={dateTime(commit.at_ms)}>
              <bdi>{commit.author}</bdi>, <Since at={commit.at_ms} suffix=" ago" />
            </span>
          </li>
        ))}
      </ul>
      <ul className="max-h-60 overflow-y-auto border-t border-line py-1">
        {diff.files.map((file) => (
          <li
            key={file.path}
            data-testid="diff-file"
            className="flex items-baseline gap-3 px-4 py-0.5 text-small"
          >
            <span className="w-3 shrink-0 font-mono text-ink-faint" title={file.status}>
              {SIGN[file.status] ?? "?"}
            </span>
            <HostileLine text={file.path} className="min-w-0 flex-1 font-mono" />
            <span className="shrink-0 font-mono">
              <span className="text-ok">+{file.insertions}</span>{" "}
              <span className="text-bad">−{file.deletions}</span>
            </span>
          </li>
        ))}
      </ul>
      {diff.commits.length === 0 && diff.files.length === 0 ? (
        <p className="p-4 text-ink-faint">
          {diff.unavailable ? (
            <HostileText text={diff.unavailable} />
          ) : (
            "The two releases hold the same files."
          )}
        </p>
      ) : null}
    </Card>
  );
}

/** Who did what, and when. */
export function History({
  title,
  entries,
  none,
  testid,
}: {
  title: string;
  entries: HistoryDto[];
  none: string;
  testid: string;
}) {
  return (
    <Card title={title} flush data-testid={testid}>
      <ol>
        {entries.map((entry, index) => (
          <li key={index} className="border-t border-line px-4 py-1.5 first:border-t-0">
            <HostileText text={entry.text} />
            <p className="text-small text-ink-faint">
              <bdi>{entry.actor}</bdi>, {dateTime(entry.at_ms)}
            </p>
          </li>
        ))}
      </ol>
      {entries.length === 0 ? <p className="p-4 text-ink-faint">{none}</p> : null}
    </Card>
  );
}
