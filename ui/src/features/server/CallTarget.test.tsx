import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { demoFleet } from "@/backend/fake/fleet";
import type { CallAnswerDto } from "@/backend/port";
import { pending, show } from "@/test/view";
import { namesOf, targetOf } from "./CallTarget";
import { ServerPage } from "./ServerPage";

const servers = demoFleet(Date.now());

describe("whom a call asks", () => {
  it("can be the server's group", async () => {
    const { calls } = show(<ServerPage server="echo-http" />, { servers });
    fireEvent.change(await screen.findByTestId("call-target"), { target: { value: "group" } });
    fireEvent.click(screen.getByTestId("tool-run"));
    await screen.findByTestId("tool-answer");
    expect(calls("serverCall")[0]).toMatchObject({ server: null, group: "echo", prefer: [] });
  });

  it("can be servers in an order", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.change(await screen.findByTestId("call-target"), { target: { value: "prefer" } });
    fireEvent.change(screen.getByTestId("call-prefer"), { target: { value: "everything, echo-http,," } });
    fireEvent.click(screen.getByTestId("tool-run"));
    await screen.findByTestId("tool-answer");
    expect(calls("serverCall")[0]).toMatchObject({
      server: null,
      group: null,
      prefer: ["everything", "echo-http"],
    });
  });

  it("cannot be nobody", async () => {
    show(<ServerPage server="everything" />, { servers });
    fireEvent.change(await screen.findByTestId("call-target"), { target: { value: "prefer" } });
    fireEvent.change(screen.getByTestId("call-prefer"), { target: { value: " , " } });
    expect(screen.getByTestId<HTMLButtonElement>("tool-run").disabled).toBe(true);
    expect(namesOf("a, b,a")).toEqual(["a", "b"]);
    expect(targetOf({ way: "group" }, "a", null)).toBeNull();
  });
});

describe("a call under way", () => {
  it("shows how far it is, in the server's words", async () => {
    vi.spyOn(FakeBackend.prototype, "serverCall").mockReturnValueOnce(pending<CallAnswerDto>());
    vi.spyOn(FakeBackend.prototype, "callsUnderWay").mockResolvedValue([
      {
        request_id: "other",
        correlation_id: "c",
        client: "mcp",
        server: "everything",
        method: "tools/call",
        item: "echo",
        since_ms: Date.now(),
        deadline_ms: null,
        progress: { progress: 9, total: 10, message: "not ours", at_ms: 0 },
        open_questions: 0,
      },
      {
        request_id: "ui-0000000000000000",
        correlation_id: "c",
        client: "desktop",
        server: "everything",
        method: "tools/call",
        item: "echo",
        since_ms: Date.now(),
        deadline_ms: Date.now() + 60_000,
        progress: { progress: 3, total: 10, message: "reading page 3", at_ms: Date.now() },
        open_questions: 1,
      },
    ]);
    vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => array);
    show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("tool-run"));
    const progress = await screen.findByTestId("call-progress");
    await waitFor(() => expect(progress.textContent).toContain("3 of 10: reading page 3"));
    expect(progress.textContent).toContain("asks you something");
    expect(progress.textContent).not.toContain("not ours");
  });
});

describe("a server's entry in mcp.json", () => {
  it("takes a value, and an empty one takes the key out", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("server-set"));
    fireEvent.change(await screen.findByTestId("server-set-key"), { target: { value: "group" } });
    fireEvent.click(screen.getByTestId("server-set-act"));
    await waitFor(() => expect(screen.queryByTestId("server-set-key")).toBeNull());
    expect(calls("serverSet")).toEqual([{ server: "everything", key: "group", value: null }]);
  });

  it("is removed after one question, and the view leads back to the fleet", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("server-remove"));
    expect(calls("serverRemove")).toEqual([]);
    fireEvent.click(await screen.findByTestId("server-remove-act"));
    await waitFor(() => expect(window.location.hash).toBe("#/fleet"));
    expect(calls("serverRemove")).toEqual(["everything"]);
  });

  it("is renamed, and the view follows", async () => {
    show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("server-rename"));
    fireEvent.change(await screen.findByTestId("server-rename-to"), { target: { value: "all" } });
    fireEvent.click(screen.getByTestId("server-rename-act"));
    await waitFor(() => expect(window.location.hash).toBe("#/server/all"));
  });

  it("lets the authorization be forgotten, for an address only", async () => {
    const { calls } = show(<ServerPage server="echo-http" />, { servers });
    fireEvent.click(await screen.findByTestId("authorization-forget"));
    fireEvent.click(await screen.findByTestId("authorization-forget-act"));
    await waitFor(() => expect(calls("serverForgetAuthorization")).toEqual(["echo-http"]));
  });
});
