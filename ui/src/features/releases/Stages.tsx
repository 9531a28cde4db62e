import { useEffect, useRef, useState } from "react";
import type { StageDto } from "@/backend/port";
import { useStageOutput } from "@/backend/queries";
import { useNow } from "@/components/clock";
import { duration, span, words } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { HARD_LIMIT } from "@/components/hostile";
import { faceOf, INK } from "@/components/tone";

function Output({ cycleId, stage, running }: { cycleId: string; stage: string; running: boolean }) {
  const output = useStageOutput(cycleId, stage, running);
  const box = useRef<HTMLPreElement>(null);
  const all = output.data?.text ?? "";
  // The end is what one wants to see; what is laid out stays bounded.
  const text = all.slice(-HARD_LIMIT);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is what moves the view
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  if (output.error) return <p className="text-small text-bad">{output.error.message}</p>;
  return (
    <pre
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable from the keyboard
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={`Output of ${words(stage)}`}
      data-testid={`cycle-output-${stage}`}
      className="mt-1 max-h-56 overflow-auto rounded-md border border-line bg-ground p-2 font-mono text-small"
    >
      {output.data?.truncated || text.length < all.length ? (
        <span className="text-ink-faint">(the beginning is cut)&#10;</span>
      ) : null}
      {text ? (
        <HostileText text={text} limit={HARD_LIMIT} />
      ) : (
        <span className="text-ink-faint">No output yet.</span>
      )}
    </pre>
  );
}

function took(stage: StageDto, now: number): string {
  if (stage.started_at_ms === null) return "";
  if (stage.ended_at_ms !== null) return duration(stage.ended_at_ms - stage.started_at_ms);
  return stage.state === "running" || stage.state === "waiting" ? span(now - stage.started_at_ms) : "";
}

function Stage({ cycleId, stage, last }: { cycleId: string; stage: StageDto; last: boolean }) {
  const now = useNow();
  const [chosen, setChosen] = useState<boolean | null>(null);
  const { tone, icon: Icon, spins } = faceOf(stage.state);
  const running = stage.state === "running";
  const open = stage.has_output && (chosen ?? (running || stage.state === "failed"));
  const quiet = stage.state === "not_run" || stage.state === "skipped";
  return (
    <li
      data-testid={`cycle-stage-${stage.stage}`}
      data-state={stage.state}
      className="relative flex gap-3 pb-3 last:pb-0"
    >
      {last ? null : <span aria-hidden className="absolute top-5 bottom-0 left-[9px] w-0.5 bg-line" />}
      <Icon
        aria-hidden
        className={`relative size-5 shrink-0 rounded-full bg-panel ${INK[tone]} ${spins ? "spin" : ""}`}
      />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-3">
          <span className={quiet ? "text-ink-faint" : "font-medium"}>{words(stage.stage)}</span>
          <span className={`text-small ${INK[tone]}`}>{words(stage.state)}</span>
          <span className="text-small text-ink-faint tabular-nums">{took(stage, now)}</span>
          {stage.has_output ? (
            <button
              type="button"
              aria-expanded={open}
              data-testid={`cycle-output-toggle-${stage.stage}`}
              className="text-small text-accent hover:underline"
              onClick={() => setChosen(!open)}
            >
              {open ? "hide output" : "output"}
            </button>
          ) : null}
        </p>
        {stage.detail ? (
          <p className="text-small text-ink-soft">
            <HostileText text={stage.detail} limit={400} />
          </p>
        ) : null}
        {open ? <Output cycleId={cycleId} stage={stage.stage} running={running} /> : null}
      </div>
    </li>
  );
}

/** The stages in the table's order. One that did not run is grey and never shown as passed. */
export function Stages({ cycleId, stages }: { cycleId: string; stages: StageDto[] }) {
  const current = stages.find((stage) => stage.state === "running" || stage.state === "waiting");
  return (
    <>
      <p className="sr-only" role="status">
        {current ? `${words(current.stage)}: ${words(current.state)}` : ""}
      </p>
      <ol aria-label="Stages">
        {stages.map((stage, index) => (
          <Stage key={stage.stage} cycleId={cycleId} stage={stage} last={index === stages.length - 1} />
        ))}
      </ol>
    </>
  );
}
