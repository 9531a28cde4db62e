import { describe, expect, it } from "vitest";
import { findArgumentFault, findJsonFault } from "./jsonSyntax";
import { prefill } from "./prefill";

describe("the JSON check", () => {
  it.each([
    ['{"a": 1,}', 1, 9],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ["{'a': 1}", 1, 2],
    ['{"a": tru}', 1, 7],
    ['{"a": "x}', 1, 7],
    ['{"a": 01}', 1, 8],
    ['{"a": 1} x', 1, 10],
    ["[1, 2", 1, 6],
    ['{"a" 1}', 1, 6],
    ['{"a": "\\q"}', 1, 8],
  ])("finds line and column of the first fault in %j", (text, line, column) => {
    expect(findJsonFault(text)).toMatchObject({ line, column });
    expect(() => JSON.parse(text)).toThrow();
  });

  it.each([["{}"], ['{"a": [1, -2.5e3, true, null, "\\u00e9\\n"]}'], [" [ ] "], ['"text"']])(
    "agrees with the engine that %j is sound",
    (text) => {
      expect(findJsonFault(text)).toBeNull();
      expect(() => JSON.parse(text)).not.toThrow();
    },
  );

  it("wants an object as arguments, and lets nothing stand for none", () => {
    expect(findArgumentFault("[1]")?.message).toContain("object");
    expect(findArgumentFault("null")?.message).toContain("object");
    expect(findArgumentFault("  ")).toBeNull();
    expect(findArgumentFault('{"a": 1}')).toBeNull();
  });

  it("survives text that is nested without end", () => {
    expect(findJsonFault("[".repeat(100_000))?.message).toBe("Nested too deeply");
  });
});

describe("prefilled arguments", () => {
  it("hold what the schema requires, with defaults first", () => {
    const schema = JSON.stringify({
      type: "object",
      properties: {
        text: { type: "string" },
        times: { type: "integer", default: 3 },
        mode: { enum: ["fast", "slow"] },
        where: { type: "object", properties: { x: { type: "number" } }, required: ["x"] },
        extra: { type: "string" },
      },
      required: ["text", "times", "mode", "where"],
    });
    expect(JSON.parse(prefill(schema))).toEqual({ text: "", times: 3, mode: "fast", where: { x: 0 } });
  });

  it("are an empty object for a schema that is none", () => {
    expect(prefill(null)).toBe("{}");
    expect(prefill("not json")).toBe("{}");
    expect(prefill("7")).toBe("{}");
  });
});
