import type { Backend } from "../port";
import { decision, decisionSummary } from "./decision";
import { FakeBackend, type FakeSeed } from "./FakeBackend";
import { bigFleet, demoFleet, locked, row, unapproved } from "./fleet";
import { questions } from "./questions";

/**
 * A fake world chosen by the address: `?fake&servers=1000` for a size, `&scene=decision` (or `broken`, `safe`,
 * `consent`, `locked`, `drift`, `questions`, `error`, `denied`, `hostile`) for a situation.
 */
export function fakeFromLocation(search: string): Backend {
  const query = new URLSearchParams(search);
  const now = Date.now();
  const seed: FakeSeed = {};
  const size = query.get("servers");
  if (size !== null) seed.servers = bigFleet(now, Number(size) || 0);
  switch (query.get("scene")) {
    case "decision":
      seed.decision = decision(now);
      break;
    case "denied":
      seed.decision = decision(
        now,
        decisionSummary(now, {
          state: "denied",
          verdict: "No rollback: deploy failures are not rolled back here.",
        }),
        {
          allowed: false,
          reason: "rollback_disabled_for_deploy_failure",
          rule: 1,
          rule_text: "The class's switch is off.",
          would_allow_if: ["rollback_on_deploy_failure were true for this target"],
        },
      );
      break;
    case "broken":
      seed.system = {
        config_problems: [
          {
            file: "/home/ann/att/.demo/mcp.json",
            subject: "files",
            line: 7,
            column: 13,
            message: "“args” is a string, and must be a list of strings.",
            cure: 'Write "args": ["-y", "…"].',
            warning: false,
          },
        ],
        journal_problem: {
          code: "journal_unavailable",
          message: "The journal cannot be written.",
          cause: "Permission denied (os error 13)",
          cure: "Give yourself write access to journal.db, then start ATT again.",
        },
      };
      break;
    case "safe":
      seed.system = {
        safe_mode: { reason: "Audit until Friday", by: "person ann (desktop)", since_ms: now - 3_600_000 },
      };
      break;
    case "consent":
      seed.servers = [...demoFleet(now), unapproved(now)];
      break;
    case "locked":
      seed.servers = [...demoFleet(now), ...locked(now)];
      break;
    case "drift":
      seed.baselines = [
        {
          server: "drifting",
          snapshot_id: "0cc175b9c0f1b6a831c399e269772661",
          at_ms: now - 400_000,
          actor: "person ann (desktop)",
          reason: "Read every tool of it",
        },
      ];
      break;
    case "questions":
      seed.questions = questions(now);
      break;
    case "hostile":
      seed.servers = [
        row(now, `${"very-long-name-".repeat(12)}end`, {
          status: "unreachable",
          error: `${"\u202E"}txt.exe ${"unbroken".repeat(80)} <script>alert(1)</script>`,
          error_code: "ATT-MCP-005",
          summary: "x".repeat(900),
        }),
        ...demoFleet(now),
      ];
      break;
    case "error":
      seed.refuse = {
        fleetList: { code: "internal", message: "The fleet's task ended.", cure: "Start ATT again." },
      };
      break;
  }
  return new FakeBackend(seed);
}
