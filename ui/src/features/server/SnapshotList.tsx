import type { SnapshotRowDto } from "@/backend/port";
import { Button } from "@/components/Button";
import { dateTime, short } from "@/components/format";
import { StateTag } from "@/components/StateWord";
import { Since } from "@/components/Time";

const TD = "py-1.5 pr-4 whitespace-nowrap";

function Row({
  row,
  newest,
  onCompare,
}: {
  row: SnapshotRowDto;
  newest: boolean;
  onCompare: (id: string) => void;
}) {
  return (
    <tr
      className="border-t border-line"
      data-testid={`snapshot-row-${row.id}`}
      data-baseline={row.baseline}
      data-severity={row.severity ?? ""}
    >
      <td className={`${TD} pl-4 font-mono text-small`}>{short(row.id, 8)}</td>
      <td className={TD}>{dateTime(row.taken_at_ms)}</td>
      <td className={`${TD} text-ink-soft`}>
        <Since at={row.last_seen_at_ms} suffix=" ago" />
      </td>
      <td className={`${TD} text-ink-soft tabular-nums`}>
        {row.tools} / {row.resources} / {row.resource_templates} / {row.prompts}
      </td>
      <td className={TD}>
        <span className="inline-flex gap-1">
          {row.severity ? <StateTag word={row.severity} /> : <span className="text-ink-faint">first</span>}
          {row.baseline ? <StateTag word="allowed" label="baseline" /> : null}
          {newest ? <StateTag word="info" label="newest" /> : null}
        </span>
      </td>
      <td className={`${TD} text-right`}>
        {newest ? null : (
          <Button
            small
            look="quiet"
            onClick={() => onCompare(row.id)}
            aria-label={`Compare ${short(row.id, 8)}`}
          >
            Compare
          </Button>
        )}
      </td>
    </tr>
  );
}

/** A server's snapshots, newest first: when, how much, how grave the change was, which one is the baseline. */
export function SnapshotList({
  rows,
  onCompare,
  onOlder,
  loading,
}: {
  rows: SnapshotRowDto[];
  onCompare: (id: string) => void;
  onOlder: (() => void) | null;
  loading: boolean;
}) {
  return (
    <div className="max-h-80 overflow-auto border-t border-line">
      <table className="w-full text-left text-small" data-testid="snapshot-history">
        <caption className="sr-only">Snapshots, newest first</caption>
        <thead>
          <tr className="text-ink-faint">
            {["Snapshot", "Taken", "Last seen so", "Tools / resources / templates / prompts", "Change"].map(
              (heading) => (
                <th key={heading} scope="col" className="py-1 pr-4 font-medium whitespace-nowrap first:pl-4">
                  {heading}
                </th>
              ),
            )}
            <th>
              <span className="sr-only">Compare</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <Row key={row.id} row={row} newest={index === 0} onCompare={onCompare} />
          ))}
        </tbody>
      </table>
      {onOlder ? (
        <div className="border-t border-line p-2 text-center">
          <Button small look="quiet" busy={loading} data-testid="snapshots-older" onClick={onOlder}>
            Older ones
          </Button>
        </div>
      ) : null}
    </div>
  );
}
