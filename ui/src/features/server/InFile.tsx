import { useId, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { useAct } from "@/backend/queries";
import { AskDialog } from "@/components/AskDialog";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { FormDialog, TextField } from "@/components/FormDialog";
import { go, to } from "@/routes";

const KEYS = [
  "group",
  "drift",
  "probe",
  "probe_interval_ms",
  "probe_timeout_ms",
  "slow_after_ms",
  "wire_log",
  "url",
  "cwd",
  "env.NAME",
  "headers.NAME",
];

function SetValue({ server, onClose }: { server: string; onClose: () => void }) {
  const backend = useBackend();
  const list = useId();
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const set = useAct(() => backend.serverSet(server, key.trim(), value === "" ? null : value), onClose);
  return (
    <FormDialog
      title={`Set a value of “${server}”`}
      description="It is written into mcp.json; order and comments stay. Only what it changes is connected anew."
      action={value === "" ? "Take it out" : "Write it"}
      ready={key.trim() !== ""}
      busy={set.isPending}
      error={set.error}
      onClose={onClose}
      onAct={() => set.mutate(undefined)}
      testid="server-set"
    >
      <TextField label="Key" value={key} onChange={setKey} testid="server-set-key" list={list} mono />
      <datalist id={list}>
        {KEYS.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <TextField
        label="Value"
        hint="JSON or plain text; empty takes the key out. For a secret write ${keyring:NAME}"
        value={value}
        onChange={setValue}
        testid="server-set-value"
        mono
      />
    </FormDialog>
  );
}

function Rename({ server, onClose }: { server: string; onClose: () => void }) {
  const backend = useBackend();
  const [name, setName] = useState(server);
  const rename = useAct(
    () => backend.serverRename(server, name.trim()),
    () => {
      onClose();
      go(to.server(name.trim()));
    },
  );
  return (
    <FormDialog
      title={`Give “${server}” another name`}
      description="Its history stays under the old name, and a command is asked for again."
      action="Rename"
      ready={name.trim() !== "" && name.trim() !== server}
      busy={rename.isPending}
      error={rename.error}
      onClose={onClose}
      onAct={() => rename.mutate(undefined)}
      testid="server-rename"
    >
      <TextField label="New name" value={name} onChange={setName} testid="server-rename-to" />
    </FormDialog>
  );
}

/** What may be done to this server's entry of `mcp.json`. */
export function InFile({ server }: { server: string }) {
  const backend = useBackend();
  const [asking, setAsking] = useState<"set" | "rename" | "remove" | null>(null);
  const close = () => setAsking(null);
  const remove = useAct(
    () => backend.serverRemove(server),
    () => {
      close();
      go(to.fleet());
    },
  );
  return (
    <Card title="Its entry in mcp.json">
      <div className="flex flex-wrap gap-2">
        <Button small data-testid="server-set" onClick={() => setAsking("set")}>
          Set a value…
        </Button>
        <Button small data-testid="server-rename" onClick={() => setAsking("rename")}>
          Rename…
        </Button>
        <Button small look="danger" data-testid="server-remove" onClick={() => setAsking("remove")}>
          Remove…
        </Button>
      </div>
      {asking === "set" ? <SetValue server={server} onClose={close} /> : null}
      {asking === "rename" ? <Rename server={server} onClose={close} /> : null}
      <AskDialog
        open={asking === "remove"}
        title={`Remove “${server}”?`}
        description="Calls under way may end first, then its entry leaves mcp.json. What the journal holds about it stays."
        action="Remove it"
        busy={remove.isPending}
        error={remove.error}
        onClose={close}
        onAct={() => remove.mutate(undefined)}
        testid="server-remove"
      />
    </Card>
  );
}
