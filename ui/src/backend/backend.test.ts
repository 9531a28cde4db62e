import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { parseRoute, to } from "@/routes";
import { OperationError, toOperationError } from "./failure";
import { Refresher } from "./refresher";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a failure", () => {
  it("of ours keeps its code and cure", () => {
    const error = toOperationError({
      code: "conflict",
      message: "It changed.",
      cause: null,
      cure: "Read again.",
    });
    expect(error.report).toEqual({
      code: "conflict",
      message: "It changed.",
      cause: null,
      cure: "Read again.",
    });
  });

  it("of the framework, a plain string, becomes one of ours", () => {
    expect(toOperationError("fleet_list not allowed by ACL").report.code).toBe("denied");
    expect(toOperationError("invalid args `server` for command").report.code).toBe("invalid_input");
    expect(toOperationError("something odd").report).toMatchObject({
      code: "internal",
      message: "something odd",
    });
    expect(toOperationError(new TypeError("boom")).report).toMatchObject({
      code: "internal",
      message: "boom",
    });
  });

  it("is not wrapped twice", () => {
    const error = toOperationError("x");
    expect(toOperationError(error)).toBe(error);
    expect(error).toBeInstanceOf(OperationError);
  });
});

describe("notices", () => {
  it("coalesce: a storm makes few reads, and the last change is always read", async () => {
    const client = new QueryClient();
    let reads = 0;
    let value = 0;
    let shown = -1;
    const observer = new QueryObserver(client, {
      queryKey: ["fleet"],
      queryFn: async () => {
        reads += 1;
        const read = value;
        await wait(20);
        return read;
      },
    });
    const stop = observer.subscribe((result) => {
      if (result.data !== undefined) shown = result.data;
    });
    await wait(40);
    const refresher = new Refresher(client);
    for (let n = 1; n <= 200; n += 1) {
      value = n;
      refresher.notice("fleet");
      if (n % 20 === 0) await wait(5);
    }
    await wait(500);
    expect(shown).toBe(200);
    expect(reads).toBeLessThan(6);
    stop();
    client.clear();
  });
});

describe("routes", () => {
  it("survive names with slashes, spaces and signs", () => {
    const name = "a/b c#?ü";
    expect(parseRoute(to.server(name))).toEqual({ view: "server", server: name, at: null });
    expect(parseRoute(to.server(name, "logs"))).toEqual({ view: "server", server: name, at: "logs" });
    expect(parseRoute(to.releases(name))).toEqual({ view: "releases", target: name });
  });

  it("lead home from nowhere", () => {
    expect(parseRoute("")).toEqual({ view: "fleet" });
    expect(parseRoute("#/nowhere/x")).toEqual({ view: "fleet" });
    expect(parseRoute("#/server/%E0%A4%A")).toEqual({ view: "server", server: "%E0%A4%A", at: null });
  });

  it("carry an event filter", () => {
    expect(parseRoute(to.events({ correlation: "abc" }))).toEqual({
      view: "events",
      correlationId: "abc",
      server: null,
    });
  });
});
