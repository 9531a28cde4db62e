import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { BaselineDto, DriftDto, SnapshotSummaryDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { count, dateTime, short, words } from "@/components/format";
import { HostileLine, HostileText } from "@/components/HostileText";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateTag, StateWord } from "@/components/StateWord";
import { Since } from "@/components/Time";

function Accept({ server, snapshot }: { server: string; snapshot: SnapshotSummaryDto }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const accept = useAct(
    (reason: string) => backend.snapshotAccept(server, snapshot.id, reason),
    () => setAsking(false),
  );
  return (
    <>
      <Button small data-testid="baseline-accept" onClick={() => setAsking(true)}>
        Accept {short(snapshot.id, 8)} as baseline…
      </Button>
      <ReasonDialog
        open={asking}
        title="Accept this surface as the baseline?"
        description={`Snapshot ${short(snapshot.id, 8)} of ${dateTime(snapshot.taken_at_ms)}. Whatever leaves it later is told as drift; what was quarantined for leaving the old baseline may be used again where the new one holds it.`}
        label="What did you look at?"
        action="Accept"
        busy={accept.isPending}
        error={accept.error}
        onClose={() => setAsking(false)}
        onAct={(reason) => accept.mutate(reason)}
        testid="baseline-accept"
      />
    </>
  );
}

function TakeBack({ server }: { server: string }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const clear = useAct(
    (reason: string) => backend.baselineClear(server, reason),
    () => setAsking(false),
  );
  return (
    <>
      <Button small data-testid="baseline-clear" onClick={() => setAsking(true)}>
        Take the baseline back…
      </Button>
      <ReasonDialog
        open={asking}
        title="Take the baseline back?"
        description="Changes are told from then on, and nothing is quarantined for them."
        action="Take it back"
        look="danger"
        busy={clear.isPending}
        error={clear.error}
        onClose={() => setAsking(false)}
        onAct={(reason) => clear.mutate(reason)}
        testid="baseline-clear"
      />
    </>
  );
}

function Drift({ drift }: { drift: DriftDto }) {
  const more = drift.quarantined - drift.quarantined_items.length;
  return (
    <div data-testid="drift" data-severity={drift.severity} data-quarantined={drift.quarantined}>
      <p className="flex flex-wrap items-center gap-2">
        <StateTag word={drift.severity} />
        <span className="font-medium">{count(drift.changes, "change")} since the baseline</span>
        <span className="text-small text-ink-faint">
          for <Since at={drift.since_ms} />
        </span>
      </p>
      <p className="mt-1 text-ink-soft">
        <HostileText text={drift.summary} limit={400} />
      </p>
      {drift.quarantined > 0 ? (
        <div className="mt-2">
          <StateWord word="quarantined" label={`Not callable: ${count(drift.quarantined, "item")}`} />
          <ul className="mt-1 max-h-40 overflow-y-auto text-small">
            {drift.quarantined_items.map((item) => (
              <li key={`${item.kind}/${item.name}`} data-testid={`quarantined-${item.kind}-${item.name}`}>
                <span className="flex min-w-0 gap-2">
                  <span className="shrink-0 text-ink-faint">{words(item.kind)}</span>
                  <HostileLine text={item.name} className="shrink-0 max-w-64 font-mono" />
                  <HostileLine text={item.reason} className="text-ink-soft" />
                </span>
              </li>
            ))}
            {more > 0 ? <li className="text-ink-faint">and {more} more</li> : null}
          </ul>
        </div>
      ) : null}
    </div>
  );
}

/** What the operator accepted of this server's surface, how far it has left that, and the answers to both. */
export function Baseline({
  server,
  baseline,
  drift,
  shown,
}: {
  server: string;
  baseline: BaselineDto | null;
  drift: DriftDto | null;
  shown: SnapshotSummaryDto | null;
}) {
  const acceptable = shown !== null && shown.id !== baseline?.snapshot_id;
  return (
    <div
      className="space-y-2 border-b border-line px-4 py-3"
      data-testid="baseline"
      data-snapshot={baseline?.snapshot_id ?? ""}
    >
      {baseline ? (
        <p>
          Baseline <code className="font-mono text-small">{short(baseline.snapshot_id, 8)}</code>, accepted{" "}
          {dateTime(baseline.at_ms)} by <bdi>{baseline.actor}</bdi>:{" "}
          <HostileText text={baseline.reason} className="text-ink-soft" />
        </p>
      ) : (
        <p className="text-ink-soft">
          No baseline was accepted: changes are told, and nothing is forbidden because of them.
        </p>
      )}
      {drift ? <Drift drift={drift} /> : null}
      {acceptable || baseline ? (
        <div className="flex flex-wrap gap-2">
          {acceptable ? <Accept server={server} snapshot={shown} /> : null}
          {baseline ? <TakeBack server={server} /> : null}
        </div>
      ) : null}
    </div>
  );
}
