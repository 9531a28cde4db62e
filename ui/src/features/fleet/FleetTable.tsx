import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  type SortFn,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useRef } from "react";
import type { ServerRowDto } from "@/backend/port";
import { FleetRow } from "./FleetRow";
import { rank } from "./severity";

const ROW_HEIGHT = 44;

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const column = createColumnHelper<typeof features, ServerRowDto>();

const byName = (a: ServerRowDto, b: ServerRowDto) =>
  a.server.localeCompare(b.server, undefined, { numeric: true });

function ordered(
  compare: (a: ServerRowDto, b: ServerRowDto) => number,
): SortFn<typeof features, ServerRowDto> {
  return (a, b) => compare(a.original, b.original) || byName(a.original, b.original);
}

const number = (value: number | null) => value ?? Number.POSITIVE_INFINITY;
const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);

const columns = column.columns([
  column.accessor("server", { header: "Name", sortFn: ordered(byName) }),
  column.accessor("status", { header: "Status", sortFn: ordered((a, b) => rank(a.status) - rank(b.status)) }),
  column.accessor("transport", {
    header: "Transport",
    sortFn: ordered((a, b) => a.transport.localeCompare(b.transport)),
  }),
  column.accessor("era", {
    header: "Era",
    sortFn: ordered((a, b) => (a.era ?? "").localeCompare(b.era ?? "")),
  }),
  column.accessor("since_ms", {
    header: "Since",
    sortFn: ordered((a, b) => compare(number(b.since_ms), number(a.since_ms))),
  }),
  column.accessor("latency_ms", {
    header: "Latency",
    sortFn: ordered((a, b) => compare(number(a.latency_ms), number(b.latency_ms))),
  }),
  column.accessor("tools", {
    header: "Tools",
    sortFn: ordered((a, b) => compare(a.tools ?? -1, b.tools ?? -1)),
  }),
  column.accessor("error", {
    header: "Last error",
    sortFn: ordered((a, b) => (a.error ?? "").localeCompare(b.error ?? "")),
  }),
  column.accessor("next_action_at_ms", {
    header: "Next retry",
    sortFn: ordered((a, b) => compare(number(a.next_action_at_ms), number(b.next_action_at_ms))),
  }),
]);

/** Columns that give way in a narrow window (the name's second line then carries them), and in a very narrow one. */
const WIDE_ONLY = new Set(["transport", "era"]);
const MIDDLE_AND_WIDE = new Set(["since_ms", "tools"]);
const NUMERIC = new Set(["tools"]);

function columnClass(id: string): string {
  const give = WIDE_ONLY.has(id) ? "fleet-wide" : MIDDLE_AND_WIDE.has(id) ? "fleet-middle" : "";
  return `${give} ${NUMERIC.has(id) ? "text-right" : ""}`;
}

/** The fleet, worst first unless another order is chosen. Only the rows in sight are laid out. */
export function FleetTable({ servers }: { servers: ServerRowDto[] }) {
  const table = useTable({
    features,
    columns,
    data: servers,
    getRowId: (row) => row.server,
    enableSortingRemoval: false,
    sortDescFirst: false,
    initialState: { sorting: [{ id: "status", desc: false }] },
  });
  const rows = table.getRowModel().rows;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  });
  return (
    <div
      role="table"
      aria-label="Servers"
      aria-rowcount={rows.length + 1}
      className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border border-line bg-panel"
    >
      <div
        role="row"
        aria-rowindex={1}
        className="fleet-grid h-9 shrink-0 border-b border-line px-4 text-small text-ink-faint"
      >
        {table.getHeaderGroups().flatMap((group) =>
          group.headers.map((header) => {
            const sorted = header.column.getIsSorted();
            return (
              <div
                key={header.id}
                role="columnheader"
                aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none"}
                className={columnClass(header.column.id)}
              >
                <button
                  type="button"
                  onClick={() => header.column.toggleSorting()}
                  className="inline-flex items-center gap-1 font-medium whitespace-nowrap hover:text-ink"
                >
                  {String(header.column.columnDef.header)}
                  {sorted === "asc" ? <ArrowDown aria-hidden className="size-3" /> : null}
                  {sorted === "desc" ? <ArrowUp aria-hidden className="size-3" /> : null}
                </button>
              </div>
            );
          }),
        )}
        <div role="columnheader">
          <span className="sr-only">What to do</span>
        </div>
      </div>
      <div
        ref={scroller}
        role="rowgroup"
        className="min-h-0 flex-1 overflow-y-auto"
        data-testid="fleet-scroller"
      >
        <div role="presentation" className="relative" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row ? (
              <FleetRow
                key={row.id}
                row={row.original}
                index={item.index}
                top={item.start}
                height={ROW_HEIGHT}
              />
            ) : null;
          })}
        </div>
      </div>
    </div>
  );
}
