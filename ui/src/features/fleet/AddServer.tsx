import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { useAct } from "@/backend/queries";
import { FormDialog, TextField } from "@/components/FormDialog";

/** A command line in its parts: spaces part, quotes hold together. Null while a quote is open. */
export function parts(line: string): string[] | null {
  const found: string[] = [];
  let part: string | null = null;
  let quote = "";
  for (const letter of line) {
    if (quote) {
      if (letter === quote) quote = "";
      else part += letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      part ??= "";
    } else if (/\s/.test(letter)) {
      if (part !== null) found.push(part);
      part = null;
    } else {
      part = (part ?? "") + letter;
    }
  }
  if (quote) return null;
  if (part !== null) found.push(part);
  return found;
}

/** The entry of `mcp.json` for an address or a command line; null for neither. */
export function entryFor(text: string): { url: string } | { command: string; args: string[] } | null {
  const line = text.trim();
  if (/^https?:\/\/\S+$/.test(line)) return { url: line };
  const [command, ...args] = parts(line) ?? [];
  return command ? { command, args } : null;
}

/** Adds a server by its address or its command line. A command still waits for consent. */
export function AddServer({ onClose }: { onClose: () => void }) {
  const backend = useBackend();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const entry = entryFor(text);
  const add = useAct(() => backend.serverAdd(name.trim(), JSON.stringify(entry)), onClose);
  return (
    <FormDialog
      title="Add a server"
      description="It is written into mcp.json. A command runs only after you have seen and approved it."
      action="Add it"
      ready={name.trim() !== "" && entry !== null}
      busy={add.isPending}
      error={add.error}
      onClose={onClose}
      onAct={() => add.mutate(undefined)}
      testid="server-add"
    >
      <TextField label="Name" value={name} onChange={setName} testid="server-add-name" />
      <TextField
        label="Address or command"
        hint="http://127.0.0.1:9901/mcp, or npx -y @modelcontextprotocol/server-everything"
        value={text}
        onChange={setText}
        testid="server-add-endpoint"
        mono
      />
      <div>
        <p className="text-small text-ink-faint">The entry</p>
        <pre
          data-testid="server-add-entry"
          className="min-h-8 rounded-md border border-line bg-ground p-2 font-mono text-small whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          {entry ? JSON.stringify(entry, null, 2) : ""}
        </pre>
      </div>
    </FormDialog>
  );
}
