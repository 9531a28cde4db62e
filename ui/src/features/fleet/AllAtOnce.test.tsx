import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { demoFleet } from "@/backend/fake/fleet";
import { SessionCard } from "@/features/server/SessionCard";
import { show } from "@/test/view";
import { FleetPage } from "./FleetPage";

const servers = demoFleet(Date.now());

describe("all servers at once", () => {
  it("names those that did not connect, with the reason", async () => {
    const { calls } = show(<FleetPage />, { servers });
    fireEvent.click(await screen.findByTestId("connect-all"));
    const answer = await screen.findByTestId("all-answer");
    expect(answer.dataset.status).toBe("partial");
    expect(answer.textContent).toContain("4 servers connected, 1 not");
    expect(answer.textContent).toContain("connection refused");
    expect(calls("fleetConnectAll")).toEqual([[]]);
  });

  it("reads all lists again, and a refusal is shown", async () => {
    show(<FleetPage />, {
      servers,
      refuse: { fleetRefreshAll: { code: "conflict", message: "Nothing watches the fleet." } },
    });
    fireEvent.click(await screen.findByTestId("refresh-all"));
    expect((await screen.findByTestId("error-panel")).textContent).toContain("Nothing watches the fleet.");
  });
});

describe("a session", () => {
  it("says how fresh it is, and is dropped or made anew for this server alone", async () => {
    const { calls } = show(<SessionCard server="everything" />, { servers });
    expect((await screen.findByText("active lately")).textContent).toBeTruthy();
    expect(screen.getByTestId("session").dataset.state).toBe("active_recent");
    fireEvent.click(screen.getByTestId("session-invalidate"));
    fireEvent.click(screen.getByTestId("session-refresh"));
    await screen.findByTestId("session");
    expect(calls("sessionInvalidate")).toEqual(["everything"]);
    expect(calls("sessionRefresh")).toEqual(["everything"]);
  });
});
