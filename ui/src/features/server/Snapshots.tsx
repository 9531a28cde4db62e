import { useState } from "react";
import type { ChangeDto, SnapshotSummaryDto } from "@/backend/port";
import { useSnapshotDiff } from "@/backend/queries";
import { Card, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count, dateTime, short, words } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { StateTag } from "@/components/StateWord";

function Change({ change }: { change: ChangeDto }) {
  return (
    <li
      className="border-t border-line first:border-t-0"
      data-testid={`diff-change-${change.name}`}
      data-change={change.change}
      data-severity={change.severity}
    >
      <details>
        <summary className="flex min-w-0 items-center gap-2 px-4 py-2 hover:bg-raised">
          <StateTag word={change.severity} />
          <span className="shrink-0 font-medium">{change.change}</span>
          <span className="shrink-0 text-ink-faint">{words(change.kind)}</span>
          <HostileLine text={change.name} className="font-mono text-small" />
          <span className="ml-auto truncate text-small text-ink-soft">
            {change.fields.map(words).join(" · ")}
          </span>
        </summary>
        <div className="grid gap-3 px-4 pb-3 min-[1000px]:grid-cols-2">
          <div className="min-w-0">
            <h4 className="text-small text-ink-faint">Before</h4>
            {change.before ? (
              <JsonView text={change.before} />
            ) : (
              <p className="text-ink-faint">It was not there.</p>
            )}
          </div>
          <div className="min-w-0">
            <h4 className="text-small text-ink-faint">After</h4>
            {change.after ? <JsonView text={change.after} /> : <p className="text-ink-faint">It is gone.</p>}
          </div>
        </div>
      </details>
    </li>
  );
}

function Choice({
  label,
  value,
  snapshots,
  onChoose,
  testid,
}: {
  label: string;
  value: string | null;
  snapshots: SnapshotSummaryDto[];
  onChoose: (id: string) => void;
  testid: string;
}) {
  return (
    <label className="flex items-center gap-1.5">
      <span>{label}</span>
      <select
        value={value ?? ""}
        data-testid={testid}
        onChange={(event) => onChoose(event.target.value)}
        className="h-7 max-w-52 min-w-0 rounded-md border border-edge bg-panel px-1.5 text-ink"
      >
        {snapshots.map((each, index) => (
          <option key={each.id} value={each.id}>
            {dateTime(each.taken_at_ms)} · {short(each.id, 8)}
            {index === 0 ? " (newest)" : index === snapshots.length - 1 ? " (first)" : ""}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Every snapshot kept, and what changed between two of them: first against newest unless chosen otherwise. */
export function Snapshots({ server, snapshots }: { server: string; snapshots: SnapshotSummaryDto[] }) {
  const [chosen, setChosen] = useState<{ from: string | null; to: string | null }>({ from: null, to: null });
  const from = chosen.from ?? snapshots.at(-1)?.id ?? null;
  const to = chosen.to ?? snapshots[0]?.id ?? null;
  const diff = useSnapshotDiff(server, from, to);
  return (
    <Card
      title={`Snapshots (${snapshots.length})`}
      flush
      data-testid="snapshots"
      aside={
        snapshots.length > 1 ? (
          <>
            <Choice
              label="from"
              value={from}
              snapshots={snapshots}
              testid="diff-from"
              onChoose={(id) => setChosen({ ...chosen, from: id })}
            />
            <Choice
              label="to"
              value={to}
              snapshots={snapshots}
              testid="diff-to"
              onChoose={(id) => setChosen({ ...chosen, to: id })}
            />
          </>
        ) : null
      }
    >
      {snapshots.length === 0 ? <p className="p-4 text-ink-faint">None was taken yet.</p> : null}
      {snapshots.length === 1 ? (
        <p className="p-4 text-ink-soft">
          The surface has not changed since {dateTime(snapshots[0]?.taken_at_ms ?? null)}; last seen so{" "}
          {dateTime(snapshots[0]?.last_seen_at_ms ?? null)}.
        </p>
      ) : null}
      {snapshots.length > 1 ? (
        <div
          data-testid="snapshot-diff"
          data-severity={diff.data?.severity ?? ""}
          data-changes={diff.data?.changes.length ?? ""}
          aria-live="polite"
        >
          {from === to ? <p className="p-4 text-ink-faint">Choose two different snapshots.</p> : null}
          {from !== to && diff.isPending ? <Skeleton rows={2} label="Comparing" /> : null}
          {diff.error ? (
            <div className="p-4">
              <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />
            </div>
          ) : null}
          {diff.data && from !== to ? (
            <>
              <p className="flex items-center gap-2 border-b border-line px-4 py-2">
                {diff.data.severity ? <StateTag word={diff.data.severity} /> : null}
                <span>
                  {diff.data.changes.length > 0
                    ? count(diff.data.changes.length, "change")
                    : "Nothing differs."}
                </span>
              </p>
              <ul>
                {diff.data.changes.map((change) => (
                  <Change key={`${change.kind}/${change.name}/${change.change}`} change={change} />
                ))}
              </ul>
            </>
          ) : null}
        </div>
      ) : null}
    </Card>
  );
}
