import type { FacetDto, FacetsDto } from "@/backend/port";
import { words } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { StateWord } from "@/components/StateWord";
import { Countdown, Since } from "@/components/Time";

const FACETS: { id: keyof FacetsDto; label: string; asks: string }[] = [
  { id: "admin", label: "Admin", asks: "May it be used?" },
  { id: "connection", label: "Connection", asks: "Are we connected?" },
  { id: "health", label: "Health", asks: "Does it answer well?" },
  { id: "breaker", label: "Breaker", asks: "Are calls let through?" },
];

function FacetCard({ id, label, asks, facet }: { id: string; label: string; asks: string; facet: FacetDto }) {
  return (
    <section
      data-testid={`facet-${id}`}
      data-state={facet.state}
      data-reason={facet.reason_code ?? ""}
      aria-label={label}
      className="min-w-0 rounded-lg border border-line bg-panel p-3"
    >
      <h2 className="flex justify-between gap-2 text-small text-ink-faint" title={asks}>
        <span className="font-medium">{label}</span>
        <Since at={facet.since_ms} />
      </h2>
      <p className="mt-1 flex flex-wrap items-center gap-x-2">
        <StateWord word={facet.state} className="text-base" />
        {facet.attempt !== null ? (
          <span className="text-small text-ink-soft">attempt {facet.attempt}</span>
        ) : null}
        {facet.next_action_at_ms !== null ? (
          <span className="text-small text-ink-soft">
            next in <Countdown at={facet.next_action_at_ms} over="a moment" />
          </span>
        ) : null}
      </p>
      {facet.reason || facet.reason_code ? (
        <p className="mt-1 text-small text-ink-soft">
          {facet.reason ? <HostileText text={facet.reason} limit={160} /> : words(facet.reason_code ?? "")}
          {facet.reason && facet.reason_code ? (
            <span className="text-ink-faint"> ({words(facet.reason_code)})</span>
          ) : null}
        </p>
      ) : null}
    </section>
  );
}

/** The four facets, each with since, reason and what happens next by itself. */
export function FacetCards({ facets }: { facets: FacetsDto }) {
  return (
    <div className="grid grid-cols-2 gap-3 min-[1100px]:grid-cols-4">
      {FACETS.map(({ id, label, asks }) => (
        <FacetCard key={id} id={id} label={label} asks={asks} facet={facets[id]} />
      ))}
    </div>
  );
}
