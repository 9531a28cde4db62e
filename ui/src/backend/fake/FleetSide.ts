import { OperationError } from "../failure";
import type {
  AuthorizePageDto,
  Backend,
  BaselineDto,
  CallUnderWayDto,
  CheckDto,
  DoctorDto,
  ImportDoneDto,
  ImportPlanDto,
  QuestionAnswerDto,
  QuestionDto,
  SecretListDto,
  SecretSetDto,
  ServerRowDto,
  SessionDto,
  SnapshotHistoryDto,
  WirePageDto,
} from "../port";
import { history } from "./detail";
import { facet } from "./fleet";
import { examined, importPlan } from "./imports";
import { wirePage } from "./wire";

/** The fake's side of the fleet: authorization, secrets, baselines, the wire. */
export abstract class FleetSide {
  abstract servers: ServerRowDto[];
  /** Names of the secrets that were set; no value is kept. */
  readonly secrets: string[] = [];
  readonly baselines = new Map<string, BaselineDto>();

  underWay: CallUnderWayDto[] = [];
  questions: QuestionDto[] = [];

  protected abstract now(): number;
  protected abstract note(operation: keyof Backend, argument?: unknown): void;

  async serverWire(server: string, afterSeq: number | null, limit: number): Promise<WirePageDto> {
    this.note("serverWire", { server, afterSeq });
    return wirePage(this.now(), server, afterSeq, limit);
  }

  async snapshotHistory(server: string, before: string | null): Promise<SnapshotHistoryDto> {
    this.note("snapshotHistory", { server, before });
    const row = this.servers.find((each) => each.server === server);
    return history(this.now(), row ?? null, this.baselines.get(server) ?? null);
  }

  async secretsList(): Promise<SecretListDto> {
    this.note("secretsList");
    return { names: this.secrets, place: "the keyring of this desktop" };
  }

  async serverAuthorize(server: string): Promise<AuthorizePageDto> {
    this.note("serverAuthorize", server);
    const until = this.now() + 300_000;
    this.connection(server, "authorizing", "a person authorizes ATT in the browser", until);
    return {
      server,
      url: "https://login.example.com/authorize?response_type=code&client_id=att&state=4f1c&resource=https%3A%2F%2Fmcp.example.com",
      until_ms: until,
    };
  }

  async authorizePageOpen(server: string): Promise<void> {
    this.note("authorizePageOpen", server);
  }

  async serverAuthorizeCancel(server: string): Promise<void> {
    this.note("serverAuthorizeCancel", server);
    this.connection(server, "auth_required", "it wants to know who asks (401)", null);
  }

  async serverForgetAuthorization(server: string): Promise<void> {
    this.note("serverForgetAuthorization", server);
  }

  async secretSet(name: string, value: string): Promise<SecretSetDto> {
    this.note("secretSet", { name, characters: value.length });
    this.secrets.push(name);
    return { name, place: "the keyring of this desktop" };
  }

  async snapshotAccept(server: string, snapshotId: string, reason: string): Promise<void> {
    this.note("snapshotAccept", { server, snapshotId, reason });
    const at_ms = this.now();
    this.baselines.set(server, { snapshot_id: snapshotId, at_ms, actor: "person ann (desktop)", reason });
  }

  async baselineClear(server: string, reason: string): Promise<void> {
    this.note("baselineClear", { server, reason });
    if (!this.baselines.delete(server)) {
      throw new OperationError({
        code: "not_found",
        message: `“${server}” has no baseline.`,
        cause: null,
        cure: null,
      });
    }
  }

  async callsUnderWay(): Promise<CallUnderWayDto[]> {
    this.note("callsUnderWay");
    return this.underWay;
  }

  async sessions(): Promise<SessionDto[]> {
    this.note("sessions");
    return this.servers.map((row) => ({
      server: row.server,
      generation: 3,
      active: row.facets.connection.state === "ready",
      initialized: row.facets.connection.state === "ready",
      last_activity_at_ms: row.latency_ms === null ? null : this.now() - 8000,
      freshness: row.latency_ms === null ? "unknown" : "active_recent",
    }));
  }

  async sessionInvalidate(server: string): Promise<void> {
    this.note("sessionInvalidate", server);
  }

  async sessionRefresh(server: string): Promise<void> {
    this.note("sessionRefresh", server);
  }

  async fleetConnectAll(servers: string[]): Promise<CheckDto> {
    this.note("fleetConnectAll", servers);
    return this.check();
  }

  async fleetRefreshAll(servers: string[]): Promise<CheckDto> {
    this.note("fleetRefreshAll", servers);
    return this.check();
  }

  async questionsList(): Promise<QuestionDto[]> {
    this.note("questionsList");
    return this.questions;
  }

  async questionAnswer(given: QuestionAnswerDto): Promise<void> {
    this.note("questionAnswer", given);
    this.questions = this.questions.filter((question) => question.id !== given.id);
  }

  async questionPageOpen(id: string): Promise<void> {
    this.note("questionPageOpen", id);
  }

  async importPlan(from: string, file: string | null): Promise<ImportPlanDto> {
    this.note("importPlan", { from, file });
    return importPlan();
  }

  async importApply(...given: Parameters<Backend["importApply"]>): Promise<ImportDoneDto> {
    const [from, , , digest, onConflict, only] = given;
    this.note("importApply", { from, digest, onConflict, only });
    return { added: only, replaced: [], kept: [], secrets: ["search-API_KEY"], problems: [] };
  }

  async serverWithdrawConsent(server: string): Promise<void> {
    this.note("serverWithdrawConsent", server);
  }

  async serverDoctor(server: string): Promise<DoctorDto> {
    this.note("serverDoctor", server);
    return examined(server, this.servers.find((row) => row.server === server)?.status === "healthy");
  }

  async serverAdd(server: string, entry: string): Promise<void> {
    this.note("serverAdd", { server, entry });
  }

  async serverRemove(server: string): Promise<void> {
    this.note("serverRemove", server);
    this.servers = this.servers.filter((row) => row.server !== server);
  }

  async serverRename(server: string, to: string): Promise<void> {
    this.note("serverRename", { server, to });
    this.servers = this.servers.map((row) => (row.server === server ? { ...row, server: to } : row));
  }

  async serverSet(server: string, key: string, value: string | null): Promise<void> {
    this.note("serverSet", { server, key, value });
  }

  private check(): CheckDto {
    const ready = (row: ServerRowDto) => row.facets.connection.state === "ready";
    const results = this.servers.filter(ready);
    const failures = this.servers.filter((row) => !ready(row));
    return { status: failures.length > 0 ? "partial" : "ok", results, failures, problems: [] };
  }

  private connection(server: string, state: string, reason: string, next: number | null): void {
    this.servers = this.servers.map((row) =>
      row.server === server
        ? {
            ...row,
            suggested_action: state === "authorizing" ? "none" : "authorize",
            facets: {
              ...row.facets,
              connection: facet(this.now(), state, 0, { reason, next_action_at_ms: next }),
            },
          }
        : row,
    );
  }
}
