import { useEffect, useRef, useState } from "react";
import { useFleet } from "@/backend/queries";
import { count } from "@/components/format";
import { countStatuses } from "@/features/fleet/severity";

/** Shortest time between two announcements, ms: a flapping fleet must not talk without end. */
export const QUIET_MS = 10_000;

/** Tells a screen reader when the number of servers that need an eye changes, at most every ten seconds. */
export function FleetAnnouncer() {
  const { data } = useFleet();
  const counts = countStatuses(data?.servers ?? []);
  const bad = counts.get("unreachable") ?? 0;
  const degraded = counts.get("degraded") ?? 0;
  const text = data ? `${count(bad, "server")} unreachable, ${degraded} degraded` : "";
  const [said, setSaid] = useState("");
  const last = useRef(Number.NEGATIVE_INFINITY);

  useEffect(() => {
    if (text === "" || text === said) return;
    const say = () => {
      last.current = Date.now();
      setSaid(text);
    };
    const wait = Math.max(0, last.current + QUIET_MS - Date.now());
    const timer = setTimeout(say, wait);
    return () => clearTimeout(timer);
  }, [text, said]);

  return (
    <p role="status" data-testid="fleet-announcer" className="sr-only">
      {said}
    </p>
  );
}
