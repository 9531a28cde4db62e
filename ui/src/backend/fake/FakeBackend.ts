import { OperationError } from "../failure";
import type {
  Backend,
  BaselineDto,
  CycleDto,
  DecisionDto,
  DecisionsDto,
  EventDto,
  FleetDto,
  Notice,
  QuestionDto,
  ReleasesDto,
  ServerRowDto,
  SystemDto,
  Topic,
} from "../port";
import { decision, decisionSummary, interruption } from "./decision";
import { detail, diff, snapshot } from "./detail";
import { FleetSide } from "./FleetSide";
import { attempt, demoFleet } from "./fleet";
import { questionInterruption } from "./questions";
import { cycle, cycleSummary, deployment, releases, STAGES } from "./releases";

/** What a fake world begins with; whatever is left out is the demo. */
export interface FakeSeed {
  now?: () => number;
  servers?: ServerRowDto[];
  system?: Partial<SystemDto>;
  releases?: Partial<ReleasesDto>;
  decision?: DecisionDto;
  events?: EventDto[];
  questions?: QuestionDto[];
  baselines?: (BaselineDto & { server: string })[];
  /** How long a stage of the demo release takes; null keeps it where it is. */
  stageMs?: number | null;
  /** Operations that are refused, by name. */
  refuse?: Partial<Record<keyof Backend, { code: string; message: string; cause?: string; cure?: string }>>;
}

function refusal(code: string, message: string, cure: string | null = null): OperationError {
  return new OperationError({ code, message, cause: null, cure });
}

/** An invented world behind the port: for tests of the views, and for looking at them in a plain browser. */
export class FakeBackend extends FleetSide implements Backend {
  readonly calls: { operation: string; argument: unknown }[] = [];
  servers: ServerRowDto[];
  decision: DecisionDto | null;
  private readonly listeners = new Set<(notice: Notice) => void>();
  private readonly seed: FakeSeed;
  private readonly world: ReleasesDto;
  private cycle: CycleDto | null = null;
  private version = 0;

  constructor(seed: FakeSeed = {}) {
    super();
    this.seed = seed;
    this.servers = seed.servers ?? demoFleet(this.now());
    this.world = releases(this.now(), seed.releases);
    this.decision = seed.decision ?? null;
    if (this.decision) this.cycle = this.cycleOf(this.decision);
    this.questions = seed.questions ?? [];
    for (const baseline of seed.baselines ?? []) this.baselines.set(baseline.server, baseline);
  }

  /** Tells the window that something changed. */
  notify(topic: Topic): void {
    this.version += 1;
    for (const listener of this.listeners) listener({ topic, version: this.version });
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async systemStatus(): Promise<SystemDto> {
    this.note("systemStatus");
    return {
      version: "0.1.0",
      home: "/home/ann/att/.demo",
      demo: true,
      engine: { running: true, pid: 4242, face: "desktop" },
      now_ms: this.now(),
      config_problems: [],
      journal_problem: null,
      safe_mode: null,
      open_interruptions: (this.waiting() ? 1 : 0) + this.questions.length,
      acting_refused: false,
      ...this.seed.system,
    };
  }

  async fleetList(): Promise<FleetDto> {
    this.note("fleetList");
    return {
      engine: { running: true, pid: 4242, face: "desktop" },
      as_of_ms: this.now(),
      servers: this.servers,
    };
  }

  async serverShow(server: string) {
    this.note("serverShow", server);
    const row = this.servers.find((each) => each.server === server);
    if (!row)
      throw refusal("not_found", `There is no server “${server}”.`, "See the names in the Fleet view.");
    return detail(this.now(), row);
  }

  async snapshotShow(_server: string, id: string) {
    return snapshot(this.now(), id);
  }

  async snapshotDiff(_server: string, from: string, to: string) {
    this.note("snapshotDiff", { from, to });
    return diff(from, to);
  }

  async eventsList(filter: Parameters<Backend["eventsList"]>[0]): Promise<EventDto[]> {
    this.note("eventsList", filter);
    const events =
      this.seed.events ??
      Array.from({ length: 200 }, (_, i) => ({
        id: `01J${String(i).padStart(5, "0")}`,
        kind: i % 3 === 0 ? "HealthChanged" : i % 3 === 1 ? "InvocationPhase" : "ConnectionChanged",
        server: this.servers[i % Math.max(1, this.servers.length)]?.server ?? "everything",
        generation: 1 + (i % 4),
        at_ms: this.now() - i * 4000,
        correlation_id: i % 3 === 1 ? "4bf92f3577b34da6a3ce929d0e0e4736" : null,
        text:
          i % 3 === 0
            ? "health: healthy to degraded (slow)"
            : i % 3 === 1
              ? "invoke_success tools/call echo"
              : "connection: ready to backoff",
        body: JSON.stringify({ from: "healthy", to: "degraded" }),
      }));
    return events.filter(
      (event) =>
        (!filter.server || event.server === filter.server) &&
        (!filter.kind || event.kind === filter.kind) &&
        (!filter.correlation_id || event.correlation_id === filter.correlation_id),
    );
  }

  async releasesList(): Promise<ReleasesDto> {
    this.note("releasesList");
    return {
      ...this.world,
      cycles: this.cycle ? [this.cycle.summary, ...this.world.cycles] : this.world.cycles,
    };
  }

  async cycleShow(id: string): Promise<CycleDto> {
    this.note("cycleShow", id);
    if (this.cycle?.summary.id !== id) throw refusal("not_found", `There is no cycle “${id}”.`);
    return this.cycle;
  }

  async cycleOutput(_id: string, stage: string) {
    return {
      text: `$ ./${stage}.sh\nline 1 of ${stage}\nline 2 of ${stage}\n`,
      truncated: stage === "testing",
    };
  }

  async decisionsList(): Promise<DecisionsDto> {
    this.note("decisionsList");
    const asked = this.questions.map((question) => questionInterruption(this.now(), question));
    const waits = this.decision && this.waiting();
    return {
      interruptions: waits
        ? [interruption(this.now(), { decision_id: this.decision?.summary.id ?? null }), ...asked]
        : asked,
      decisions: this.decision ? [this.decision.summary] : [],
    };
  }

  async decisionShow(id: string): Promise<DecisionDto> {
    this.note("decisionShow", id);
    if (this.decision?.summary.id !== id) throw refusal("not_found", `There is no decision “${id}”.`);
    return this.decision;
  }

  async journalVerify() {
    this.note("journalVerify");
    return {
      ok: true,
      entries: 128,
      head_sequence: 128,
      head_hash: "2cf24dba5fb0a30e26e83b2ac5b9e29e",
      first_bad_sequence: null,
      problem: null,
    };
  }

  async serverRetry(server: string): Promise<void> {
    this.note("serverRetry", server);
  }

  async serverSetEnabled(server: string, enabled: boolean): Promise<void> {
    this.note("serverSetEnabled", { server, enabled });
  }

  async serverRefresh(server: string): Promise<void> {
    this.note("serverRefresh", server);
  }

  async serverApproveCommand(server: string, digest: string): Promise<void> {
    this.note("serverApproveCommand", { server, digest });
  }

  async serverCall(request: Parameters<Backend["serverCall"]>[0]): ReturnType<Backend["serverCall"]> {
    this.note("serverCall", request);
    const server = request.server ?? "everything";
    return {
      request_id: request.request_id,
      correlation_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      result: JSON.stringify({
        content: [
          { type: "text", text: `${request.name} was called with ${request.arguments ?? "nothing"}` },
        ],
      }),
      failure: null,
      attempts: [attempt(server, { stage: "invoke", connect_ms: null, total_ms: 3.2, first_byte_ms: 2.9 })],
    };
  }

  async callCancel(id: string): Promise<void> {
    this.note("callCancel", id);
  }

  async fleetReload(): Promise<void> {
    this.note("fleetReload");
  }

  async releaseRun() {
    return this.releaseRunDemo();
  }

  async releaseRunDemo() {
    this.note("releaseRunDemo");
    const summary = cycleSummary(this.now(), "cyc-1", { state: "preparing", summary: "It is under way." });
    this.cycle = cycle(this.now(), summary, 0);
    this.advance(0, STAGES.indexOf("awaiting_approval"));
    return summary;
  }

  async releaseRollback(target: string, releaseId: string) {
    this.note("releaseRollback", { target, releaseId });
    return cycleSummary(this.now(), "cyc-1", { kind: "rollback" });
  }

  async cycleCancel(id: string, reason: string): Promise<void> {
    this.note("cycleCancel", { id, reason });
  }

  async cycleContinue(id: string, reason: string): Promise<void> {
    this.note("cycleContinue", { id, reason });
  }

  async projectApproveConfig(project: string, digest: string, reason: string): Promise<void> {
    this.note("projectApproveConfig", { project, digest, reason });
  }

  async decisionApprove(approval: Parameters<Backend["decisionApprove"]>[0]): Promise<DecisionDto> {
    this.note("decisionApprove", approval);
    return this.answer("executing", approval.reason);
  }

  async decisionReject(id: string, version: number, reason: string): Promise<DecisionDto> {
    this.note("decisionReject", { id, version, reason });
    return this.answer("rejected", reason);
  }

  async decisionEvaluateAgain(id: string): Promise<DecisionDto> {
    this.note("decisionEvaluateAgain", id);
    return this.decisionShow(id);
  }

  async interruptionAcknowledge(id: string, note: string): Promise<void> {
    this.note("interruptionAcknowledge", { id, note });
  }

  async operatorStatement(...statement: Parameters<Backend["operatorStatement"]>): Promise<void> {
    this.note("operatorStatement", statement);
  }

  async safeModeSet(on: boolean, reason: string): Promise<void> {
    this.note("safeModeSet", { on, reason });
  }

  protected now(): number {
    return this.seed.now ? this.seed.now() : Date.now();
  }

  protected note(operation: keyof Backend, argument: unknown = null): void {
    this.calls.push({ operation, argument });
    const refused = this.seed.refuse?.[operation];
    if (refused) throw new OperationError({ cause: null, cure: null, ...refused });
  }

  private waiting(): boolean {
    return this.decision?.summary.state === "awaiting_approval";
  }

  private cycleOf(of: DecisionDto): CycleDto {
    const { cycle_id: id, id: decisionId } = of.summary;
    const summary = cycleSummary(this.now() - 40_000, id, {
      state: "awaiting_approval",
      summary: of.summary.verdict,
      decision_id: decisionId,
    });
    return cycle(this.now(), summary, STAGES.indexOf("awaiting_approval"), "waiting");
  }

  private answer(state: string, reason: string): DecisionDto {
    if (!this.decision) throw refusal("not_found", "There is no decision.");
    const { decision: old } = this;
    const actor = "person ann (desktop)";
    this.decision = {
      ...old,
      summary: { ...old.summary, state },
      actions: [],
      approval: old.approval && {
        ...old.approval,
        state: state === "rejected" ? "rejected" : "consumed",
        actor,
        reason,
      },
      history: [
        ...old.history,
        { at_ms: this.now(), actor, text: state === "rejected" ? "Rejected." : "Approved." },
      ],
    };
    if (state === "executing") this.advance(STAGES.indexOf("rolling_back"), STAGES.length);
    return this.decision;
  }

  /** Lets the cycle's stages pass one after the other up to `end`. */
  private advance(from: number, end: number): void {
    const pause = this.seed.stageMs === undefined ? 900 : this.seed.stageMs;
    if (pause === null || !this.cycle) return;
    const old = this.cycle.summary;
    const state = STAGES[from] ?? "rolled_back";
    const over = from >= STAGES.length;
    const summary = {
      ...old,
      state,
      terminal: over,
      summary: over ? "Rolled back to demo-2." : "It is under way.",
    };
    if (from === end && !over) {
      this.decision = decision(this.now(), decisionSummary(this.now(), { at_ms: this.now() }));
      summary.decision_id = this.decision.summary.id;
      this.deployed();
    }
    this.cycle = cycle(this.now(), summary, from, from === end ? "waiting" : "running");
    if (over && this.decision) {
      this.decision = { ...this.decision, summary: { ...this.decision.summary, state: "succeeded" } };
      this.rolledBack();
    }
    for (const topic of ["releases", "decisions", "output"] as const) this.notify(topic);
    if (from < end) setTimeout(() => this.advance(from + 1, end), pause);
  }

  private deployed(): void {
    this.change(
      "demo-3",
      deployment(this.now(), "d3", "demo-3", {
        health: "unhealthy",
        subject: "Answer faster",
        cycle_id: "cyc-1",
      }),
    );
  }

  private rolledBack(): void {
    this.change("demo-2", deployment(this.now(), "d4", "demo-2", { kind: "rollback", cycle_id: "cyc-1" }));
  }

  private change(live: string, next: ReturnType<typeof deployment>): void {
    const on = this.world.targets[0];
    if (!on) return;
    const before = on.chain[0];
    on.chain = [
      {
        ...next,
        live: true,
        at_ms: this.now(),
        predecessor: before?.id ?? null,
        predecessor_release_id: before?.release_id ?? null,
      },
      ...on.chain.map((each) => ({ ...each, live: false })),
    ];
    on.live_release_id = live;
    on.generation += 1;
  }
}
