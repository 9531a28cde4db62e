import type { FactDto, GuardrailDto, SourceAnswerDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { duration, words } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";
import { Since } from "@/components/Time";

const TH = "px-4 py-2 font-medium whitespace-nowrap";
const TD = "px-4 py-1.5 align-top";

/**
 * Every fact behind the decision, with where it came from and how old it is. What the sources and the guardrails said
 * is among the facts as well (`source.git`); they have tables of their own.
 */
export function Facts({ facts: all }: { facts: FactDto[] }) {
  const facts = all.filter((fact) => !fact.id.includes("."));
  return (
    <Card title="Facts" flush>
      <table className="w-full text-left">
        <caption className="sr-only">Facts, their sources and ages</caption>
        <thead>
          <tr className="text-small text-ink-faint">
            <th scope="col" className={TH}>
              Fact
            </th>
            <th scope="col" className={TH}>
              Value
            </th>
            <th scope="col" className={`${TH} min-w-28`}>
              Source
            </th>
            <th scope="col" className={TH}>
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {facts.map((fact) => (
            <tr key={fact.id} data-testid={`fact-${fact.id}`} className="border-t border-line">
              <th scope="row" className={`${TD} font-normal text-ink-soft`}>
                {words(fact.id)}
                {fact.stable ? null : (
                  <span
                    className="text-ink-faint"
                    title="May change without making this decision another one"
                  >
                    {" "}
                    (moves)
                  </span>
                )}
              </th>
              <td className={TD}>
                {fact.value === null ? (
                  <span className="text-ink-faint">not known</span>
                ) : (
                  <HostileText text={fact.value} mono limit={200} />
                )}
              </td>
              <td className={`${TD} whitespace-nowrap text-ink-soft`}>
                <HostileText text={fact.source} />
              </td>
              <td className={`${TD} whitespace-nowrap text-ink-soft`}>
                <Since at={fact.observed_at_ms} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {facts.length === 0 ? <p className="px-4 pb-4 text-ink-faint">The facts are being gathered.</p> : null}
    </Card>
  );
}

const WORST_FIRST = ["deny", "unknown", "escalate", "pass"];
const OUTCOME: Record<string, { word: string; label: string }> = {
  pass: { word: "pass", label: "pass" },
  deny: { word: "deny", label: "deny" },
  escalate: { word: "escalate", label: "a person decides" },
  unknown: { word: "escalate", label: "not known" },
};

/** All guardrails, those that made the answer stricter first. */
export function Guardrails({ guardrails }: { guardrails: GuardrailDto[] }) {
  const sorted = [...guardrails].sort(
    (a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome),
  );
  return (
    <Card title="Guardrails" flush>
      <ul className="grid gap-x-6 px-4 py-2 min-[1000px]:grid-cols-2">
        {sorted.map((guardrail) => {
          const face = OUTCOME[guardrail.outcome] ?? { word: "unknown", label: guardrail.outcome };
          return (
            <li
              key={guardrail.id}
              data-testid={`guardrail-${guardrail.id}`}
              data-outcome={guardrail.outcome}
              className="py-1.5"
            >
              <p className="flex items-center justify-between gap-2">
                <span className={guardrail.outcome === "pass" ? "text-ink-soft" : "font-medium"}>
                  {words(guardrail.id)}
                </span>
                <StateTag word={face.word} label={face.label} />
              </p>
              <p className="text-small text-ink-faint">
                <HostileText text={guardrail.evidence} limit={240} />
              </p>
              {guardrail.would_allow_if && guardrail.outcome !== "pass" ? (
                <p className="text-small">
                  Would pass if: <HostileText text={guardrail.would_allow_if} />
                </p>
              ) : null}
            </li>
          );
        })}
      </ul>
      {guardrails.length === 0 ? (
        <p className="p-4 text-ink-faint">None was evaluated: the matrix denied first.</p>
      ) : null}
    </Card>
  );
}

/** What each release source said, its silence and its errors included. */
export function Sources({ sources }: { sources: SourceAnswerDto[] }) {
  return (
    <Card title="Release sources" flush>
      <ol>
        {sources.map((source) => (
          <li
            key={source.source}
            data-testid={`source-${source.source}`}
            data-outcome={source.outcome}
            className="border-t border-line px-4 py-1.5 first:border-t-0"
          >
            <p className="flex items-center justify-between gap-2">
              <span className="font-medium">{words(source.source)}</span>
              <span className="flex items-center gap-2 text-small text-ink-faint">
                {source.outcome === "not_asked" ? null : duration(source.elapsed_ms)}
                <StateTag word={source.outcome} label={source.outcome === "won" ? "used" : undefined} />
              </span>
            </p>
            {source.current_release_id || source.previous_release_id ? (
              <p className="text-small text-ink-soft">
                current <bdi className="font-mono">{source.current_release_id ?? "–"}</bdi>, previous{" "}
                <bdi className="font-mono">{source.previous_release_id ?? "–"}</bdi>
              </p>
            ) : null}
            {source.detail ? (
              <p className="text-small text-ink-faint">
                <HostileText text={source.detail} limit={240} />
              </p>
            ) : null}
          </li>
        ))}
      </ol>
      {sources.length === 0 ? (
        <p className="p-4 text-ink-faint">No source was asked: the ids came with the request.</p>
      ) : null}
    </Card>
  );
}
