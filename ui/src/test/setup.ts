import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { resetClock } from "@/components/clock";

// A failure names what is missing; the whole page printed below it only hides that.
configure({
  getElementError: (message) => new Error(message ?? "not found"),
  asyncUtilTimeout: 3000,
});

// happy-dom lays nothing out, and a virtual list shows only what fits into a height: a room of 600, rows of 36.
Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 600 });
Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 1000 });
Object.defineProperty(HTMLElement.prototype, "offsetHeight", { configurable: true, get: () => 36 });

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  resetClock();
  window.location.hash = "";
});
