import type { WireEntryDto, WirePageDto } from "@/backend/port";

/** Most messages kept in the window; the oldest go first. */
export const MOST_WIRE_ENTRIES = 600;

/** The messages read so far, with where to go on. */
export interface WireView {
  source: string;
  entries: WireEntryDto[];
  nextSeq: number;
}

/** Adds a page to what is shown: nothing twice, and no more than fits. */
export function withPage(view: WireView | undefined, page: WirePageDto): WireView {
  const seen = view?.nextSeq ?? 0;
  const fresh = page.entries.filter((entry) => entry.seq > seen);
  return {
    source: page.source,
    entries: [...(view?.entries ?? []), ...fresh].slice(-MOST_WIRE_ENTRIES),
    nextSeq: Math.max(seen, page.next_seq),
  };
}

/** What of the log is looked at. */
export interface WireFilter {
  text: string;
  direction: string;
  kind: string;
}

/** The messages that fit. */
export function filtered(entries: WireEntryDto[], filter: WireFilter): WireEntryDto[] {
  const needle = filter.text.trim().toLowerCase();
  return entries.filter(
    (entry) =>
      (!filter.direction || entry.direction === filter.direction) &&
      (!filter.kind || entry.kind === filter.kind) &&
      (!needle ||
        entry.method?.toLowerCase().includes(needle) ||
        entry.id?.toLowerCase().includes(needle) ||
        entry.text.toLowerCase().includes(needle)),
  );
}

const ANSWERS = new Set(["response", "error"]);

/** The answer to a request, or the request of an answer: same connection, same id, the other direction. */
export function partnerOf(entries: WireEntryDto[], entry: WireEntryDto): WireEntryDto | null {
  if (entry.id === null) return null;
  const isAnswer = ANSWERS.has(entry.kind);
  if (!isAnswer && entry.kind !== "request") return null;
  const fits = (other: WireEntryDto) =>
    other.id === entry.id &&
    other.generation === entry.generation &&
    other.direction !== entry.direction &&
    (isAnswer ? other.kind === "request" : ANSWERS.has(other.kind));
  // An id may come again: the nearest on the right side is the one.
  return isAnswer
    ? (entries.findLast((other) => other.seq < entry.seq && fits(other)) ?? null)
    : (entries.find((other) => other.seq > entry.seq && fits(other)) ?? null);
}
