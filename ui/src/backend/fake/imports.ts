import type { DoctorDto, ImportPlanDto } from "../port";

/** What an import would do: one new server, one whose name is taken, one that cannot be used. */
export function importPlan(): ImportPlanDto {
  const server = {
    source: "/home/ann/.cursor/mcp.json, mcpServers.search",
    transport: "stdio",
    argv: ["npx", "-y", "search-server", "--depth", "3"],
    url: null,
    env_names: ["API_KEY"],
    secrets: ["search-API_KEY"],
    notes: ["“autoApprove” was left out: ATT approves commands, not tools."],
    unusable: null,
  };
  return {
    digest: "7d793037a0760186574b0282f2f435e7",
    files: ["/home/ann/.cursor/mcp.json"],
    servers: [
      { ...server, name: "search", standing: "new" },
      {
        ...server,
        name: "everything",
        standing: "conflict",
        transport: "streamable_http",
        argv: [],
        url: "http://127.0.0.1:3001/mcp",
        env_names: [],
        secrets: [],
        notes: [],
      },
      {
        ...server,
        name: "broken",
        standing: "unusable",
        transport: null,
        argv: [],
        env_names: [],
        secrets: [],
        notes: [],
        unusable: "it has neither “command” nor “url”",
      },
    ],
    problems: [],
  };
}

/** What the doctor finds: all well, or nobody listening. */
export function examined(server: string, well: boolean): DoctorDto {
  const step = (name: string, outcome: string, seen: string, cure: string | null = null) => ({
    step: name,
    outcome,
    took_ms: outcome === "skipped" ? 0 : 3,
    seen,
    cure,
  });
  const after = well ? "ok" : "skipped";
  return {
    server,
    well,
    steps: [
      step("dns", "ok", "127.0.0.1"),
      well
        ? step("tcp", "ok", "connected")
        : step("tcp", "failed", "connection refused (127.0.0.1:9904)", "Start it, or correct the port."),
      step("http", after, well ? "200" : "not reached"),
      step("era", after, well ? "modern, 2026-07-28" : "not reached"),
      step("lists", after, well ? "6 tools, 3 resources" : "not reached"),
    ],
  };
}
