import type { WireEntryDto, WirePageDto } from "../port";

/** One message, with exceptions. */
export function wireEntry(now: number, seq: number, more: Partial<WireEntryDto> = {}): WireEntryDto {
  return {
    seq,
    at_ms: now - 60_000 + seq * 400,
    generation: 1,
    direction: "out",
    kind: "request",
    method: "tools/call",
    id: String(seq),
    bytes: 412,
    status: null,
    session: null,
    text: JSON.stringify({ jsonrpc: "2.0", id: seq, method: "tools/call", params: { name: "echo" } }),
    cut: false,
    ...more,
  };
}

/** Calls with their answers, a notification and an error, in wire order. */
function exchange(now: number): WireEntryDto[] {
  const answer = (seq: number, id: number, more: Partial<WireEntryDto> = {}) =>
    wireEntry(now, seq, {
      direction: "in",
      kind: "response",
      id: String(id),
      status: 200,
      session: "3f9a",
      text: JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "hello" }] } }),
      ...more,
    });
  return [
    wireEntry(now, 1, { method: "tools/list", text: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }),
    answer(2, 1, { method: "tools/list", bytes: 48_213, cut: true }),
    wireEntry(now, 3),
    wireEntry(now, 4, {
      direction: "in",
      kind: "notification",
      method: "notifications/progress",
      id: null,
      text: '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"total":2}}',
    }),
    answer(5, 3),
    wireEntry(now, 6),
    answer(7, 6, {
      kind: "error",
      text: '{"jsonrpc":"2.0","id":6,"error":{"code":-32602,"message":"no such tool"}}',
    }),
  ];
}

/** A page of the wire log. */
export function wirePage(now: number, server: string, after: number | null, limit: number): WirePageDto {
  const entries = exchange(now)
    .filter((entry) => entry.seq > (after ?? 0))
    .slice(0, limit);
  return { server, source: "memory", entries, next_seq: entries.at(-1)?.seq ?? after ?? 0 };
}
