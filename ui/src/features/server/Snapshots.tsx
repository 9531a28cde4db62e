import { useState } from "react";
import type { SnapshotSummaryDto } from "@/backend/port";
import { useSnapshotDiff, useSnapshotHistory } from "@/backend/queries";
import { Card, Skeleton } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count, dateTime, short } from "@/components/format";
import { StateTag } from "@/components/StateWord";
import { Baseline } from "./Baseline";
import { Change } from "./Change";
import { SnapshotList } from "./SnapshotList";

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

function Differences({ server, from, to }: { server: string; from: string | null; to: string | null }) {
  const diff = useSnapshotDiff(server, from, to);
  return (
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
              {diff.data.changes.length > 0 ? count(diff.data.changes.length, "change") : "Nothing differs."}
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
  );
}

/** The baseline, every snapshot kept, and what changed between two: baseline (or first) against newest unless chosen otherwise. */
export function Snapshots({ server, snapshots }: { server: string; snapshots: SnapshotSummaryDto[] }) {
  const [chosen, setChosen] = useState<{ from: string | null; to: string | null }>({ from: null, to: null });
  const history = useSnapshotHistory(server);
  const pages = history.data?.pages ?? [];
  const rows = pages.flatMap((page) => page.snapshots);
  const all = rows.length > snapshots.length ? rows : snapshots;
  const baseline = pages[0]?.baseline ?? null;
  const accepted = all.find((each) => each.id === baseline?.snapshot_id)?.id;
  const from = chosen.from ?? accepted ?? all.at(-1)?.id ?? null;
  const to = chosen.to ?? all[0]?.id ?? null;
  return (
    <Card
      title={`Snapshots (${all.length}${history.hasNextPage ? "+" : ""})`}
      flush
      data-testid="snapshots"
      aside={
        all.length > 1 ? (
          <>
            <Choice
              label="from"
              value={from}
              snapshots={all}
              testid="diff-from"
              onChoose={(id) => setChosen({ ...chosen, from: id })}
            />
            <Choice
              label="to"
              value={to}
              snapshots={all}
              testid="diff-to"
              onChoose={(id) => setChosen({ ...chosen, to: id })}
            />
          </>
        ) : null
      }
    >
      {all.length === 0 ? <p className="p-4 text-ink-faint">None was taken yet.</p> : null}
      {history.error ? (
        <div className="p-4">
          <ErrorPanel
            error={history.error}
            title="The baseline and the history cannot be read"
            onRetry={() => void history.refetch()}
          />
        </div>
      ) : null}
      {history.data && all.length > 0 ? (
        <Baseline
          server={server}
          baseline={baseline}
          drift={pages[0]?.drift ?? null}
          shown={all.find((each) => each.id === to) ?? null}
        />
      ) : null}
      {all.length === 1 ? (
        <p className="p-4 text-ink-soft">
          The surface has not changed since {dateTime(all[0]?.taken_at_ms ?? null)}; last seen so{" "}
          {dateTime(all[0]?.last_seen_at_ms ?? null)}.
        </p>
      ) : null}
      {all.length > 1 ? <Differences server={server} from={from} to={to} /> : null}
      {rows.length > 1 ? (
        <SnapshotList
          rows={rows}
          loading={history.isFetchingNextPage}
          onOlder={history.hasNextPage ? () => void history.fetchNextPage() : null}
          onCompare={(id) => setChosen({ from: id, to: null })}
        />
      ) : null}
    </Card>
  );
}
