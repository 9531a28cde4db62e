import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { attempt, demoFleet, unapproved } from "@/backend/fake/fleet";
import type { CallAnswerDto } from "@/backend/port";
import { pending, show } from "@/test/view";
import { ServerPage } from "./ServerPage";

const servers = demoFleet(Date.now());

describe("a server", () => {
  it("shows its four facets with state and reason", async () => {
    show(<ServerPage server="flapping" />, { servers });
    expect((await screen.findByTestId("facet-connection")).dataset.state).toBe("backoff");
    expect(screen.getByTestId("facet-connection").textContent).toContain("attempt 4");
    expect(screen.getByTestId("facet-health").dataset.state).toBe("unreachable");
    expect(screen.getByTestId("facet-admin").dataset.state).toBe("enabled");
    expect(screen.getByTestId("facet-breaker").dataset.state).toBe("closed");
    expect(screen.getByTestId("error-panel").dataset.code).toBe("ATT-MCP-007");
  });

  it("marks a malformed item beside its sound neighbours", async () => {
    show(<ServerPage server="everything" />, { servers });
    const odd = await screen.findByTestId("item-tool-odd");
    expect(odd.textContent).toContain("malformed");
    expect(screen.getByTestId("item-tool-echo").textContent).not.toContain("malformed");
    const options = within(screen.getByTestId("tool-select")).getAllByRole("option");
    expect(options.map((option) => option.textContent)).not.toContain("odd");
  });

  it("says which list failed and which is not offered", async () => {
    show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("tab-prompt"));
    expect(screen.getByTestId("list-status-prompt").textContent).toContain("timed out after 10 s");
    fireEvent.click(screen.getByTestId("tab-resource_template"));
    expect(screen.getByTestId("list-status-resource_template").dataset.status).toBe("unsupported");
  });

  it("compares the first snapshot with the newest", async () => {
    const { calls } = show(<ServerPage server="drifting" />, { servers });
    const diff = await screen.findByTestId("snapshot-diff");
    await waitFor(() => expect(diff.dataset.changes).toBe("2"));
    expect(diff.dataset.severity).toBe("alarm");
    expect(screen.getByTestId("diff-change-echo").textContent).toContain("input schema: breaking");
    expect(calls("snapshotDiff")).toEqual([
      { from: "0cc175b9c0f1b6a831c399e269772661", to: "b1946ac92492d2347c6235b4d2611184" },
    ]);
  });

  it("calls a tool and shows the answer with its attempts", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    const args = await screen.findByTestId<HTMLTextAreaElement>("tool-args");
    expect(JSON.parse(args.value)).toEqual({ message: "", times: 1 });
    fireEvent.change(args, { target: { value: '{"message": "hi", "times": 1}' } });
    fireEvent.click(screen.getByTestId("tool-run"));
    expect((await screen.findByTestId("tool-answer")).textContent).toContain(
      'echo was called with {"message": "hi"',
    );
    expect(within(screen.getByTestId("attempts-table")).getAllByTestId("attempt-row")).toHaveLength(1);
    expect(calls("serverCall")[0]).toMatchObject({
      server: "everything",
      method: "tools/call",
      name: "echo",
    });
  });

  it("does not run arguments that are no JSON, and says where", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.change(await screen.findByTestId("tool-args"), { target: { value: '{\n  "message": hi\n}' } });
    expect(screen.getByTestId("tool-args-fault").textContent).toMatch(/^Line 2, column 14: /);
    expect(screen.getByTestId<HTMLButtonElement>("tool-run").disabled).toBe(true);
    fireEvent.keyDown(screen.getByTestId("tool-args"), { key: "Enter", ctrlKey: true });
    expect(calls("serverCall")).toEqual([]);
  });

  it("can cancel a call under way", async () => {
    vi.spyOn(FakeBackend.prototype, "serverCall").mockReturnValueOnce(pending<CallAnswerDto>());
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("tool-run"));
    fireEvent.click(await screen.findByTestId("tool-cancel"));
    await waitFor(() => expect(calls("callCancel")).toHaveLength(1));
    expect(calls("callCancel")[0]).toMatch(/^ui-[0-9a-f]{16}$/);
  });

  it("shows a failure with code, status and every attempt", async () => {
    const failed = attempt("everything", {
      stage: "invoke",
      outcome: "sent_no_reply",
      error: "stream ended",
    });
    vi.spyOn(FakeBackend.prototype, "serverCall").mockResolvedValueOnce({
      request_id: "x",
      correlation_id: "c",
      result: null,
      failure: {
        code: "not_reissued",
        status: 502,
        message: "No reply came.",
        method: "tools/call",
        request_id: "x",
        attempts: [failed],
      },
      attempts: [failed],
    });
    show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("tool-run"));
    const answer = await screen.findByTestId("tool-answer");
    expect(answer.dataset.ok).toBe("false");
    expect(answer.textContent).toContain("502 not_reissued");
    expect(screen.getByTestId("attempts-table").textContent).toContain("stream ended");
  });

  it("without a snapshot says when the first is taken", async () => {
    show(<ServerPage server="new-tool" />, { servers: [unapproved(Date.now())] });
    expect(await screen.findByText("No snapshot yet")).toBeTruthy();
    expect(screen.queryByTestId("tool-run")).toBeNull();
  });

  it("shows an error for a name that nobody has", async () => {
    show(<ServerPage server="nobody" />, { servers });
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("not_found");
  });
});
