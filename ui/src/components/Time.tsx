import { backendNow, useNow } from "./clock";
import { countdown, dateTime, span } from "./format";

/** How long something has been so: `4 min`. The moment itself is in the tooltip. */
export function Since({ at, suffix = "" }: { at: number | null; suffix?: string }) {
  const now = useNow();
  if (at === null) return <span className="text-ink-faint">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="tabular-nums">
      {span(Math.max(0, now - at))}
      {suffix}
    </time>
  );
}

/** Time left until `at`; `over` is what stands there when it has come. Not announced each second. */
export function Countdown({ at, over = "now" }: { at: number | null; over?: string }) {
  const now = useNow();
  if (at === null) return <span className="text-ink-faint">–</span>;
  const left = at - now;
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="tabular-nums" aria-live="off">
      {left > 0 ? countdown(left) : over}
    </time>
  );
}

/** True once `at` lies behind; moves with the shared clock. */
export function useIsPast(at: number | null): boolean {
  const now = useNow();
  return at !== null && Math.max(now, backendNow()) >= at;
}
