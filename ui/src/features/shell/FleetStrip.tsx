import { useFleet } from "@/backend/queries";
import { words } from "@/components/format";
import { faceOf, INK } from "@/components/tone";
import { bySeverity, countStatuses } from "@/features/fleet/severity";
import { to } from "@/routes";

/** The fleet on one line: how many servers stand where, worst first. */
export function FleetStrip() {
  const fleet = useFleet();
  const counts = [...countStatuses(fleet.data?.servers ?? [])].sort(([a], [b]) => bySeverity(a, b));
  return (
    <a
      href={to.fleet()}
      data-testid="fleet-strip"
      className="flex h-9 shrink-0 items-center gap-4 overflow-hidden border-b border-line bg-panel px-5 text-small whitespace-nowrap"
    >
      {counts.map(([status, n]) => {
        const { tone, icon: Icon } = faceOf(status);
        return (
          <span
            key={status}
            data-testid={`strip-${status}`}
            className={`inline-flex items-center gap-1.5 ${INK[tone]}`}
          >
            <Icon aria-hidden className="size-3.5" />
            <span className="font-semibold tabular-nums">{n}</span> {words(status)}
          </span>
        );
      })}
      {fleet.data && counts.length === 0 ? <span className="text-ink-faint">No servers yet</span> : null}
      {fleet.isError ? <span className="text-bad">The fleet cannot be read</span> : null}
      {fleet.data && !fleet.data.engine.running ? (
        <span className="ml-auto text-warn">No engine runs: this is the state as last kept</span>
      ) : null}
    </a>
  );
}
