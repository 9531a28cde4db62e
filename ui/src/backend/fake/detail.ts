import type {
  BaselineDto,
  ItemDto,
  ServerDetailDto,
  ServerRowDto,
  SnapshotDiffDto,
  SnapshotDto,
  SnapshotHistoryDto,
  SnapshotSummaryDto,
} from "../port";

const ECHO_SCHEMA = {
  type: "object",
  properties: {
    message: { type: "string", description: "What to say" },
    times: { type: "integer", default: 1 },
  },
  required: ["message", "times"],
};

/** A sound item, with exceptions. */
export function item(kind: string, name: string, more: Partial<ItemDto> = {}): ItemDto {
  return {
    kind,
    name,
    title: null,
    description: null,
    malformed: null,
    raw: JSON.stringify({ name }),
    input_schema: null,
    hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ...more,
  };
}

const summary = (now: number, id: string, parent: string | null, ago: number): SnapshotSummaryDto => ({
  id,
  parent,
  taken_at_ms: now - ago,
  last_seen_at_ms: now - 4000,
  tools: 4,
  resources: 2,
  resource_templates: 1,
  prompts: 1,
});

/** A snapshot with every kind of item, a malformed one and a failed list. */
export function snapshot(now: number, id = "b1946ac92492d2347c6235b4d2611184"): SnapshotDto {
  return {
    summary: summary(now, id, "0cc175b9c0f1b6a831c399e269772661", 240_000),
    era: "modern",
    protocol_version: "2026-07-28",
    server_info: '{"name":"att-demo-server","version":"0.1.0","title":"Everything"}',
    capabilities: '{"tools":{"listChanged":true},"resources":{},"prompts":{}}',
    instructions: "A server with every kind of item. Call `echo` first.",
    lists: [
      { kind: "tool", status: "ok", reason: null },
      { kind: "resource", status: "ok", reason: null },
      { kind: "resource_template", status: "unsupported", reason: null },
      { kind: "prompt", status: "failed", reason: "timed out after 10 s" },
    ],
    items: [
      item("tool", "echo", {
        title: "Echo",
        description: "Says back what it was told.",
        input_schema: JSON.stringify(ECHO_SCHEMA),
        raw: JSON.stringify({
          name: "echo",
          description: "Says back what it was told.",
          inputSchema: ECHO_SCHEMA,
        }),
      }),
      item("tool", "add", {
        description: "Adds two numbers.",
        input_schema:
          '{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}',
      }),
      item("tool", "picture", {
        description: "Answers with a small picture.",
        input_schema: '{"type":"object"}',
      }),
      item("tool", "odd", {
        malformed: "inputSchema is not an object",
        raw: '{"name":"odd","inputSchema":7}',
      }),
      item("resource", "demo://notes/1", { title: "Notes", description: "A note." }),
      item("resource", "demo://notes/2", { title: "More notes" }),
      item("prompt", "greet", { description: "Greets somebody.", input_schema: null }),
    ],
  };
}

/** Everything about one server. */
export function detail(now: number, row: ServerRowDto): ServerDetailDto {
  const stdio = row.transport === "stdio";
  const approved = row.status !== "consent_required";
  return {
    row,
    generation: 3,
    group: row.server === "echo-http" ? "echo" : null,
    url: stdio ? null : "http://127.0.0.1:9902/mcp",
    command: stdio
      ? {
          digest: "5d41402abc4b2a76b9719d911017c592",
          argv: ["att-demo-server", "--kind", row.server, "--note", "two words"],
          env_names: ["DEMO_TOKEN"],
          approved,
        }
      : null,
    snapshot: row.snapshot_id ? snapshot(now, row.snapshot_id) : null,
    snapshots: row.snapshot_id
      ? [
          summary(now, row.snapshot_id, "0cc175b9c0f1b6a831c399e269772661", 240_000),
          ...(row.drifted ? [summary(now, "0cc175b9c0f1b6a831c399e269772661", null, 420_000)] : []),
        ]
      : [],
    stderr: stdio ? Array.from({ length: 14 }, (_, i) => `demo ${row.server}: request ${i} answered`) : [],
  };
}

/** The history of one server's snapshots, with the drift from its baseline. */
export function history(
  now: number,
  row: ServerRowDto | null,
  baseline: BaselineDto | null,
): SnapshotHistoryDto {
  const snapshots = row ? detail(now, row).snapshots : [];
  const left = baseline && row?.drifted && baseline.snapshot_id !== row.snapshot_id;
  return {
    baseline,
    drift: left
      ? {
          baseline_id: baseline.snapshot_id,
          snapshot_id: row.snapshot_id ?? "",
          severity: "alarm",
          changes: 2,
          summary: "The input schema of “echo” breaks what was accepted; “shout” is new.",
          since_ms: now - 240_000,
          quarantined_items: [
            { kind: "tool", name: "echo", reason: "a breaking change of its input schema" },
            { kind: "tool", name: "shout", reason: "it was added after the baseline" },
          ],
          quarantined: 2,
        }
      : null,
    snapshots: snapshots.map((summary, index) => ({
      ...summary,
      baseline: summary.id === baseline?.snapshot_id,
      severity: index < snapshots.length - 1 ? "alarm" : null,
    })),
    next_before: null,
  };
}

/** What changed in the drifting server. */
export function diff(from: string, to: string): SnapshotDiffDto {
  return {
    from,
    to,
    severity: "alarm",
    changes: [
      {
        kind: "tool",
        name: "echo",
        change: "changed",
        fields: ["input_schema: breaking", "description"],
        severity: "alarm",
        before: '{"name":"echo","inputSchema":{"type":"object","properties":{"message":{"type":"string"}}}}',
        after:
          '{"name":"echo","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}',
      },
      {
        kind: "tool",
        name: "shout",
        change: "added",
        fields: [],
        severity: "notice",
        before: null,
        after: '{"name":"shout"}',
      },
    ],
  };
}
