import { Play, Square } from "lucide-react";
import { useId, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ItemDto, SnapshotDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { ErrorPanel } from "@/components/ErrorPanel";
import { neutralise } from "@/components/hostile";
import { CallAnswer } from "./CallAnswer";
import { CallProgress } from "./CallProgress";
import { CallTarget, type Target, targetOf } from "./CallTarget";
import { findArgumentFault } from "./jsonSyntax";
import { prefill } from "./prefill";

const METHODS: Record<string, string> = {
  tool: "tools/call",
  resource: "resources/read",
  prompt: "prompts/get",
};
const GROUPS = [
  { kind: "tool", label: "Tools" },
  { kind: "resource", label: "Resources: read" },
  { kind: "prompt", label: "Prompts: get" },
];

function keyOf(item: ItemDto): string {
  return item.kind === "tool" ? item.name : `${METHODS[item.kind]} ${item.name}`;
}

function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `ui-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Calls a tool, reads a resource or gets a prompt, and shows the answer with every attempt. */
export function CallPanel({
  server,
  group,
  snapshot,
}: {
  server: string;
  group: string | null;
  snapshot: SnapshotDto | null;
}) {
  const backend = useBackend();
  const field = useId();
  const items = (snapshot?.items ?? []).filter((item) => item.kind in METHODS && !item.malformed);
  const [key, setKey] = useState<string | null>(null);
  const item = items.find((each) => keyOf(each) === key) ?? items[0];
  const [edited, setEdited] = useState<{ key: string; text: string } | null>(null);
  const shownKey = item ? keyOf(item) : "";
  const text = edited && edited.key === shownKey ? edited.text : prefill(item?.input_schema ?? null);
  const fault = item?.kind === "resource" ? null : findArgumentFault(text);
  const [requestId, setRequestId] = useState<string | null>(null);
  const [target, setTarget] = useState<Target>({ way: "server" });
  const asked = targetOf(target, server, group);

  const run = useAct((request: Parameters<typeof backend.serverCall>[0]) => backend.serverCall(request));
  const cancel = useAct((id: string) => backend.callCancel(id));

  const start = () => {
    if (!item || fault || !asked) return;
    const id = newRequestId();
    setRequestId(id);
    cancel.reset();
    run.mutate({
      ...asked,
      method: METHODS[item.kind] ?? "tools/call",
      name: item.name,
      arguments: item.kind === "resource" || text.trim() === "" ? null : text,
      timeout_ms: null,
      request_id: id,
    });
  };

  return (
    <Card title="Call" data-testid="call-panel">
      {!item ? (
        <p className="text-ink-faint">
          There is nothing to call: no snapshot offers a tool, a resource or a prompt.
        </p>
      ) : (
        <div className="space-y-3">
          <label className="block">
            <span className="mb-1 block text-small text-ink-faint">What to call</span>
            <select
              data-testid="tool-select"
              value={shownKey}
              onChange={(event) => setKey(event.target.value)}
              className="h-8 w-full rounded-md border border-edge bg-panel px-2"
            >
              {GROUPS.map((group) => {
                const members = items.filter((each) => each.kind === group.kind);
                return members.length > 0 ? (
                  <optgroup key={group.kind} label={group.label}>
                    {members.map((each) => (
                      <option key={keyOf(each)} value={keyOf(each)}>
                        {neutralise(each.name).slice(0, 120)}
                      </option>
                    ))}
                  </optgroup>
                ) : null;
              })}
            </select>
          </label>
          {item.kind === "resource" ? null : (
            <div>
              <label htmlFor={field} className="mb-1 block text-small text-ink-faint">
                Arguments (JSON)
              </label>
              <textarea
                id={field}
                data-testid="tool-args"
                rows={Math.min(12, Math.max(4, text.split("\n").length + 1))}
                spellCheck={false}
                value={text}
                aria-invalid={fault !== null}
                aria-describedby={`${field}-fault`}
                onChange={(event) => setEdited({ key: shownKey, text: event.target.value })}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
                }}
                className={`w-full rounded-md border bg-panel px-2 py-1.5 font-mono text-small ${fault ? "border-bad" : "border-edge"}`}
              />
              <p
                id={`${field}-fault`}
                data-testid="tool-args-fault"
                aria-live="polite"
                className="min-h-5 text-small text-bad"
              >
                {fault ? `Line ${fault.line}, column ${fault.column}: ${fault.message}` : ""}
              </p>
            </div>
          )}
          <CallTarget server={server} group={group} target={target} onChange={setTarget} />
          <div className="flex items-center gap-2">
            <Button
              look="primary"
              data-testid="tool-run"
              disabled={fault !== null || asked === null}
              busy={run.isPending}
              onClick={start}
            >
              <Play aria-hidden className="size-4" />
              {run.isPending ? "Running…" : "Run"}
            </Button>
            {run.isPending && requestId ? (
              <Button
                data-testid="tool-cancel"
                busy={cancel.isPending}
                onClick={() => cancel.mutate(requestId)}
              >
                <Square aria-hidden className="size-3.5" />
                Cancel
              </Button>
            ) : null}
            <span className="text-tiny text-ink-faint">Ctrl+Enter runs it</span>
          </div>
          {run.isPending && requestId ? <CallProgress requestId={requestId} /> : null}
          {cancel.error ? <ErrorPanel error={cancel.error} title="It could not be cancelled" /> : null}
          {run.error ? <ErrorPanel error={run.error} title="The call was refused" /> : null}
          {run.data && !run.isPending ? <CallAnswer answer={run.data} /> : null}
        </div>
      )}
    </Card>
  );
}
