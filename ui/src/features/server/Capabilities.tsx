import { ChevronDown, ChevronRight, TriangleAlert } from "lucide-react";
import { useMemo, useState } from "react";
import type { ItemDto, ListStatusDto, SnapshotDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { short } from "@/components/format";
import { HostileLine, HostileText } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { StateTag } from "@/components/StateWord";

const KINDS = [
  { kind: "tool", label: "Tools" },
  { kind: "resource", label: "Resources" },
  { kind: "resource_template", label: "Templates" },
  { kind: "prompt", label: "Prompts" },
];

const FIRST = 100;

/** The tab that an arrow key leads to, round the ends. */
function neighbour(kind: string, key: string): string | undefined {
  const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return undefined;
  const here = KINDS.findIndex((each) => each.kind === kind);
  return KINDS.at((here + step) % KINDS.length)?.kind;
}

function Item({ item }: { item: ItemDto }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="border-t border-line first:border-t-0" data-testid={`item-${item.kind}-${item.name}`}>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full items-start gap-2 px-4 py-2 text-left hover:bg-raised"
      >
        {open ? (
          <ChevronDown aria-hidden className="mt-0.5 size-4 shrink-0 text-ink-faint" />
        ) : (
          <ChevronRight aria-hidden className="mt-0.5 size-4 shrink-0 text-ink-faint" />
        )}
        <span className="min-w-0 flex-1">
          <span className="flex items-center gap-2">
            <HostileLine text={item.name} className="font-mono text-small font-medium" />
            {item.title ? <HostileLine text={item.title} className="text-ink-soft" /> : null}
            {item.malformed ? (
              <span className="inline-flex shrink-0 items-center gap-1 rounded bg-warn-wash px-1.5 text-small text-warn">
                <TriangleAlert aria-hidden className="size-3.5" /> malformed
              </span>
            ) : null}
          </span>
          {item.description && !open ? (
            <HostileLine text={item.description} className="text-small text-ink-soft" />
          ) : null}
        </span>
      </button>
      {open ? (
        <div className="space-y-2 px-4 pb-3 pl-10">
          {item.malformed ? (
            <p className="text-warn">
              Not as the specification wants it: <HostileText text={item.malformed} />
            </p>
          ) : null}
          {item.description ? (
            <p>
              <HostileText text={item.description} limit={600} />
            </p>
          ) : null}
          {item.input_schema ? (
            <div>
              <h4 className="text-small text-ink-faint">Input schema</h4>
              <JsonView text={item.input_schema} testid="item-schema" />
            </div>
          ) : null}
          <details>
            <summary className="text-small text-ink-faint hover:text-ink">
              As it came (hash <code className="font-mono">{short(item.hash, 12)}</code>)
            </summary>
            <div className="mt-1">
              <JsonView text={item.raw} />
            </div>
          </details>
        </div>
      ) : null}
    </li>
  );
}

function ListStatus({ list }: { list: ListStatusDto | undefined }) {
  if (!list || list.status === "ok") return null;
  return (
    <p
      className="border-t border-line px-4 py-2 text-small"
      data-testid={`list-status-${list.kind}`}
      data-status={list.status}
    >
      <StateTag word={list.status} />{" "}
      <span className="text-ink-soft">
        {list.status === "unsupported" ? (
          "The server does not offer this list."
        ) : (
          <HostileText text={list.reason ?? "This list failed."} />
        )}
      </span>
    </p>
  );
}

/** What the newest good snapshot says the server offers. */
export function Capabilities({ snapshot }: { snapshot: SnapshotDto }) {
  const [kind, setKind] = useState("tool");
  const [search, setSearch] = useState("");
  const [limit, setLimit] = useState(FIRST);
  const counts = useMemo(() => {
    const out = new Map<string, number>();
    for (const item of snapshot.items) out.set(item.kind, (out.get(item.kind) ?? 0) + 1);
    return out;
  }, [snapshot]);
  const list = snapshot.lists.find((each) => each.kind === kind);
  const needle = search.trim().toLowerCase();
  const items = snapshot.items.filter(
    (item) =>
      item.kind === kind &&
      (!needle ||
        item.name.toLowerCase().includes(needle) ||
        item.description?.toLowerCase().includes(needle)),
  );
  return (
    <Card
      title="Capabilities"
      flush
      data-testid="capabilities"
      aside={
        <input
          type="search"
          value={search}
          aria-label="Search the capabilities"
          placeholder="Search"
          onChange={(event) => setSearch(event.target.value)}
          className="h-7 w-40 rounded-md border border-edge bg-panel px-2 text-ink placeholder:text-ink-faint"
        />
      }
    >
      <div
        role="tablist"
        aria-label="Kinds of items"
        onKeyDown={(event) => {
          const next = neighbour(kind, event.key);
          if (!next) return;
          event.preventDefault();
          setKind(next);
          document.getElementById(`tab-${next}`)?.focus();
        }}
        className="flex gap-1 px-3 py-2"
      >
        {KINDS.map((each) => {
          const failed = snapshot.lists.some(
            (status) => status.kind === each.kind && status.status === "failed",
          );
          return (
            <button
              key={each.kind}
              type="button"
              role="tab"
              id={`tab-${each.kind}`}
              aria-selected={kind === each.kind}
              aria-controls="capability-items"
              tabIndex={kind === each.kind ? 0 : -1}
              data-testid={`tab-${each.kind}`}
              onClick={() => setKind(each.kind)}
              className={`inline-flex h-7 items-center gap-1.5 rounded-md px-2 text-small font-medium ${
                kind === each.kind ? "bg-accent-wash text-accent" : "text-ink-soft hover:bg-raised"
              }`}
            >
              {failed ? <TriangleAlert aria-label="list failed" className="size-3.5 text-bad" /> : null}
              {each.label}{" "}
              <span className="tabular-nums">
                {snapshot.lists.some((status) => status.kind === each.kind && status.status === "unsupported")
                  ? "–"
                  : (counts.get(each.kind) ?? 0)}
              </span>
            </button>
          );
        })}
      </div>
      <div role="tabpanel" id="capability-items" aria-labelledby={`tab-${kind}`}>
        <ListStatus list={list} />
        <ul className="max-h-[28rem] overflow-y-auto border-t border-line">
          {items.slice(0, limit).map((item, index) => (
            <Item key={`${item.kind}/${item.name}/${index}`} item={item} />
          ))}
        </ul>
        {items.length > limit ? (
          <button
            type="button"
            className="w-full py-2 text-small text-accent"
            onClick={() => setLimit(limit + 500)}
          >
            Show more ({items.length - limit} left)
          </button>
        ) : null}
        {items.length === 0 && list?.status !== "unsupported" ? (
          <p className="px-4 py-4 text-ink-faint">
            {needle ? "Nothing fits the search." : "It offers none."}
          </p>
        ) : null}
      </div>
    </Card>
  );
}
