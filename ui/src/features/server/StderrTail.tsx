import { useEffect, useRef } from "react";
import { Card } from "@/components/Card";
import { CopyButton } from "@/components/Copy";
import { HostileText } from "@/components/HostileText";

/** The last lines a server wrote to stderr. Stays at the end unless the operator scrolled up. */
export function StderrTail({ lines, transport }: { lines: string[]; transport: string }) {
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
      aside={lines.length > 0 ? <CopyButton text={lines.join("\n")} /> : null}
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
            <div key={index}>
              <HostileText text={line} limit={400} />
            </div>
          ))}
        </div>
      )}
    </Card>
  );
}
