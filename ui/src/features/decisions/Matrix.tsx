import type { MatrixCellDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { sentence, words } from "@/components/format";
import { StateWord } from "@/components/StateWord";

const CLASSES = ["deploy_failure", "restart_watchdog_failure", "health_failure"];
const CONTEXTS = ["self_hosted", "external"];

/** The policy matrix as it stands for this target, with the cell of this decision lit. */
export function Matrix({
  cells,
  rule,
  ruleText,
}: {
  cells: MatrixCellDto[];
  rule: number;
  ruleText: string;
}) {
  return (
    <Card title="Policy" data-testid="matrix">
      <p className="mb-3" data-testid="rule-fired" data-rule={rule}>
        <span className="font-medium">Rule {rule}:</span> {ruleText}
      </p>
      <div className="overflow-x-auto">
        <table className="w-full table-fixed text-left text-small">
          <caption className="sr-only">Failure classes by deployment context</caption>
          <thead>
            <tr className="text-ink-faint">
              <th scope="col" className="w-28 pb-1 font-medium">
                Failure
              </th>
              {CONTEXTS.map((context) => (
                <th key={context} scope="col" className="px-1 pb-1 font-medium">
                  {words(context)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {CLASSES.map((failureClass) => (
              <tr key={failureClass}>
                <th scope="row" className="py-1 pr-2 align-top font-normal text-ink-soft">
                  {sentence(failureClass)}
                </th>
                {CONTEXTS.map((context) => {
                  const cell = cells.find(
                    (each) => each.failure_class === failureClass && each.deployment_context === context,
                  );
                  return (
                    <td key={context} className="p-1 align-top">
                      {cell ? (
                        <div
                          data-testid={`matrix-${failureClass}-${context}`}
                          data-current={cell.current}
                          aria-current={cell.current ? "true" : undefined}
                          className={`rounded-md border px-2 py-1 ${cell.current ? "border-2 border-accent bg-accent-wash" : "border-line"}`}
                        >
                          <StateWord word={cell.allowed ? "allowed" : "denied"} />
                          {cell.current ? (
                            <span className="block text-tiny font-semibold text-accent">this decision</span>
                          ) : null}
                          <p className="text-tiny text-ink-soft [overflow-wrap:anywhere]">
                            {words(cell.reason)}
                          </p>
                        </div>
                      ) : (
                        <span className="text-ink-faint">–</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
