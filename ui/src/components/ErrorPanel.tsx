import { CircleX } from "lucide-react";
import type { ReactNode } from "react";
import { toOperationError } from "@/backend/failure";
import type { ErrorDto } from "@/backend/port";
import { Button } from "./Button";
import { CopyButton } from "./Copy";
import { HostileText } from "./HostileText";

/** An error as an operator needs it: what, why, what to do, its code, and a way to pass it on. */
export function ErrorPanel({
  error,
  title,
  onRetry,
  children,
}: {
  error: ErrorDto | Error;
  title?: string;
  onRetry?: () => void;
  children?: ReactNode;
}) {
  const report = error instanceof Error ? toOperationError(error).report : error;
  const text = [
    `${report.code}: ${report.message}`,
    report.cause ? `Cause: ${report.cause}` : null,
    report.cure ? `Cure: ${report.cure}` : null,
  ]
    .filter(Boolean)
    .join("\n");
  return (
    <div
      role="alert"
      data-testid="error-panel"
      data-code={report.code}
      className="rounded-md border border-bad/40 bg-bad-wash p-3"
    >
      <div className="flex items-start gap-2">
        <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
        <div className="min-w-0 flex-1 space-y-1">
          {title ? <p className="font-semibold text-bad">{title}</p> : null}
          <p className="font-medium">
            <HostileText text={report.message} />
          </p>
          {report.cause ? (
            <p className="text-ink-soft">
              <span className="font-medium">Why: </span>
              <HostileText text={report.cause} />
            </p>
          ) : null}
          {report.cure ? (
            <p>
              <span className="font-medium">What to do: </span>
              <HostileText text={report.cure} />
            </p>
          ) : null}
          {children}
          <div className="flex items-center gap-2 pt-1">
            <code className="rounded bg-panel px-1.5 font-mono text-small text-ink-soft">{report.code}</code>
            <CopyButton text={text} label="Copy error" />
            {onRetry ? (
              <Button small onClick={onRetry}>
                Try again
              </Button>
            ) : null}
          </div>
        </div>
      </div>
    </div>
  );
}
