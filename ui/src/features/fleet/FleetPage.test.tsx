import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { bigFleet, demoFleet, facet, facets, row, unapproved } from "@/backend/fake/fleet";
import { pending, show } from "@/test/view";
import { FleetPage } from "./FleetPage";

const now = Date.now();

describe("the fleet", () => {
  it("shows bars while it loads", () => {
    vi.spyOn(FakeBackend.prototype, "fleetList").mockReturnValueOnce(pending());
    show(<FleetPage />);
    expect(screen.getByTestId("skeleton").getAttribute("aria-label")).toBe("Loading the fleet");
  });

  it("tells how to add servers when there are none", async () => {
    show(<FleetPage />, { servers: [] });
    expect(await screen.findByText("No servers yet")).toBeTruthy();
    expect(screen.getByText(/mcpServers/)).toBeTruthy();
  });

  it("shows code, cause and cure when it cannot be read", async () => {
    show(<FleetPage />, {
      refuse: {
        fleetList: { code: "internal", message: "The task ended.", cause: "a panic", cure: "Start again." },
      },
    });
    const panel = await screen.findByTestId("error-panel");
    expect(panel.dataset.code).toBe("internal");
    expect(panel.textContent).toContain("The task ended.");
    expect(panel.textContent).toContain("a panic");
    expect(panel.textContent).toContain("Start again.");
  });

  it("puts the worst on top and says status and health to machines too", async () => {
    show(<FleetPage />, { servers: demoFleet(now) });
    await screen.findByTestId("server-row-slow");
    const rows = screen.getAllByRole("row").slice(1);
    expect(rows.map((each) => each.dataset.testid)).toEqual([
      "server-row-flapping",
      "server-row-slow",
      "server-row-drifting",
      "server-row-echo-http",
      "server-row-everything",
    ]);
    const slow = screen.getByTestId("server-row-slow");
    expect(slow.dataset.status).toBe("degraded");
    expect(slow.dataset.health).toBe("degraded");
    expect(slow.dataset.healthReason).toBe("slow");
    expect(within(slow).getByText("degraded")).toBeTruthy();
  });

  it("counts the wait for the next attempt down and cuts it short on demand", async () => {
    const { calls } = show(<FleetPage />, { servers: demoFleet(Date.now()) });
    const next = await screen.findByTestId("server-row-flapping-next-retry");
    expect(next.textContent).toMatch(/^1[12] s$/);
    fireEvent.click(screen.getByTestId("server-row-flapping-retry"));
    await waitFor(() => expect(calls("serverRetry")).toEqual(["flapping"]));
  });

  it("shows the exact command before it may run, with the focus on the safe button", async () => {
    const { calls } = show(<FleetPage />, { servers: [unapproved(now)] });
    fireEvent.click(await screen.findByTestId("server-row-new-tool-approve"));
    const argv = await screen.findByTestId("command-argv");
    expect(argv.textContent).toContain("--note");
    expect(argv.textContent).toContain("two words");
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Do not run it"));
    fireEvent.click(screen.getByTestId("command-approve"));
    await waitFor(() =>
      expect(calls("serverApproveCommand")).toEqual([
        { server: "new-tool", digest: "5d41402abc4b2a76b9719d911017c592" },
      ]),
    );
  });

  it("offers to enable a disabled server", async () => {
    const servers = [
      row(now, "off", {
        status: "disabled",
        suggested_action: "enable",
        facets: facets(now, { admin: facet(now, "disabled") }),
      }),
    ];
    const { calls } = show(<FleetPage />, { servers });
    fireEvent.click(await screen.findByTestId("server-row-off-enable"));
    await waitFor(() => expect(calls("serverSetEnabled")).toEqual([{ server: "off", enabled: true }]));
  });

  it("lays out only the rows in sight of a thousand", async () => {
    show(<FleetPage />, { servers: bigFleet(now, 1000) });
    await screen.findByText("1000 servers");
    const table = screen.getByRole("table");
    expect(table.getAttribute("aria-rowcount")).toBe("1001");
    const laidOut = within(table).getAllByRole("row").length;
    expect(laidOut).toBeGreaterThan(10);
    expect(laidOut).toBeLessThan(60);
  });

  it("finds servers by name and by error", async () => {
    show(<FleetPage />, { servers: demoFleet(now) });
    await screen.findByTestId("server-row-slow");
    fireEvent.change(screen.getByTestId("fleet-search"), { target: { value: "refused" } });
    await waitFor(() => expect(screen.queryByTestId("server-row-slow")).toBeNull());
    expect(screen.getByTestId("server-row-flapping")).toBeTruthy();
    fireEvent.change(screen.getByTestId("fleet-search"), { target: { value: "zzz" } });
    expect(await screen.findByText("Nothing fits the search")).toBeTruthy();
  });

  it("reads again when a notice says that the fleet changed", async () => {
    const { backend } = show(<FleetPage />, { servers: [row(now, "one")] });
    await screen.findByTestId("server-row-one");
    backend.servers = [row(now, "one"), row(now, "two")];
    backend.notify("fleet");
    expect(await screen.findByTestId("server-row-two")).toBeTruthy();
  });
});
