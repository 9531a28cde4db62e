import { prettyJson } from "./format";
import { HostileText } from "./HostileText";

/** JSON text, laid out and bounded. */
export function JsonView({ text, limit = 4000, testid }: { text: string; limit?: number; testid?: string }) {
  return (
    <pre
      data-testid={testid}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable from the keyboard
      tabIndex={0}
      className="max-h-96 overflow-auto rounded-md border border-line bg-ground p-2 font-mono text-small"
    >
      <HostileText text={prettyJson(text)} limit={limit} />
    </pre>
  );
}
