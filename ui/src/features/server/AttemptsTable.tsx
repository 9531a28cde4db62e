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

const HEADINGS = ["Server", "Stage", "Outcome", "Time", "Breaker"];
const TD = "py-1.5 pr-3 align-top";

function Parts({ attempt }: { attempt: AttemptDto }) {
  const parts = [
    ["queue", attempt.queue_ms],
    ["connect", attempt.connect_ms],
    ["first byte", attempt.first_byte_ms],
  ] as const;
  return (
    <span className="flex flex-wrap gap-x-2 text-tiny text-ink-faint">
      {parts.map(([name, ms]) => (
        <span key={name} className="whitespace-nowrap">
          {name} {duration(ms)}
        </span>
      ))}
    </span>
  );
}

function Row({ attempt }: { attempt: AttemptDto }) {
  const { breaker_before: before, breaker_after: after } = attempt;
  return (
    <tr className="border-t border-line" data-testid="attempt-row" data-outcome={attempt.outcome}>
      <td className={TD}>
        <bdi>{attempt.server}</bdi>
        <span className="block text-tiny whitespace-nowrap text-ink-faint">
          generation {attempt.generation}
          {attempt.era ? `, ${attempt.era}` : ""}
        </span>
      </td>
      <td className={TD}>{attempt.stage}</td>
      <td className={TD}>
        {attempt.excluded_reason ? (
          <StateTag word="skipped" label={`not tried: ${words(attempt.excluded_reason)}`} />
        ) : (
          <StateTag word={OUTCOME[attempt.outcome] ?? "unknown"} label={words(attempt.outcome)} />
        )}
        {attempt.error ? (
          <span className="mt-0.5 block">
            <HostileText text={attempt.error} limit={160} />
          </span>
        ) : null}
        {attempt.error_category ? (
          <span className="block text-tiny text-ink-faint">{words(attempt.error_category)}</span>
        ) : null}
      </td>
      <td className={`${TD} min-w-24 tabular-nums`}>
        {duration(attempt.total_ms)}
        <Parts attempt={attempt} />
      </td>
      <td className={`${TD} whitespace-nowrap`}>
        {before === after ? words(after) : `${words(before)} → ${words(after)}`}
      </td>
    </tr>
  );
}

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
            <Row key={index} attempt={attempt} />
          ))}
        </tbody>
      </table>
      {attempts.length === 0 ? <p className="py-2 text-ink-faint">Nothing was tried yet.</p> : null}
    </div>
  );
}
