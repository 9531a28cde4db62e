import { useState } from "react";
import { HARD_LIMIT, neutralise } from "./hostile";

/** Text from a server, a log or a commit: shown as text only, bounded, and unable to turn its surroundings round. */
export function HostileText({
  text,
  limit = 280,
  mono = false,
  className = "",
}: {
  text: string;
  limit?: number;
  mono?: boolean;
  className?: string;
}) {
  const [all, setAll] = useState(false);
  const clean = neutralise(text);
  const long = clean.length > limit;
  const shown = long && !all ? `${clean.slice(0, limit)}…` : clean;
  return (
    <span className={className}>
      <bdi className={`whitespace-pre-wrap [overflow-wrap:anywhere] ${mono ? "font-mono text-small" : ""}`}>
        {shown}
      </bdi>
      {all && text.length > HARD_LIMIT ? (
        <span className="text-ink-faint"> (cut after {HARD_LIMIT.toLocaleString()} characters)</span>
      ) : null}
      {long ? (
        <button
          type="button"
          className="ml-1 text-small text-accent underline underline-offset-2"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all ? "show less" : "show more"}
        </button>
      ) : null}
    </span>
  );
}

/** The same on one line, cut by the layout; the whole (bounded) text is in the tooltip. */
export function HostileLine({ text, className = "" }: { text: string; className?: string }) {
  const clean = neutralise(text.length > 600 ? `${text.slice(0, 600)}…` : text).replaceAll("\n", " ⏎ ");
  return (
    <bdi className={`block truncate ${className}`} title={clean}>
      {clean}
    </bdi>
  );
}
