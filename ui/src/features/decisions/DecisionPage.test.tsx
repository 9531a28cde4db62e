import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { decision, decisionSummary } from "@/backend/fake/decision";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { pending, show } from "@/test/view";
import { DecisionPage } from "./DecisionPage";
import { DecisionsPage } from "./DecisionsPage";

const now = Date.now();

describe("a decision", () => {
  it("shows rule, facts with sources, every guardrail, sources, plan and the lit cell", async () => {
    show(<DecisionPage decisionId="dec-1" />, { decision: decision(now) });
    const card = await screen.findByTestId("decision-card");
    expect(card.dataset.state).toBe("awaiting_approval");
    expect(screen.getByTestId("rule-fired").textContent).toContain("Rule 6");
    expect(screen.getByTestId("fact-live_release_id").textContent).toContain("observe command");
    expect(screen.getByTestId("guardrail-rollback_loop").dataset.outcome).toBe("escalate");
    expect(screen.getAllByTestId(/^guardrail-/)).toHaveLength(13);
    expect(screen.getByTestId("source-runtime_log").dataset.outcome).toBe("stale");
    expect(screen.getAllByTestId("plan-argv")[0]?.textContent).toBe(
      "./deploy.sh --release demo-2 --note 'back to the last good'",
    );
    expect(screen.getByTestId("matrix-health_failure-external").dataset.current).toBe("true");
    expect(screen.getByTestId("matrix-health_failure-self_hosted").dataset.current).toBe("false");
    expect(screen.getAllByTestId("diff-file")).toHaveLength(2);
  });

  it("when denied, says what would have allowed it and offers no confirmation", async () => {
    const denied = decision(now, decisionSummary(now, { state: "denied" }), {
      actions: [],
      would_allow_if: ["rollback_on_deploy_failure were true"],
    });
    show(<DecisionPage decisionId="dec-1" />, { decision: denied });
    expect((await screen.findByTestId("would-allow-if")).textContent).toContain(
      "rollback_on_deploy_failure were true",
    );
    expect(screen.queryByTestId("confirm-form")).toBeNull();
  });

  it("when expired, can be evaluated again", async () => {
    const expired = decision(now, decisionSummary(now, { state: "expired" }), {
      actions: ["evaluate_again"],
    });
    const { calls } = show(<DecisionPage decisionId="dec-1" />, { decision: expired });
    fireEvent.click(await screen.findByTestId("evaluate-again"));
    await waitFor(() => expect(calls("decisionEvaluateAgain")).toEqual(["dec-1"]));
  });

  it("when superseded, tells what changed", async () => {
    const old = decision(now, decisionSummary(now, { state: "superseded" }), {
      actions: [],
      superseded_by: ["generation 3 became 4"],
    });
    show(<DecisionPage decisionId="dec-1" />, { decision: old });
    expect((await screen.findByTestId("superseded-by")).textContent).toBe("generation 3 became 4");
  });

  it("loads, and shows an error with its code when there is none of that id", async () => {
    vi.spyOn(FakeBackend.prototype, "decisionShow").mockReturnValueOnce(pending());
    const first = show(<DecisionPage decisionId="dec-1" />);
    expect(screen.getByTestId("skeleton")).toBeTruthy();
    first.unmount();
    show(<DecisionPage decisionId="dec-9" />);
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("not_found");
  });
});

describe("the inbox", () => {
  it("is quiet when nothing waits", async () => {
    show(<DecisionsPage />);
    expect((await screen.findByTestId("inbox-empty")).textContent).toContain("Nothing waits for a person");
  });

  it("leads to the decision that waits", async () => {
    show(<DecisionsPage />, { decision: decision(now) });
    fireEvent.click(await screen.findByTestId("open-decision"));
    expect(window.location.hash).toBe("#/decision/dec-1");
  });

  it("acknowledges a failed rollback with a note", async () => {
    vi.spyOn(FakeBackend.prototype, "decisionsList").mockResolvedValue({
      interruptions: [
        {
          id: "int-7",
          kind: "rollback_failed",
          title: "The rollback of demo failed",
          detail: "Exit code 1",
          target: "demo",
          server: null,
          cycle_id: null,
          decision_id: null,
          since_ms: now,
          actions: ["acknowledge"],
        },
      ],
      decisions: [],
    });
    const { calls } = show(<DecisionsPage />);
    fireEvent.click(await screen.findByTestId("acknowledge-int-7"));
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Leave it as it is"));
    const act = screen.getByTestId<HTMLButtonElement>("acknowledge-act");
    expect(act.disabled).toBe(true);
    fireEvent.change(screen.getByTestId("acknowledge-reason"), { target: { value: "put right by hand" } });
    fireEvent.click(act);
    await waitFor(() =>
      expect(calls("interruptionAcknowledge")).toEqual([{ id: "int-7", note: "put right by hand" }]),
    );
  });
});
