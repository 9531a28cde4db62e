import type { AttemptDto } from "@/backend/port";
import { duration, words } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";

const OUTCOME: Record<string, string> = {
  replied_ok: "ok",
  replied_error: "warning",
  sent_no_reply: "failed",
  not_sent: "not_run",
};

const HEADINGS = [
  "Server",
  "Stage",
  "Outcome",
  "Error",
  "Queue",
  "Connect",
  "First byte",
  "Total",
  "Breaker",
];

/** Every attempt as it was recorded: what was tried, what came back, where the time went. */
export function AttemptsTable({ attempts, testid }: { attempts: AttemptDto[]; testid?: string }) {
  return (
    <div className="overflow-x-auto">
      <table data-testid={testid} className="w-full text-left text-small">
        <caption className="sr-only">Attempts</caption>
        <thead>
          <tr className="text-ink-faint">
            {HEADINGS.map((heading) => (
              <th key={heading} scope="col" className="py-1 pr-3 font-medium whitespace-nowrap">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt, index) => (
            <tr
              key={index}
              className="border-t border-line align-top"
              data-testid="attempt-row"
              data-outcome={attempt.outcome}
            >
              <td className="py-1.5 pr-3 whitespace-nowrap">
                <bdi>{attempt.server}</bdi>{" "}
                <span className="text-ink-faint" title="Connection generation and era">
                  #{attempt.generation}
                  {attempt.era ? ` ${attempt.era}` : ""}
                </span>
              </td>
              <td className="py-1.5 pr-3">{attempt.stage}</td>
              <td className="py-1.5 pr-3">
                <StateTag word={OUTCOME[attempt.outcome] ?? "unknown"} label={words(attempt.outcome)} />
              </td>
              <td className="min-w-40 py-1.5 pr-3">
                {attempt.excluded_reason ? (
                  <span className="text-ink-soft">not tried: {words(attempt.excluded_reason)} </span>
                ) : null}
                {attempt.error ? <HostileText text={attempt.error} limit={160} /> : null}
                {attempt.error_category ? (
                  <span className="text-ink-faint"> ({words(attempt.error_category)})</span>
                ) : null}
                {attempt.error || attempt.excluded_reason ? null : <span className="text-ink-faint">–</span>}
              </td>
              {[attempt.queue_ms, attempt.connect_ms, attempt.first_byte_ms, attempt.total_ms].map(
                (ms, column) => (
                  <td key={column} className="py-1.5 pr-3 whitespace-nowrap tabular-nums">
                    {duration(ms)}
                  </td>
                ),
              )}
              <td className="py-1.5 whitespace-nowrap">
                {attempt.breaker_before === attempt.breaker_after
                  ? words(attempt.breaker_after)
                  : `${words(attempt.breaker_before)} → ${words(attempt.breaker_after)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {attempts.length === 0 ? <p className="py-2 text-ink-faint">Nothing was tried yet.</p> : null}
    </div>
  );
}
