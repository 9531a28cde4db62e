import { QueryClient } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { BackendProvider } from "@/backend/BackendProvider";
import { FakeBackend, type FakeSeed } from "@/backend/fake/FakeBackend";

/** Lays out a view over an invented world; nothing re-reads by itself, so each test says when. */
export function show(view: ReactNode, seed: FakeSeed = {}) {
  const backend = new FakeBackend({ stageMs: null, ...seed });
  const client = new QueryClient({
    defaultOptions: {
      queries: { retry: false, networkMode: "always" },
      mutations: { networkMode: "always" },
    },
  });
  const page = render(
    <BackendProvider backend={backend} client={client}>
      {view}
    </BackendProvider>,
  );
  const calls = (operation: string) =>
    backend.calls.filter((call) => call.operation === operation).map((call) => call.argument);
  return { ...page, backend, client, calls };
}

/** A promise that never settles: the view stays loading. */
export function pending<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
