import { useState } from "react";
import type { CallAnswerDto } from "@/backend/port";
import { HostileText } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { StateTag, StateWord } from "@/components/StateWord";
import { to } from "@/routes";
import { AttemptsTable } from "./AttemptsTable";

const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const LARGEST_IMAGE = 4_000_000;

type Block = Record<string, unknown>;

function isBlock(value: unknown): value is Block {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function blocksOf(result: string): Block[] | null {
  try {
    const parsed: unknown = JSON.parse(result);
    if (!isBlock(parsed)) return null;
    const list = parsed.content ?? parsed.contents ?? parsed.messages;
    return Array.isArray(list) && list.length > 0 ? list.filter(isBlock) : null;
  } catch {
    return null;
  }
}

function ContentBlock({ block }: { block: Block }) {
  const inner = isBlock(block.content) ? block.content : isBlock(block.resource) ? block.resource : block;
  const { text, data, blob, mimeType } = inner;
  const bytes = typeof data === "string" ? data : typeof blob === "string" ? blob : null;
  if (typeof text === "string") {
    return (
      <div>
        {typeof block.role === "string" ? <p className="text-small text-ink-faint">{block.role}</p> : null}
        <HostileText text={text} limit={2000} />
      </div>
    );
  }
  if (
    bytes &&
    typeof mimeType === "string" &&
    IMAGES.has(mimeType) &&
    bytes.length < LARGEST_IMAGE &&
    /^[\w+/=\s]+$/.test(bytes)
  ) {
    return (
      <img
        src={`data:${mimeType};base64,${bytes}`}
        alt="What the tool answered"
        className="max-h-80 max-w-full rounded border border-line"
      />
    );
  }
  return <JsonView text={JSON.stringify(block)} limit={2000} />;
}

/** What came back: the content as text and pictures, or the raw JSON; then the attempts behind it. */
export function CallAnswer({ answer }: { answer: CallAnswerDto }) {
  const [raw, setRaw] = useState(false);
  const { failure, result } = answer;
  const blocks = result ? blocksOf(result) : null;
  return (
    <div className="space-y-3">
      <div
        data-testid="tool-answer"
        data-ok={failure === null}
        role="status"
        className={`rounded-md border p-3 ${failure ? "border-bad/40 bg-bad-wash" : "border-line bg-ground"}`}
      >
        {failure ? (
          <div className="space-y-1">
            <p className="flex flex-wrap items-center gap-2">
              <StateTag word="failed" label={`${failure.status} ${failure.code}`} />
              <HostileText text={failure.message} limit={600} />
            </p>
            {result ? <JsonView text={result} /> : null}
          </div>
        ) : (
          <div className="space-y-2">
            <div className="flex items-center justify-between">
              <StateTag word="ok" label="answered" />
              {blocks ? (
                <button
                  type="button"
                  aria-pressed={raw}
                  className="text-small text-accent hover:underline"
                  onClick={() => setRaw(!raw)}
                >
                  {raw ? "Show content" : "Show JSON"}
                </button>
              ) : null}
            </div>
            {blocks && !raw ? (
              blocks.map((block, index) => <ContentBlock key={index} block={block} />)
            ) : (
              <JsonView text={result ?? "null"} />
            )}
          </div>
        )}
      </div>
      {answer.output_problems && answer.output_problems.length > 0 ? (
        <div data-testid="output-problems" className="rounded-md border border-warn/50 bg-warn-wash p-3">
          <StateWord word="warning" label="The answer does not fit the tool's own output schema" />
          <ul className="mt-1 text-small">
            {answer.output_problems.map((problem, index) => (
              <li key={index}>
                <HostileText text={problem} limit={300} />
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <AttemptsTable attempts={answer.attempts} testid="attempts-table" />
      {answer.correlation_id ? (
        <p className="text-small text-ink-faint">
          <a className="text-accent hover:underline" href={to.events({ correlation: answer.correlation_id })}>
            What this call caused
          </a>{" "}
          (correlation <code className="font-mono">{answer.correlation_id}</code>)
        </p>
      ) : null}
    </div>
  );
}
