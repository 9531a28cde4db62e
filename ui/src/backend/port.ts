import type {
  ApproveDto,
  AuthorizePageDto,
  CallAnswerDto,
  CallRequestDto,
  CallUnderWayDto,
  CheckDto,
  CycleDto,
  CycleSummaryDto,
  DecisionDto,
  DecisionsDto,
  DoctorDto,
  EventDto,
  EventFilterDto,
  FleetDto,
  ImportDoneDto,
  ImportPlanDto,
  JournalVerifyDto,
  Notice,
  QuestionAnswerDto,
  QuestionDto,
  ReleaseRequestDto,
  ReleasesDto,
  SecretListDto,
  SecretSetDto,
  ServerDetailDto,
  SessionDto,
  SnapshotDiffDto,
  SnapshotDto,
  SnapshotHistoryDto,
  StageOutputDto,
  SystemDto,
  WirePageDto,
} from "./bindings";

export type * from "./bindings";
export { OperationError } from "./failure";

/** Where a person says a cycle goes on after its outside state was unknown. */
export type NextAfterStatement = "deciding" | "failed" | "cancelled";

/** Everything the window may ask of the program behind it. Each refusal is thrown as an `OperationError`. */
export interface Backend {
  systemStatus(): Promise<SystemDto>;
  fleetList(): Promise<FleetDto>;
  serverShow(server: string): Promise<ServerDetailDto>;
  snapshotShow(server: string, snapshotId: string): Promise<SnapshotDto>;
  snapshotDiff(server: string, from: string, to: string): Promise<SnapshotDiffDto>;
  eventsList(filter: EventFilterDto): Promise<EventDto[]>;
  releasesList(): Promise<ReleasesDto>;
  cycleShow(cycleId: string): Promise<CycleDto>;
  cycleOutput(cycleId: string, stage: string): Promise<StageOutputDto>;
  decisionsList(): Promise<DecisionsDto>;
  decisionShow(decisionId: string): Promise<DecisionDto>;
  journalVerify(): Promise<JournalVerifyDto>;
  serverWire(server: string, afterSeq: number | null, limit: number): Promise<WirePageDto>;
  snapshotHistory(server: string, before: string | null, limit: number | null): Promise<SnapshotHistoryDto>;
  secretsList(): Promise<SecretListDto>;
  callsUnderWay(): Promise<CallUnderWayDto[]>;
  sessions(): Promise<SessionDto[]>;
  questionsList(): Promise<QuestionDto[]>;
  importPlan(from: string, file: string | null, folder: string | null): Promise<ImportPlanDto>;

  serverRetry(server: string): Promise<void>;
  serverSetEnabled(server: string, enabled: boolean): Promise<void>;
  serverRefresh(server: string): Promise<void>;
  serverApproveCommand(server: string, digest: string): Promise<void>;
  serverCall(request: CallRequestDto): Promise<CallAnswerDto>;
  callCancel(requestId: string): Promise<void>;
  fleetReload(): Promise<void>;
  releaseRun(request: ReleaseRequestDto): Promise<CycleSummaryDto>;
  releaseRunDemo(): Promise<CycleSummaryDto>;
  releaseRollback(target: string, releaseId: string): Promise<CycleSummaryDto>;
  cycleCancel(cycleId: string, reason: string): Promise<void>;
  cycleContinue(cycleId: string, reason: string): Promise<void>;
  projectApproveConfig(project: string, digest: string, reason: string): Promise<void>;
  decisionApprove(approval: ApproveDto): Promise<DecisionDto>;
  decisionReject(decisionId: string, version: number, reason: string): Promise<DecisionDto>;
  decisionEvaluateAgain(decisionId: string): Promise<DecisionDto>;
  interruptionAcknowledge(interruptionId: string, note: string): Promise<void>;
  operatorStatement(
    cycleId: string,
    liveReleaseId: string | null,
    next: NextAfterStatement,
    reason: string,
  ): Promise<void>;
  safeModeSet(on: boolean, reason: string): Promise<void>;
  serverAuthorize(server: string): Promise<AuthorizePageDto>;
  /** Opens the page that `serverAuthorize` named for this server; the window names no address. */
  authorizePageOpen(server: string): Promise<void>;
  serverAuthorizeCancel(server: string): Promise<void>;
  serverForgetAuthorization(server: string): Promise<void>;
  secretSet(name: string, value: string): Promise<SecretSetDto>;
  snapshotAccept(server: string, snapshotId: string, reason: string): Promise<void>;
  baselineClear(server: string, reason: string): Promise<void>;
  /** Every enabled server, where no name is given. */
  fleetConnectAll(servers: string[]): Promise<CheckDto>;
  fleetRefreshAll(servers: string[]): Promise<CheckDto>;
  sessionInvalidate(server: string): Promise<void>;
  sessionRefresh(server: string): Promise<void>;
  questionAnswer(given: QuestionAnswerDto): Promise<void>;
  /** Opens the page that this question names; the window names no address. */
  questionPageOpen(questionId: string): Promise<void>;
  /** Does what the plan of this digest showed. */
  importApply(
    from: string,
    file: string | null,
    folder: string | null,
    digest: string,
    onConflict: string,
    only: string[],
  ): Promise<ImportDoneDto>;
  serverWithdrawConsent(server: string): Promise<void>;
  /** Walks the way to the server over a connection of its own. */
  serverDoctor(server: string): Promise<DoctorDto>;
  /** `entry` is the server's JSON object as in mcp.json. */
  serverAdd(server: string, entry: string): Promise<void>;
  serverRemove(server: string): Promise<void>;
  serverRename(server: string, to: string): Promise<void>;
  serverSet(server: string, key: string, value: string | null): Promise<void>;

  /** Calls `listener` for each notice until the returned function is called. */
  onNotice(listener: (notice: Notice) => void): () => void;
}
