import { useSyncExternalStore } from "react";

let offsetMs = 0;
let lastTick = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Notes what the backend's clock showed between `asked` and `answered` on ours. */
export function observeBackendTime(backendNowMs: number | null, asked: number, answered: number): void {
  if (backendNowMs === null) return;
  const offset = backendNowMs - (asked + answered) / 2;
  // A few milliseconds of jitter would only make countdowns tremble.
  if (Math.abs(offset - offsetMs) > 250) offsetMs = offset;
}

/** Now, on the backend's clock, Unix ms. */
export function backendNow(): number {
  return Date.now() + offsetMs;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    lastTick = backendNow();
    timer = setInterval(() => {
      if (document.visibilityState === "hidden") return;
      lastTick = backendNow();
      for (const each of listeners) each();
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function snapshot(): number {
  // React asks twice and wants the same answer, so even an unwatched clock moves in whole steps.
  if (timer === undefined && Math.abs(backendNow() - lastTick) >= 1000) lastTick = backendNow();
  return lastTick;
}

/** Now on the backend's clock, moving once a second. One timer serves every countdown on screen. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, snapshot);
}

/** For tests: forget the offset. */
export function resetClock(): void {
  offsetMs = 0;
  lastTick = 0;
}
