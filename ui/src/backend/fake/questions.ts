import type { InterruptionDto, QuestionDto } from "../port";
import { interruption } from "./decision";

/** A question of a server, with exceptions. */
export function question(now: number, id: string, more: Partial<QuestionDto> = {}): QuestionDto {
  return {
    id,
    server: "everything",
    kind: "elicitation_form",
    message: "Where shall the ticket go?",
    schema: JSON.stringify({
      type: "object",
      properties: {
        title: { type: "string", title: "Title", description: "One line." },
        priority: { type: "string", title: "Priority", enum: ["low", "high"], default: "low" },
        copies: { type: "integer", title: "Copies", default: 1 },
        urgent: { type: "boolean", title: "Urgent" },
      },
      required: ["title"],
    }),
    url: null,
    messages: [],
    request_id: "ui-0000000000000000",
    correlation_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    asked_at_ms: now - 12_000,
    expires_at_ms: now + 288_000,
    ...more,
  };
}

/** One question of each kind. */
export function questions(now: number): QuestionDto[] {
  return [
    question(now, "q-form"),
    question(now, "q-url", {
      kind: "elicitation_url",
      message: "Sign in to the tracker, then come back.",
      schema: null,
      url: "https://tracker.example.com/connect?elicitation=81f2",
    }),
    question(now, "q-text", {
      kind: "sampling",
      message: "Summarise the log.",
      schema: null,
      messages: [{ role: "user", text: "Summarise: 3 errors at 12:03, all of them timeouts." }],
    }),
  ];
}

/** The inbox's line of a question. */
export function questionInterruption(now: number, of: QuestionDto): InterruptionDto {
  return interruption(now, {
    id: of.id,
    kind: "server_question",
    title: `${of.server} asks something`,
    detail: of.message,
    target: null,
    server: of.server,
    cycle_id: null,
    decision_id: null,
    actions: ["answer_question"],
  });
}
