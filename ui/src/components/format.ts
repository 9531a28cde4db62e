/** `412 B`, `3.4 KB`, `1.2 MB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} KB`;
  return `${(n / 1_000_000).toFixed(1)} MB`;
}

/** A span of time in at most two units: `4 s`, `3 min`, `2 h 5 min`, `6 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/** Time left as a clock that counts down: `7 s`, `2:05`, `1:00:09`. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** A duration as measured: `0.4 ms`, `12 ms`, `1.24 s`, `2 min 3 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Local date and time to the second. */
export function dateTime(ms: number | null): string {
  if (ms === null) return "–";
  return new Date(ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** Local time of day to the second. */
export function timeOfDay(ms: number | null): string {
  if (ms === null) return "–";
  return new Date(ms).toLocaleTimeString(undefined, { hour12: false });
}

/** `rollback_target_validated` as words: `rollback target validated`. */
export function words(code: string): string {
  return code.replaceAll("_", " ");
}

/** The same with a capital letter. */
export function sentence(code: string): string {
  const text = words(code);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The first characters of a hash or commit id. */
export function short(id: string | null, length = 10): string {
  if (id === null) return "–";
  return id.length > length ? id.slice(0, length) : id;
}

/** One argument list as a shell would want it typed. */
export function commandLine(argv: string[]): string {
  return argv
    .map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

/** `1 tool`, `3 tools`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** JSON text laid out for reading; text that is no JSON stays as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A transport as an operator calls it. */
export function transportName(transport: string): string {
  if (transport === "streamable_http") return "HTTP";
  return transport === "sse" ? "HTTP+SSE" : transport;
}
