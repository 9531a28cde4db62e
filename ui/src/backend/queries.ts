import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { observeBackendTime } from "@/components/clock";
import { useBackend } from "./BackendProvider";
import { toOperationError } from "./failure";
import type { EventFilterDto, OperationError } from "./port";

/** The home as a whole; also keeps the clock of this window in step with the backend's. */
export function useSystem() {
  const backend = useBackend();
  return useQuery({
    queryKey: ["system"],
    queryFn: async () => {
      const asked = Date.now();
      const system = await backend.systemStatus();
      observeBackendTime(system.now_ms, asked, Date.now());
      return system;
    },
    refetchInterval: 10_000,
  });
}

/** Every server, one row each. */
export function useFleet() {
  const backend = useBackend();
  return useQuery({ queryKey: ["fleet"], queryFn: () => backend.fleetList() });
}

/** One server in depth. */
export function useServer(server: string) {
  const backend = useBackend();
  return useQuery({ queryKey: ["server", server], queryFn: () => backend.serverShow(server) });
}

/** The baseline, the drift from it, and the snapshots by the page, newest first. */
export function useSnapshotHistory(server: string) {
  const backend = useBackend();
  return useInfiniteQuery({
    queryKey: ["server", server, "history"],
    queryFn: ({ pageParam }) => backend.snapshotHistory(server, pageParam, null),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before,
    maxPages: 20,
  });
}

/** The difference between two snapshots, once both are chosen. */
export function useSnapshotDiff(server: string, from: string | null, to: string | null) {
  const backend = useBackend();
  return useQuery({
    queryKey: ["diff", server, from, to],
    queryFn: () => backend.snapshotDiff(server, from ?? "", to ?? ""),
    enabled: from !== null && to !== null && from !== to,
    // Snapshots are content-addressed: the same two ids always differ in the same way.
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
  });
}

/** The calls under way, while somebody looks. */
export function useCallsUnderWay() {
  const backend = useBackend();
  return useQuery({
    queryKey: ["calls"],
    queryFn: () => backend.callsUnderWay(),
    refetchInterval: 500,
    gcTime: 0,
  });
}

/** The newest events that fit the filter. */
export function useEvents(filter: EventFilterDto) {
  const backend = useBackend();
  return useQuery({
    queryKey: ["events", filter],
    queryFn: () => backend.eventsList(filter),
    placeholderData: keepPreviousData,
  });
}

/** Projects, targets with their chains, cycles. */
export function useReleases() {
  const backend = useBackend();
  return useQuery({ queryKey: ["releases"], queryFn: () => backend.releasesList() });
}

/** One cycle in depth. */
export function useCycle(cycleId: string) {
  const backend = useBackend();
  return useQuery({ queryKey: ["cycle", cycleId], queryFn: () => backend.cycleShow(cycleId) });
}

/** The tail of a stage's output. */
export function useStageOutput(cycleId: string, stage: string, running: boolean) {
  const backend = useBackend();
  return useQuery({
    queryKey: ["output", cycleId, stage],
    queryFn: () => backend.cycleOutput(cycleId, stage),
    refetchInterval: running ? 1000 : false,
  });
}

/** The inbox and the decisions. */
export function useDecisions() {
  const backend = useBackend();
  return useQuery({ queryKey: ["decisions"], queryFn: () => backend.decisionsList() });
}

/** The open questions of servers. */
export function useQuestions() {
  const backend = useBackend();
  return useQuery({ queryKey: ["decisions", "questions"], queryFn: () => backend.questionsList() });
}

/** The session of every server. */
export function useSessions() {
  const backend = useBackend();
  return useQuery({ queryKey: ["fleet", "sessions"], queryFn: () => backend.sessions() });
}

/** One decision in depth. */
export function useDecision(decisionId: string) {
  const backend = useBackend();
  return useQuery({ queryKey: ["decision", decisionId], queryFn: () => backend.decisionShow(decisionId) });
}

/** An acting operation: `act` runs it, then everything that may have changed is read again. */
export function useAct<A, T>(act: (argument: A) => Promise<T>, onDone?: (answer: T, argument: A) => void) {
  const client = useQueryClient();
  return useMutation<T, OperationError, A>({
    mutationFn: async (argument) => {
      try {
        return await act(argument);
      } catch (thrown) {
        throw toOperationError(thrown);
      }
    },
    onSuccess: (answer, argument) => onDone?.(answer, argument),
    onSettled: () => {
      for (const group of ["fleet", "server", "releases", "cycle", "decisions", "decision", "system"]) {
        void client.invalidateQueries({ queryKey: [group] });
      }
    },
  });
}
