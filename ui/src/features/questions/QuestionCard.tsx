import { ExternalLink } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { QuestionDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { HostileText } from "@/components/HostileText";
import { StateTag } from "@/components/StateWord";
import { Countdown, Since } from "@/components/Time";
import { WebAddress } from "@/components/WebAddress";
import { to } from "@/routes";
import { contentOf, type FieldValue, fieldsOf } from "./formSchema";
import { QuestionForm } from "./QuestionForm";

const ASKS: Record<string, string> = {
  elicitation_form: "asks you to fill in a form",
  elicitation_url: "asks you to visit a page",
  sampling: "asks for a text that a model would write",
};

/** What the operator is about to answer: JSON or text, nothing for a page, or what is still missing. */
type Draft = { content: string | null } | { wrong: string[] };

function Answers({ question, draft, action }: { question: QuestionDto; draft: Draft; action: string }) {
  const backend = useBackend();
  const answer = useAct((given: { action: "accept" | "decline" | "cancel"; content: string | null }) =>
    backend.questionAnswer({ id: question.id, ...given }),
  );
  const busy = answer.isPending;
  const wrong = "wrong" in draft ? draft.wrong : [];
  return (
    <div className="mt-3 space-y-2">
      {answer.error ? <ErrorPanel error={answer.error} title="The answer was not sent" /> : null}
      {wrong.length > 0 ? (
        <p className="text-small text-ink-soft" data-testid="question-gaps">
          Missing or not right: <HostileText text={wrong.join(", ")} limit={300} />
        </p>
      ) : null}
      <div className="flex flex-wrap gap-2">
        <Button
          look="primary"
          data-testid="question-accept"
          disabled={wrong.length > 0}
          busy={busy}
          onClick={() => {
            if ("content" in draft) answer.mutate({ action: "accept", content: draft.content });
          }}
        >
          {action}
        </Button>
        <Button
          data-testid="question-decline"
          busy={busy}
          onClick={() => answer.mutate({ action: "decline", content: null })}
        >
          Decline
        </Button>
        <Button
          look="quiet"
          data-testid="question-cancel"
          busy={busy}
          onClick={() => answer.mutate({ action: "cancel", content: null })}
        >
          Give no answer
        </Button>
      </div>
    </div>
  );
}

function AskForm({ question }: { question: QuestionDto }) {
  const [values, setValues] = useState<ReadonlyMap<string, FieldValue>>(new Map());
  const fields = fieldsOf(question.schema);
  return (
    <>
      {fields ? (
        <QuestionForm fields={fields} values={values} onChange={setValues} />
      ) : (
        <p className="text-ink-soft">Its form cannot be read. It can be declined.</p>
      )}
      <p className="mt-2 text-small text-ink-faint">
        What you fill in goes to this server. Give no password or key that it should not have.
      </p>
      <Answers
        question={question}
        draft={fields ? contentOf(fields, values) : { wrong: ["the form"] }}
        action="Send the answer"
      />
    </>
  );
}

function AskPage({ question }: { question: QuestionDto }) {
  const backend = useBackend();
  const open = useAct(() => backend.questionPageOpen(question.id));
  return (
    <>
      <WebAddress url={question.url ?? ""} testid="question" />
      {open.error ? (
        <div className="mt-2">
          <ErrorPanel error={open.error} title="The page was not opened" />
        </div>
      ) : null}
      <div className="mt-2">
        <Button data-testid="question-open" busy={open.isPending} onClick={() => open.mutate(undefined)}>
          <ExternalLink aria-hidden className="size-4" />
          Open in the browser
        </Button>
      </div>
      <Answers question={question} draft={{ content: null }} action="I have done it" />
    </>
  );
}

function AskText({ question }: { question: QuestionDto }) {
  const [text, setText] = useState("");
  return (
    <>
      <ol className="max-h-64 space-y-2 overflow-y-auto" data-testid="question-messages">
        {question.messages.map((message, index) => (
          <li key={index} className="rounded-md border border-line bg-ground p-2">
            <span className="text-small text-ink-faint">
              <HostileText text={message.role} limit={40} />
            </span>
            <p>
              <HostileText text={message.text} limit={1200} />
            </p>
          </li>
        ))}
      </ol>
      <label className="mt-3 block">
        <span className="mb-1 block font-medium">Your answer</span>
        <textarea
          rows={4}
          value={text}
          data-testid="question-text"
          onChange={(event) => setText(event.target.value)}
          className="w-full rounded-md border border-edge bg-panel px-2 py-1.5"
        />
      </label>
      <Answers
        question={question}
        draft={text.trim() === "" ? { wrong: ["the answer"] } : { content: text }}
        action="Send the answer"
      />
    </>
  );
}

function asked(question: QuestionDto): ReactNode {
  switch (question.kind) {
    case "elicitation_form":
      return <AskForm question={question} />;
    case "elicitation_url":
      return <AskPage question={question} />;
    case "sampling":
      return <AskText question={question} />;
    default:
      return <Answers question={question} draft={{ wrong: ["a newer ATT"] }} action="Send the answer" />;
  }
}

/** A question that a server asks in the middle of a call. Nothing is answered, and no page opened, without a click. */
export function QuestionCard({ question }: { question: QuestionDto }) {
  return (
    <article
      data-testid={`question-${question.id}`}
      data-kind={question.kind}
      className="rounded-lg border border-wait/50 bg-panel p-4"
    >
      <div className="flex flex-wrap items-center gap-2">
        <StateTag word="interruption" label="Question of a server" />
        <span className="min-w-0 font-semibold">
          <a href={to.server(question.server)} className="hover:underline">
            <bdi>{question.server}</bdi>
          </a>{" "}
          {ASKS[question.kind] ?? "asks something that this version does not know"}
        </span>
        <span className="ml-auto text-small text-ink-faint">
          waits <Since at={question.asked_at_ms} />, lapses in{" "}
          <Countdown at={question.expires_at_ms} over="a moment" />
        </span>
      </div>
      <p className="mt-2 mb-3">
        <HostileText text={question.message} limit={800} />
      </p>
      {asked(question)}
      {question.correlation_id ? (
        <p className="mt-2 text-small">
          <a
            href={to.events({ correlation: question.correlation_id })}
            className="text-accent hover:underline"
          >
            The call that it belongs to
          </a>
        </p>
      ) : null}
    </article>
  );
}
