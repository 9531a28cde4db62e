import type { ImportServerDto } from "@/backend/port";
import { commandLine, transportName } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";

const STANDING: Record<string, [word: string, label: string]> = {
  new: ["ok", "new"],
  identical: ["not_run", "stands here already"],
  conflict: ["warning", "name is taken"],
  unusable: ["failed", "cannot be used"],
};

/** One server of another client: what it would run or reach, exactly, and what was left out. */
export function ImportServer({
  server,
  chosen,
  onChoose,
}: {
  server: ImportServerDto;
  chosen: boolean;
  onChoose: (on: boolean) => void;
}) {
  const can = server.standing === "new" || server.standing === "conflict";
  const [word, label] = STANDING[server.standing] ?? ["unknown", server.standing];
  return (
    <li
      data-testid={`import-server-${server.name}`}
      data-standing={server.standing}
      className="rounded-md border border-line p-2"
    >
      <label className="flex flex-wrap items-center gap-2">
        <input
          type="checkbox"
          checked={chosen}
          disabled={!can}
          onChange={(event) => onChoose(event.target.checked)}
        />
        <span className="font-medium">
          <HostileText text={server.name} limit={120} />
        </span>
        <StateTag word={word} label={label} />
        {server.transport ? (
          <span className="text-small text-ink-faint">{transportName(server.transport)}</span>
        ) : null}
      </label>
      {server.argv.length > 0 ? (
        <p className="mt-1">
          <HostileText text={commandLine(server.argv)} mono limit={2000} />
        </p>
      ) : null}
      {server.url ? (
        <p className="mt-1">
          <HostileText text={server.url} mono limit={2000} />
        </p>
      ) : null}
      <ul className="mt-1 text-small text-ink-soft">
        {server.env_names.length > 0 ? <li>Variables: {server.env_names.join(", ")}</li> : null}
        {server.secrets.length > 0 ? (
          <li>
            Secrets that go into your keyring: <HostileText text={server.secrets.join(", ")} limit={300} />
          </li>
        ) : null}
        {server.notes.map((note, index) => (
          <li key={index}>
            <HostileText text={note} limit={300} />
          </li>
        ))}
        {server.unusable ? (
          <li className="text-bad">
            <HostileText text={server.unusable} limit={300} />
          </li>
        ) : null}
        <li className="text-ink-faint">
          <HostileText text={server.source} limit={200} />
        </li>
      </ul>
    </li>
  );
}
