import { ArrowDownLeft, ArrowUpRight, ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import type { WireEntryDto } from "@/backend/port";
import { bytes, duration, timeOfDay } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { StateTag } from "@/components/StateWord";
import { partnerOf } from "./wire";

const WAYS: Record<string, string> = { out: "to the server", in: "from the server" };

function Body({ entry }: { entry: WireEntryDto }) {
  return (
    <div className="min-w-0">
      <h3 className="text-small text-ink-faint">
        {entry.kind} {WAYS[entry.direction] ?? entry.direction}, message {entry.seq}
        {entry.session ? `, session ${entry.session}` : ""}
      </h3>
      <JsonView text={entry.text} />
      {entry.cut ? (
        <p className="text-small text-ink-faint">Cut: the whole message has {bytes(entry.bytes)}.</p>
      ) : null}
    </div>
  );
}

/** One message on a line; opened, its text and that of its request or answer. */
export function WireEntry({ entry, all }: { entry: WireEntryDto; all: WireEntryDto[] }) {
  const [open, setOpen] = useState(false);
  const partner = open || entry.kind === "request" ? partnerOf(all, entry) : null;
  const answered = entry.kind === "request" && partner ? partner.at_ms - entry.at_ms : null;
  return (
    <li
      className="border-t border-line first:border-t-0"
      data-testid={`wire-entry-${entry.seq}`}
      data-kind={entry.kind}
      data-direction={entry.direction}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full min-w-0 items-center gap-2 px-4 py-1 text-left text-small hover:bg-raised"
      >
        {open ? (
          <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-faint" />
        ) : (
          <ChevronRight aria-hidden className="size-3.5 shrink-0 text-ink-faint" />
        )}
        <span className="w-10 shrink-0 text-right text-ink-faint tabular-nums">{entry.seq}</span>
        <span className="w-16 shrink-0 text-ink-faint tabular-nums">{timeOfDay(entry.at_ms)}</span>
        {entry.direction === "out" ? (
          <ArrowUpRight aria-hidden className="size-3.5 shrink-0 text-accent" />
        ) : (
          <ArrowDownLeft aria-hidden className="size-3.5 shrink-0 text-ok" />
        )}
        <span className="sr-only">{WAYS[entry.direction] ?? entry.direction}</span>
        <span className="w-22 shrink-0">
          {entry.kind === "error" ? <StateTag word="failed" label="error" /> : entry.kind}
        </span>
        <HostileLine text={entry.method ?? "–"} className="w-48 shrink-0 font-mono" />
        <HostileLine text={entry.text} className="min-w-0 flex-1 font-mono text-ink-faint" />
        {answered !== null ? (
          <span className="shrink-0 text-ink-soft tabular-nums">{duration(answered)}</span>
        ) : null}
        {entry.status !== null ? <span className="shrink-0 tabular-nums">{entry.status}</span> : null}
        <span className="w-16 shrink-0 text-right text-ink-faint tabular-nums">{bytes(entry.bytes)}</span>
      </button>
      {open ? (
        <div className={`grid gap-3 px-4 pb-3 ${partner ? "min-[1000px]:grid-cols-2" : ""}`}>
          <Body entry={entry} />
          {partner ? (
            <div data-testid={`wire-partner-${entry.seq}`}>
              <Body entry={partner} />
            </div>
          ) : null}
        </div>
      ) : null}
    </li>
  );
}
