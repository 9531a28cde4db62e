import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decision, decisionSummary } from "@/backend/fake/decision";
import type { DecisionDto } from "@/backend/port";
import { show } from "@/test/view";
import { ConfirmForm } from "./ConfirmForm";
import { ARM_DELAY_MS } from "./confirmRules";

const NOW = Date.UTC(2026, 10, 23, 12);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number) {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

function form(of: DecisionDto = decision(NOW)) {
  return show(<ConfirmForm decision={of} />, { decision: of, now: () => Date.now() });
}

function type(testid: string, value: string) {
  fireEvent.change(screen.getByTestId(testid), { target: { value } });
}

const button = () => screen.getByTestId<HTMLButtonElement>("confirm-rollback");

function press() {
  fireEvent.pointerDown(button());
  fireEvent.click(button(), { detail: 1 });
}

async function fill(id = "demo-2", reason = "the health check is red") {
  type("confirm-release-id", id);
  type("confirm-reason", reason);
  await pass(ARM_DELAY_MS + 50);
}

describe("the confirm button", () => {
  it("names the release it goes back to", () => {
    form();
    expect(button().textContent).toBe("Roll back to demo-2");
  });

  it("stays off without anything, and says what is missing", async () => {
    form();
    await pass(1000);
    expect(button().disabled).toBe(true);
    expect(screen.getByTestId("confirm-gaps").textContent).toContain("demo-2");
    expect(screen.getByTestId("confirm-gaps").textContent).toContain("10 more characters");
  });

  it.each([["demo-3"], ["Demo-2"], ["demo-2 "], [""]])(
    "stays off with the wrong release id %j",
    async (id) => {
      form();
      await fill(id);
      expect(button().disabled).toBe(true);
    },
  );

  it.each([["too short"], ["          x          "]])("stays off with the reason %j", async (reason) => {
    form();
    await fill("demo-2", reason);
    expect(button().disabled).toBe(true);
  });

  it("stays off while the facts are not all there", async () => {
    form(decision(NOW, decisionSummary(NOW), { facts: [] }));
    await fill();
    expect(button().disabled).toBe(true);
  });

  it("turns on only after everything was right for 300 ms", async () => {
    form();
    type("confirm-release-id", "demo-2");
    type("confirm-reason", "the health check is red");
    await pass(ARM_DELAY_MS - 50);
    expect(button().disabled).toBe(true);
    await pass(100);
    expect(button().disabled).toBe(false);
  });

  it("sends what was on screen, once", async () => {
    const { calls } = form();
    await fill();
    press();
    press();
    await pass(100);
    expect(calls("decisionApprove")).toEqual([
      {
        decision_id: "dec-1",
        version: 1,
        digest: "sha256:9b74c9897bac770ffc029102a200c5de",
        typed_release_id: "demo-2",
        reason: "the health check is red",
      },
    ]);
  });

  it("ignores a click whose press began elsewhere", async () => {
    const { calls } = form();
    await fill();
    fireEvent.click(button(), { detail: 1 });
    await pass(50);
    expect(calls("decisionApprove")).toEqual([]);
  });

  it("ignores the second half of a double click", async () => {
    const { calls } = form();
    await fill();
    fireEvent.pointerDown(button());
    fireEvent.click(button(), { detail: 2 });
    await pass(50);
    expect(calls("decisionApprove")).toEqual([]);
  });

  it("can be pressed from the keyboard", async () => {
    const { calls } = form();
    await fill();
    fireEvent.click(button(), { detail: 0 });
    await pass(50);
    expect(calls("decisionApprove")).toHaveLength(1);
  });

  it("goes off when the time is over", async () => {
    form(decision(NOW, decisionSummary(NOW, { expires_at_ms: NOW + 5000 })));
    await fill();
    expect(button().disabled).toBe(false);
    await pass(6000);
    expect(button().disabled).toBe(true);
    expect(screen.getByTestId("confirm-gaps").textContent).toContain("evaluate it again");
  });

  it("does not want an id typed where the target is self_hosted", async () => {
    const own = decision(NOW, decisionSummary(NOW, { deployment_context: "self_hosted" }));
    const { calls } = form(own);
    expect(screen.queryByTestId("confirm-release-id")).toBeNull();
    type("confirm-reason", "the health check is red");
    await pass(ARM_DELAY_MS + 50);
    press();
    await pass(50);
    expect(calls("decisionApprove")[0]).toMatchObject({ typed_release_id: null });
  });

  it("has to be armed anew when the facts change under it, and says so", async () => {
    const { rerender, backend, client } = form();
    await fill();
    const { BackendProvider } = await import("@/backend/BackendProvider");
    const changed = decision(NOW, decisionSummary(NOW, { version: 2 }), { digest: "sha256:other" });
    rerender(
      <BackendProvider backend={backend} client={client}>
        <ConfirmForm decision={changed} />
      </BackendProvider>,
    );
    expect(button().disabled).toBe(true);
    expect(screen.getByTestId("facts-changed")).toBeTruthy();
    await pass(ARM_DELAY_MS + 50);
    expect(button().disabled).toBe(false);
  });

  it("shows why an approval was refused and keeps what was typed", async () => {
    const of = decision(NOW);
    show(<ConfirmForm decision={of} />, {
      decision: of,
      refuse: { decisionApprove: { code: "conflict", message: "It changed.", cure: "Read again." } },
    });
    await fill();
    press();
    await pass(50);
    expect(screen.getByTestId("error-panel").dataset.code).toBe("conflict");
    expect(screen.getByTestId<HTMLInputElement>("confirm-release-id").value).toBe("demo-2");
  });
});

describe("time left", () => {
  it("counts down each second", async () => {
    form(decision(NOW, decisionSummary(NOW, { expires_at_ms: NOW + 65_000 })));
    expect(screen.getByTestId("time-left").textContent).toBe("time left 1:05");
    await pass(7000);
    expect(screen.getByTestId("time-left").textContent).toBe("time left 58 s");
  });
});

describe("reject", () => {
  it("needs a reason and nothing else", async () => {
    const { calls } = form();
    const reject = screen.getByTestId<HTMLButtonElement>("reject-decision");
    expect(reject.disabled).toBe(true);
    type("confirm-reason", "we fix it forward");
    expect(reject.disabled).toBe(false);
    fireEvent.click(reject);
    await pass(50);
    expect(calls("decisionReject")).toEqual([{ id: "dec-1", version: 1, reason: "we fix it forward" }]);
    expect(calls("decisionApprove")).toEqual([]);
  });
});
