import { FileWarning, ShieldAlert, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ConfigProblemDto } from "@/backend/port";
import { useAct, useSystem } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { count, dateTime } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { ReasonDialog } from "@/components/ReasonDialog";

function Banner({
  tone,
  testid,
  children,
}: {
  tone: "bad" | "warn" | "wait";
  testid: string;
  children: ReactNode;
}) {
  const look = {
    bad: "bg-bad-wash text-bad",
    warn: "bg-warn-wash text-warn",
    wait: "bg-wait-wash text-wait",
  }[tone];
  return (
    <div role="status" data-testid={testid} className={`border-b border-line px-5 py-2 ${look}`}>
      {children}
    </div>
  );
}

/** `file:line:column`, what is wrong, what would be right. */
export function ConfigProblem({ problem }: { problem: ConfigProblemDto }) {
  return (
    <li className="text-ink">
      <code className="font-mono text-small">
        <bdi>{problem.file}</bdi>:{problem.line}:{problem.column}
      </code>
      {problem.subject ? (
        <>
          {" "}
          (<bdi>{problem.subject}</bdi>)
        </>
      ) : null}
      : <HostileText text={problem.message} />. <span className="font-medium">What to do:</span>{" "}
      <HostileText text={problem.cure} />
    </li>
  );
}

function ConfigBanner({ problems }: { problems: ConfigProblemDto[] }) {
  const [open, setOpen] = useState(problems.length <= 2);
  const backend = useBackend();
  const reload = useAct(() => backend.fleetReload());
  const severe = problems.some((problem) => !problem.warning);
  return (
    <Banner tone={severe ? "bad" : "warn"} testid="config-banner">
      <div className="flex items-center gap-2">
        <FileWarning aria-hidden className="size-4 shrink-0" />
        <span className="font-semibold">{count(problems.length, "problem")} in the configuration</span>
        <span className="text-small text-ink-soft">Everything that is sound is used.</span>
        <span className="ml-auto flex gap-2">
          <Button small look="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Show"}
          </Button>
          <Button small busy={reload.isPending} onClick={() => reload.mutate(undefined)}>
            Read again
          </Button>
        </span>
      </div>
      {open ? (
        <ul className="mt-1 max-h-40 list-disc space-y-1 overflow-y-auto pl-6">
          {problems.map((problem) => (
            <ConfigProblem
              key={`${problem.file}:${problem.line}:${problem.column}:${problem.message}`}
              problem={problem}
            />
          ))}
        </ul>
      ) : null}
      {reload.error ? <ErrorPanel error={reload.error} /> : null}
    </Banner>
  );
}

function SafeModeBanner({ reason, by, sinceMs }: { reason: string; by: string; sinceMs: number | null }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const off = useAct(
    (why: string) => backend.safeModeSet(false, why),
    () => setAsking(false),
  );
  return (
    <Banner tone="wait" testid="safe-mode-banner">
      <div className="flex items-center gap-2">
        <ShieldAlert aria-hidden className="size-4 shrink-0" />
        <span className="min-w-0">
          <span className="font-semibold">Safe mode.</span>{" "}
          <span className="text-ink">
            No cycle starts, nothing deploys, automatic rollbacks wait for a person. Switched on by{" "}
            <bdi>{by}</bdi>, {dateTime(sinceMs)}: <HostileText text={reason} />
          </span>
        </span>
        <Button small className="ml-auto" onClick={() => setAsking(true)}>
          Switch off…
        </Button>
      </div>
      <ReasonDialog
        open={asking}
        title="Switch safe mode off?"
        description="Cycles may start and deploy again."
        action="Switch off"
        busy={off.isPending}
        error={off.error}
        onClose={() => setAsking(false)}
        onAct={(why) => off.mutate(why)}
        testid="safe-mode-off"
      />
    </Banner>
  );
}

/** What concerns the whole window: a journal that cannot be used, safe mode, broken configuration. */
export function Banners() {
  const { data, error } = useSystem();
  return (
    <>
      {error && !data ? (
        <div className="px-5 py-2">
          <ErrorPanel error={error} title="The program behind this window does not answer" />
        </div>
      ) : null}
      {data?.journal_problem ? (
        <div data-testid="journal-banner" className="border-b border-line bg-bad-wash px-5 py-2">
          <ErrorPanel
            error={data.journal_problem}
            title="The journal cannot be used; the fleet is watched all the same"
          />
        </div>
      ) : null}
      {data?.safe_mode ? (
        <SafeModeBanner
          reason={data.safe_mode.reason}
          by={data.safe_mode.by}
          sinceMs={data.safe_mode.since_ms}
        />
      ) : null}
      {data && data.config_problems.length > 0 ? <ConfigBanner problems={data.config_problems} /> : null}
      {data?.acting_refused ? (
        <Banner tone="warn" testid="acting-refused-banner">
          <span className="flex items-center gap-2">
            <TriangleAlert aria-hidden className="size-4 shrink-0" />
            <span className="text-ink">
              This window is driven by a program, so it only shows; approving and starting are refused.
            </span>
          </span>
        </Banner>
      ) : null}
    </>
  );
}
