import type { ErrorDto } from "./bindings";

/** An operation was refused or failed: code, message, cause and cure as every face shows them. */
export class OperationError extends Error {
  readonly report: ErrorDto;

  constructor(report: ErrorDto) {
    super(report.message);
    this.name = "OperationError";
    this.report = report;
  }
}

function isErrorDto(value: unknown): value is ErrorDto {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

/**
 * Turns whatever was thrown into an `OperationError`. The only place that knows that the framework itself
 * refuses with plain strings (a missing permission, an argument of the wrong form).
 */
export function toOperationError(thrown: unknown): OperationError {
  if (thrown instanceof OperationError) return thrown;
  if (isErrorDto(thrown)) {
    return new OperationError({
      code: String(thrown.code),
      message: String(thrown.message),
      cause: thrown.cause ?? null,
      cure: thrown.cure ?? null,
    });
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (/not allowed|permission|denied by ACL|scope/i.test(text)) {
    return new OperationError({
      code: "denied",
      message: "This window may not do that.",
      cause: text,
      cure: "Start ATT again; if it stays, its permission files and the program do not belong together.",
    });
  }
  if (/invalid args|missing required key|unknown (field|variant)/i.test(text)) {
    return new OperationError({
      code: "invalid_input",
      message: "The window and the program do not speak the same version.",
      cause: text,
      cure: "Build or install ATT again, so that both come from one build.",
    });
  }
  return new OperationError({
    code: "internal",
    message: text || "Something failed without a word.",
    cause: null,
    cure: null,
  });
}
