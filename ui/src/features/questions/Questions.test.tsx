import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { question, questions } from "@/backend/fake/questions";
import { DecisionsPage } from "@/features/decisions/DecisionsPage";
import { show } from "@/test/view";
import { contentOf, fieldsOf } from "./formSchema";

const seed = () => ({ questions: questions(Date.now()) });

function card(id: string): HTMLElement {
  return screen.getByTestId(`question-${id}`);
}

function within<T extends HTMLElement>(id: string, testid: string): T {
  const found = card(id).querySelector<T>(`[data-testid="${testid}"]`);
  if (!found) throw new Error(`${id} has no ${testid}`);
  return found;
}

describe("a form that a server asks for", () => {
  it("is sent as filled in, with the defaults that stood there", async () => {
    const { calls } = show(<DecisionsPage />, seed());
    await screen.findByTestId("question-q-form");
    expect(within<HTMLButtonElement>("q-form", "question-accept").disabled).toBe(true);
    expect(within("q-form", "question-gaps").textContent).toContain("Title");
    fireEvent.change(screen.getByTestId("question-field-title"), { target: { value: "It is slow" } });
    fireEvent.click(screen.getByTestId("question-field-urgent"));
    fireEvent.click(within("q-form", "question-accept"));
    await waitFor(() => expect(screen.queryByTestId("question-q-form")).toBeNull());
    expect(calls("questionAnswer")).toEqual([
      {
        id: "q-form",
        action: "accept",
        content: '{"title":"It is slow","priority":"low","copies":1,"urgent":true}',
      },
    ]);
  });

  it("can be declined, and giving no answer is something else", async () => {
    const { calls } = show(<DecisionsPage />, seed());
    await screen.findByTestId("question-q-form");
    fireEvent.click(within("q-form", "question-decline"));
    await waitFor(() => expect(screen.queryByTestId("question-q-form")).toBeNull());
    fireEvent.click(within("q-text", "question-cancel"));
    await waitFor(() => expect(screen.queryByTestId("question-q-text")).toBeNull());
    expect(calls("questionAnswer")).toEqual([
      { id: "q-form", action: "decline", content: null },
      { id: "q-text", action: "cancel", content: null },
    ]);
  });

  it("that cannot be read can only be declined", async () => {
    show(<DecisionsPage />, { questions: [question(Date.now(), "q", { schema: "[1]" })] });
    await screen.findByTestId("question-q");
    expect(screen.getByTestId<HTMLButtonElement>("question-accept").disabled).toBe(true);
    expect(screen.getByTestId<HTMLButtonElement>("question-decline").disabled).toBe(false);
  });

  it("shows why an answer was refused and keeps what was written", async () => {
    show(<DecisionsPage />, {
      ...seed(),
      refuse: { questionAnswer: { code: "invalid_input", message: "/copies is too large" } },
    });
    await screen.findByTestId("question-q-form");
    fireEvent.change(screen.getByTestId("question-field-title"), { target: { value: "kept" } });
    fireEvent.click(within("q-form", "question-accept"));
    expect((await screen.findByTestId("error-panel")).textContent).toContain("/copies is too large");
    expect(screen.getByTestId<HTMLInputElement>("question-field-title").value).toBe("kept");
  });
});

describe("a page that a server asks for", () => {
  it("is shown whole, is no link, and is opened only on the click", async () => {
    const { calls } = show(<DecisionsPage />, seed());
    await screen.findByTestId("question-q-url");
    expect(screen.getByTestId("question-host").textContent).toBe("tracker.example.com");
    expect(document.querySelector("a[href^='http']")).toBeNull();
    expect(calls("questionPageOpen")).toEqual([]);
    fireEvent.click(screen.getByTestId("question-open"));
    await waitFor(() => expect(calls("questionPageOpen")).toEqual(["q-url"]));
    expect(calls("questionAnswer")).toEqual([]);
  });

  it("names the host that a browser would go to, not the one it pretends", async () => {
    const url = "https://bank.example@evil.example/%2e";
    show(<DecisionsPage />, {
      questions: [question(Date.now(), "q", { kind: "elicitation_url", schema: null, url })],
    });
    expect((await screen.findByTestId("question-host")).textContent).toBe("evil.example");
    expect(screen.getByTestId("question-url").textContent).toContain(url);
  });
});

describe("a text that a server asks for", () => {
  it("is sent in the operator's words", async () => {
    const { calls } = show(<DecisionsPage />, seed());
    await screen.findByTestId("question-messages");
    expect(within<HTMLButtonElement>("q-text", "question-accept").disabled).toBe(true);
    fireEvent.change(screen.getByTestId("question-text"), { target: { value: "Timeouts." } });
    fireEvent.click(within("q-text", "question-accept"));
    await waitFor(() => expect(calls("questionAnswer")).toHaveLength(1));
    expect(calls("questionAnswer")[0]).toEqual({ id: "q-text", action: "accept", content: "Timeouts." });
  });

  it("keeps the server's marks from turning the page round", async () => {
    show(<DecisionsPage />, {
      questions: [question(Date.now(), "q", { message: "\u202Eevil <img src=x onerror=alert(1)>" })],
    });
    const shown = await screen.findByTestId("question-q");
    expect(shown.querySelector("img")).toBeNull();
    expect(shown.textContent).not.toContain("\u202E");
  });
});

describe("a form's schema", () => {
  it("becomes fields of every kind", () => {
    const fields = fieldsOf(
      JSON.stringify({
        properties: {
          a: { type: "string", oneOf: [{ const: "x", title: "The X" }] },
          b: { type: "array", items: { type: "string", enum: ["1", "2"] }, default: ["2"] },
          c: { type: "object" },
          d: { type: "number", default: 2.5 },
          e: 7,
        },
        required: ["b"],
      }),
    );
    expect(fields?.map((field) => [field.name, field.kind, field.initial])).toEqual([
      ["a", "choice", ""],
      ["b", "choices", ["2"]],
      ["c", "json", ""],
      ["d", "number", "2.5"],
      ["e", "json", ""],
    ]);
    expect(fields?.[0]?.options).toEqual([{ value: "x", title: "The X" }]);
    expect(fieldsOf(null)).toBeNull();
    expect(fieldsOf('{"properties":[]}')).toBeNull();
  });

  it("takes whole numbers only where it says so, and names what is wrong", () => {
    const fields = fieldsOf(
      '{"properties":{"n":{"type":"integer"},"j":{"type":"object"},"__proto__":{"type":"string"}}}',
    );
    if (!fields) throw new Error("it is a form");
    expect(contentOf(fields, new Map([["n", "1.5"]]))).toEqual({ wrong: ["n"] });
    expect(contentOf(fields, new Map([["j", "{"]]))).toEqual({ wrong: ["j"] });
    expect(
      contentOf(
        fields,
        new Map([
          ["n", "2"],
          ["__proto__", "x"],
        ]),
      ),
    ).toEqual({ content: '{"n":2,"__proto__":"x"}' });
  });
});
