import type { CycleSummaryDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { dateTime } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { StateWord } from "@/components/StateWord";
import { Since } from "@/components/Time";
import { to } from "@/routes";

const NARROW_HIDES = "max-[1000px]:hidden";

/** Cycles, newest first. */
export function CyclesTable({ cycles }: { cycles: CycleSummaryDto[] }) {
  return (
    <Card title="Cycles" flush>
      <div className="overflow-x-auto">
        <table className="w-full text-left" data-testid="cycles-table">
          <caption className="sr-only">Cycles, newest first</caption>
          <thead>
            <tr className="text-small text-ink-faint">
              {["State", "Change", "Target", "Asked by", "Started", "Decision"].map((heading) => (
                <th
                  key={heading}
                  scope="col"
                  className={`px-3 py-2 font-medium ${heading === "Asked by" ? NARROW_HIDES : ""}`}
                >
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cycles.map((cycle) => (
              <tr
                key={cycle.id}
                data-testid={`cycle-row-${cycle.id}`}
                data-state={cycle.state}
                className="border-t border-line hover:bg-raised"
              >
                <td className="px-3 py-2 whitespace-nowrap">
                  <a href={to.cycle(cycle.id)} className="hover:underline">
                    <StateWord word={cycle.state} />
                  </a>
                </td>
                <td className="max-w-80 px-3 py-2">
                  <a href={to.cycle(cycle.id)} className="block hover:underline">
                    <HostileLine text={cycle.subject || cycle.kind} />
                  </a>
                  <HostileLine text={cycle.summary} className="text-small text-ink-faint" />
                </td>
                <td className="px-3 py-2">
                  <bdi>{cycle.target ?? "–"}</bdi>
                </td>
                <td className={`px-3 py-2 text-small text-ink-soft ${NARROW_HIDES}`}>
                  <bdi>{cycle.actor}</bdi>
                </td>
                <td
                  className="px-3 py-2 whitespace-nowrap text-ink-soft"
                  title={dateTime(cycle.started_at_ms)}
                >
                  <Since at={cycle.started_at_ms} suffix=" ago" />
                </td>
                <td className="px-3 py-2">
                  {cycle.decision_id ? (
                    <a href={to.decision(cycle.decision_id)} className="text-accent hover:underline">
                      Open
                    </a>
                  ) : (
                    <span className="text-ink-faint">–</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
