import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { OperationError } from "./failure";
import type { Backend } from "./port";
import { Refresher } from "./refresher";

const BackendContext = createContext<Backend | null>(null);

/** The query client with this window's habits: no blind retries of a refusal, a slow re-read as safety net. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1000,
        gcTime: 60_000,
        networkMode: "always",
        refetchInterval: 15_000,
        retry: (count, error) =>
          count < 2 && error instanceof OperationError && error.report.code === "internal",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}

/** Gives the views their backend, and re-reads what a notice says is old. */
export function BackendProvider({
  backend,
  client: given,
  children,
}: {
  backend: Backend;
  client?: QueryClient;
  children: ReactNode;
}) {
  const [client] = useState(() => given ?? makeQueryClient());
  useEffect(() => {
    const refresher = new Refresher(client);
    return backend.onNotice((notice) => refresher.notice(notice.topic));
  }, [backend, client]);
  return (
    <BackendContext.Provider value={backend}>
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    </BackendContext.Provider>
  );
}

/** The backend of this window. */
export function useBackend(): Backend {
  const backend = useContext(BackendContext);
  if (!backend) throw new Error("BackendProvider is missing above this view");
  return backend;
}
