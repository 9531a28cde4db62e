import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "@/test/view";
import { EventsPage } from "./EventsPage";

const ALL = { view: "events", correlationId: null, server: null } as const;

describe("events", () => {
  it("lists what happened, newest first", async () => {
    show(<EventsPage route={ALL} />);
    const rows = await screen.findAllByTestId("event-row");
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.length).toBeLessThan(80);
    expect(rows[0]?.dataset.kind).toBe("HealthChanged");
  });

  it("asks the backend with the filters chosen", async () => {
    const { calls } = show(<EventsPage route={ALL} />);
    await screen.findAllByTestId("event-row");
    fireEvent.change(screen.getByTestId("events-kind"), { target: { value: "InvocationPhase" } });
    await waitFor(() =>
      expect(calls("eventsList").at(-1)).toMatchObject({ kind: "InvocationPhase", server: null, limit: 500 }),
    );
    await waitFor(() =>
      expect(new Set(screen.getAllByTestId("event-row").map((row) => row.dataset.kind))).toEqual(
        new Set(["InvocationPhase"]),
      ),
    );
  });

  it("joins what one call caused", async () => {
    const { calls } = show(
      <EventsPage route={{ ...ALL, correlationId: "4bf92f3577b34da6a3ce929d0e0e4736" }} />,
    );
    await screen.findAllByTestId("event-row");
    expect(calls("eventsList")[0]).toMatchObject({ correlation_id: "4bf92f3577b34da6a3ce929d0e0e4736" });
  });

  it("tells an empty journal from filters that fit nothing", async () => {
    const first = show(<EventsPage route={ALL} />, { events: [] });
    expect(await screen.findByText("Nothing has happened yet")).toBeTruthy();
    first.unmount();
    show(<EventsPage route={{ ...ALL, server: "nobody" }} />);
    expect(await screen.findByText("Nothing fits the filters")).toBeTruthy();
  });

  it("shows why it cannot be read", async () => {
    show(<EventsPage route={ALL} />, {
      refuse: {
        eventsList: { code: "journal_unavailable", message: "Locked.", cure: "End the other program." },
      },
    });
    expect((await screen.findByTestId("error-panel")).textContent).toContain("End the other program.");
  });
});
