import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { App } from "@/App";
import { decision } from "@/backend/fake/decision";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { demoFleet } from "@/backend/fake/fleet";
import { show } from "@/test/view";
import { Shell } from "./Shell";

const now = Date.now();

describe("the frame", () => {
  it("stands in the whole app and shows the fleet first", async () => {
    render(<App backend={new FakeBackend({ stageMs: null })} />);
    expect(await screen.findByTestId("server-row-everything")).toBeTruthy();
    expect(screen.getByTestId("nav-fleet").getAttribute("aria-current")).toBe("page");
  });

  it("counts the statuses worst first", async () => {
    show(<Shell />, { servers: demoFleet(now) });
    await screen.findByTestId("strip-unreachable");
    expect(screen.getAllByTestId(/^strip-/).map((each) => each.textContent?.trim())).toEqual([
      "1 unreachable",
      "1 degraded",
      "3 healthy",
    ]);
  });

  it("shows how many interruptions wait", async () => {
    show(<Shell />, { decision: decision(now) });
    expect((await screen.findByTestId("nav-decisions-count")).textContent).toBe("1 waiting for a person");
  });

  it("goes where the hash points and takes the focus along", async () => {
    show(<Shell />);
    await screen.findByTestId("server-row-everything");
    act(() => {
      window.location.hash = "#/events";
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Events");
    expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 }));
  });

  it("marks a demo home", async () => {
    show(<Shell />);
    expect((await screen.findByTestId("demo-badge")).textContent).toBe("DEMO");
  });

  it("shows a configuration problem with file, line, column and cure", async () => {
    const problem = {
      file: "/home/ann/mcp.json",
      subject: "files",
      line: 7,
      column: 13,
      message: "args must be a list",
      cure: "Write a list.",
      warning: false,
    };
    const { calls } = show(<Shell />, { system: { config_problems: [problem] } });
    const banner = await screen.findByTestId("config-banner");
    expect(banner.textContent).toContain("/home/ann/mcp.json:7:13");
    expect(banner.textContent).toContain("args must be a list");
    expect(banner.textContent).toContain("Write a list.");
    fireEvent.click(screen.getByText("Read again"));
    await waitFor(() => expect(calls("fleetReload")).toHaveLength(1));
  });

  it("keeps showing the fleet when the journal cannot be used", async () => {
    show(<Shell />, {
      system: {
        journal_problem: { code: "journal_damaged", message: "Damaged.", cause: null, cure: "Restore it." },
      },
    });
    expect((await screen.findByTestId("journal-banner")).textContent).toContain("Restore it.");
    expect(await screen.findByTestId("server-row-everything")).toBeTruthy();
  });

  it("shows safe mode and switches it off with a reason", async () => {
    const { calls } = show(<Shell />, {
      system: { safe_mode: { reason: "audit", by: "person ann", since_ms: now } },
    });
    expect((await screen.findByTestId("safe-mode-banner")).textContent).toContain("audit");
    fireEvent.click(screen.getByText("Switch off…"));
    fireEvent.change(await screen.findByTestId("safe-mode-off-reason"), {
      target: { value: "audit is over" },
    });
    fireEvent.click(screen.getByTestId("safe-mode-off-act"));
    await waitFor(() => expect(calls("safeModeSet")).toEqual([{ on: false, reason: "audit is over" }]));
  });

  it("verifies the journal", async () => {
    show(<Shell />);
    fireEvent.click(await screen.findByTestId("nav-system"));
    fireEvent.click(await screen.findByTestId("journal-verify"));
    expect((await screen.findByTestId("journal-verify-answer")).dataset.ok).toBe("true");
  });
});
