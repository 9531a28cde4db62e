import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { demoFleet, row } from "@/backend/fake/fleet";
import { show } from "@/test/view";
import { FleetAnnouncer, QUIET_MS } from "./FleetAnnouncer";

const NOW = Date.UTC(2026, 10, 23, 12);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the announcer", () => {
  it("speaks at most every ten seconds, and then says how things stand", async () => {
    const { backend } = show(<FleetAnnouncer />, { servers: demoFleet(NOW) });
    await pass(50);
    expect(screen.getByTestId("fleet-announcer").textContent).toBe("1 server unreachable, 1 degraded");
    backend.servers = [row(NOW, "one")];
    backend.notify("fleet");
    await pass(QUIET_MS - 500);
    expect(screen.getByTestId("fleet-announcer").textContent).toBe("1 server unreachable, 1 degraded");
    await pass(1000);
    expect(screen.getByTestId("fleet-announcer").textContent).toBe("0 servers unreachable, 0 degraded");
  });
});
