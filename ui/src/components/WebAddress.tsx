import { HostileText } from "./HostileText";

/** The host of an address as a browser reads it, or null for what is no address. */
export function hostOf(url: string): string | null {
  try {
    return new URL(url).host || null;
  } catch {
    return null;
  }
}

/** An address from outside: its host stands out, and nothing of it is hidden. It is text, never a link. */
export function WebAddress({ url, testid }: { url: string; testid: string }) {
  const host = hostOf(url);
  return (
    <div className="rounded-md border border-line bg-ground p-3">
      <p className="text-small text-ink-faint">It leads to</p>
      <p
        data-testid={`${testid}-host`}
        className="font-mono text-base font-semibold [overflow-wrap:anywhere]"
      >
        {host === null ? "no address that a browser knows" : <HostileText text={host} limit={253} />}
      </p>
      <p data-testid={`${testid}-url`} className="mt-1 text-ink-soft">
        <HostileText text={url} mono limit={2000} />
      </p>
    </div>
  );
}
