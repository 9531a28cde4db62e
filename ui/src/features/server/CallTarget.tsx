import { useId } from "react";

/** Whom to ask: one server, its group, or servers in an order. */
export type Target = { way: "server" } | { way: "group" } | { way: "prefer"; names: string };

/** The names in the order given, each once. */
export function namesOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean),
    ),
  ];
}

/** What of a call's request says whom to ask; null while it names nobody. */
export function targetOf(
  target: Target,
  server: string,
  group: string | null,
): { server: string | null; group: string | null; prefer: string[] } | null {
  switch (target.way) {
    case "server":
      return { server, group: null, prefer: [] };
    case "group":
      return group === null ? null : { server: null, group, prefer: [] };
    case "prefer": {
      const prefer = namesOf(target.names);
      return prefer.length > 0 ? { server: null, group: null, prefer } : null;
    }
  }
}

/** Chooses whom a call asks. */
export function CallTarget({
  server,
  group,
  target,
  onChange,
}: {
  server: string;
  group: string | null;
  target: Target;
  onChange: (target: Target) => void;
}) {
  const field = useId();
  return (
    <div className="flex flex-wrap items-end gap-2">
      <label className="block">
        <span className="mb-1 block text-small text-ink-faint">Whom to ask</span>
        <select
          data-testid="call-target"
          value={target.way}
          onChange={(event) => {
            const way = event.target.value;
            onChange(
              way === "prefer"
                ? { way, names: `${server}, ` }
                : way === "group"
                  ? { way }
                  : { way: "server" },
            );
          }}
          className="h-8 rounded-md border border-edge bg-panel px-2"
        >
          <option value="server">this server only</option>
          {group !== null ? <option value="group">the fittest of group “{group}”</option> : null}
          <option value="prefer">these, in this order</option>
        </select>
      </label>
      {target.way === "prefer" ? (
        <div className="min-w-40 flex-1">
          <label htmlFor={field} className="mb-1 block text-small text-ink-faint">
            Servers, with commas between
          </label>
          <input
            id={field}
            data-testid="call-prefer"
            spellCheck={false}
            value={target.names}
            onChange={(event) => onChange({ way: "prefer", names: event.target.value })}
            className="h-8 w-full rounded-md border border-edge bg-panel px-2"
          />
        </div>
      ) : null}
      {target.way === "server" ? null : (
        <p className="w-full text-small text-ink-faint">
          The next is asked only where nothing was sent yet, or the operation is safe to repeat.
        </p>
      )}
    </div>
  );
}
