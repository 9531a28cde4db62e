import { useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ImportDoneDto, ImportPlanDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { TextField } from "@/components/FormDialog";
import { count } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { Modal } from "@/components/Modal";
import { StateWord } from "@/components/StateWord";
import { ImportServer } from "./ImportServer";

const CLIENTS = [
  { from: "auto", label: "whatever is found on this machine" },
  { from: "claude-desktop", label: "Claude Desktop" },
  { from: "claude-code", label: "Claude Code" },
  { from: "vscode", label: "VS Code" },
  { from: "cursor", label: "Cursor" },
  { from: "codex", label: "Codex" },
];
const CONFLICTS = [
  { word: "keep", label: "keep what stands here" },
  { word: "replace", label: "replace it" },
  { word: "rename", label: "add it under another name" },
];
const SELECT = "h-8 rounded-md border border-edge bg-panel px-2";

function Done({ done }: { done: ImportDoneDto }) {
  const lines = [
    ["Added", done.added],
    ["Replaced", done.replaced],
    ["Left as they are", done.kept],
    ["Secrets kept", done.secrets],
    ["Not done", done.problems],
  ] as const;
  return (
    <div role="status" data-testid="import-done" className="space-y-2">
      <StateWord
        word={done.problems.length > 0 ? "partial" : "ok"}
        label={`${count(done.added.length + done.replaced.length, "server")} taken over`}
      />
      <ul>
        {lines.map(([label, names]) =>
          names.length > 0 ? (
            <li key={label}>
              <span className="text-ink-faint">{label}: </span>
              <HostileText text={names.join(", ")} limit={600} />
            </li>
          ) : null,
        )}
      </ul>
      <p className="text-ink-soft">
        A command runs only after you have seen and approved it in the Fleet view.
      </p>
    </div>
  );
}

function Plan({
  plan,
  chosen,
  onChoose,
}: {
  plan: ImportPlanDto;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}) {
  return (
    <div data-testid="import-plan" className="space-y-2">
      <p className="text-small text-ink-faint">
        Read: <HostileText text={plan.files.join(", ") || "no file"} limit={400} />
      </p>
      {plan.problems.map((problem, index) => (
        <p key={index} className="text-small text-warn">
          <HostileText text={problem} limit={300} />
        </p>
      ))}
      {plan.servers.length === 0 ? <p className="text-ink-soft">No server stands there.</p> : null}
      <ul className="space-y-2">
        {plan.servers.map((server) => (
          <ImportServer
            key={`${server.source}/${server.name}`}
            server={server}
            chosen={chosen.has(server.name)}
            onChoose={(on) => {
              const next = new Set(chosen);
              if (on) next.add(server.name);
              else next.delete(server.name);
              onChoose(next);
            }}
          />
        ))}
      </ul>
    </div>
  );
}

/** Takes servers over from another client: shown first, then done as it was shown. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const backend = useBackend();
  const safe = useRef<HTMLButtonElement>(null);
  const [from, setFrom] = useState("auto");
  const [file, setFile] = useState("");
  const [onConflict, setOnConflict] = useState("keep");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const path = file.trim() === "" ? null : file.trim();
  const look = useAct(
    () => backend.importPlan(from, path, null),
    (plan) =>
      setChosen(
        new Set(
          plan.servers
            .filter((each) => each.standing === "new" || each.standing === "conflict")
            .map((each) => each.name),
        ),
      ),
  );
  const plan = look.data;
  const apply = useAct((digest: string) =>
    backend.importApply(from, path, null, digest, onConflict, [...chosen]),
  );
  const again = () => {
    look.reset();
    apply.reset();
  };
  const conflicts = plan?.servers.some((each) => each.standing === "conflict") ?? false;
  return (
    <Modal
      open
      onClose={onClose}
      safe={safe}
      title="Take servers over from another client"
      description="Its file is read and left as it is. You see what would be done first; secrets go into your keyring, never into mcp.json."
    >
      <div className="space-y-3" data-testid="import-dialog">
        <div className="flex flex-wrap items-end gap-3">
          <label>
            <span className="mb-1 block font-medium">From</span>
            <select
              data-testid="import-from"
              value={from}
              onChange={(event) => {
                setFrom(event.target.value);
                again();
              }}
              className={SELECT}
            >
              {CLIENTS.map((client) => (
                <option key={client.from} value={client.from}>
                  {client.label}
                </option>
              ))}
            </select>
          </label>
          {from === "auto" ? null : (
            <div className="min-w-48 flex-1">
              <TextField
                label="File"
                hint="empty for its usual places"
                value={file}
                onChange={(value) => {
                  setFile(value);
                  again();
                }}
                testid="import-file"
                mono
              />
            </div>
          )}
          <Button data-testid="import-look" busy={look.isPending} onClick={() => look.mutate(undefined)}>
            Show what is there
          </Button>
        </div>
        {look.error ? <ErrorPanel error={look.error} title="Nothing could be read" /> : null}
        {plan && !apply.data ? <Plan plan={plan} chosen={chosen} onChoose={setChosen} /> : null}
        {plan && conflicts && !apply.data ? (
          <label className="flex items-center gap-2">
            <span className="font-medium">Where a name is taken here</span>
            <select
              data-testid="import-conflict"
              value={onConflict}
              onChange={(event) => setOnConflict(event.target.value)}
              className={SELECT}
            >
              {CONFLICTS.map((each) => (
                <option key={each.word} value={each.word}>
                  {each.label}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {apply.error ? <ErrorPanel error={apply.error} title="Nothing was taken over" /> : null}
        {apply.data ? <Done done={apply.data} /> : null}
        <div className="flex justify-end gap-2">
          <Button ref={safe} onClick={onClose}>
            {apply.data ? "Close" : "Leave it as it is"}
          </Button>
          {plan && !apply.data ? (
            <Button
              look="primary"
              data-testid="import-apply"
              disabled={chosen.size === 0}
              busy={apply.isPending}
              onClick={() => apply.mutate(plan.digest)}
            >
              Take {count(chosen.size, "server")} over
            </Button>
          ) : null}
        </div>
      </div>
    </Modal>
  );
}
