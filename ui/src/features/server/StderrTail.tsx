import { useEffect, useRef } from "react";
import type { StderrLineDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { CopyButton } from "@/components/Copy";
import { timeOfDay } from "@/components/format";
import { HostileText } from "@/components/HostileText";

/** The last lines a server wrote to stderr. Stays at the end unless the operator scrolled up. */
export function StderrTail({ lines, transport }: { lines: StderrLineDto[]; transport: string }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const newest = lines.at(-1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last line is what moves the view
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [newest]);
  return (
    <Card
      title="stderr"
      data-testid="stderr-tail"
      aside={lines.length > 0 ? <CopyButton text={lines.map((line) => line.text).join("\n")} /> : null}
      flush
    >
      {lines.length === 0 ? (
        <p className="p-4 text-ink-faint">
          {transport === "stdio"
            ? "It wrote nothing to stderr."
            : "Only servers that ATT starts itself have a stderr here."}
        </p>
      ) : (
        <div
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable from the keyboard
          tabIndex={0}
          role="log"
          aria-label="stderr"
          aria-live="off"
          onScroll={(event) => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
            atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
          }}
          className="max-h-72 overflow-y-auto p-3 font-mono text-small"
        >
          {lines.map((line, index) => (
            <div key={index} className="grid grid-cols-[5rem_minmax(0,1fr)]">
              <span className="text-ink-faint">{timeOfDay(line.at_ms)}</span>
              <HostileText text={line.text} limit={400} />
            </div>
          ))}
        </div>
      )}
    </Card>
  );
}
