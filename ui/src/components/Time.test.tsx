import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { observeBackendTime } from "./clock";
import { countdown, duration, span } from "./format";
import { Countdown, Since } from "./Time";

const NOW = Date.UTC(2026, 10, 23, 12);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

describe("a countdown", () => {
  it("moves each second and says when the time has come", async () => {
    const { container } = render(<Countdown at={NOW + 3000} over="any moment" />);
    expect(container.textContent).toBe("3 s");
    await pass(1000);
    expect(container.textContent).toBe("2 s");
    await pass(2500);
    expect(container.textContent).toBe("any moment");
  });

  it("goes by the backend's clock, not this machine's", () => {
    observeBackendTime(NOW + 60_000, NOW, NOW);
    const { container } = render(<Countdown at={NOW + 70_000} />);
    expect(container.textContent).toBe("10 s");
  });

  it("stands still and shows a dash where nothing will happen by itself", () => {
    const { container } = render(<Countdown at={null} />);
    expect(container.textContent).toBe("–");
  });

  it("does not speak each second", () => {
    const { container } = render(<Countdown at={NOW + 3000} />);
    expect(container.querySelector("time")?.getAttribute("aria-live")).toBe("off");
  });
});

describe("since", () => {
  it("grows", async () => {
    const { container } = render(<Since at={NOW - 58_000} suffix=" ago" />);
    expect(container.textContent).toBe("58 s ago");
    await pass(3000);
    expect(container.textContent).toBe("1 min ago");
  });
});

describe("spans in words", () => {
  it("have at most two units", () => {
    expect(span(7_500_000)).toBe("2 h 5 min");
    expect(span(-5)).toBe("0 s");
    expect(countdown(3_609_000)).toBe("1:00:09");
    expect(countdown(125_000)).toBe("2:05");
    expect(duration(0.42)).toBe("0.4 ms");
    expect(duration(6020)).toBe("6.02 s");
    expect(duration(null)).toBe("–");
  });
});
