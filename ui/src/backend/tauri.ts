import { listen } from "@tauri-apps/api/event";
import { commands, type ErrorDto, type Notice } from "./bindings";
import { toOperationError } from "./failure";
import type { Backend } from "./port";

type Answer<T> = { status: "ok"; data: T } | { status: "error"; error: ErrorDto };

async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  let settled: Answer<T>;
  try {
    settled = await answer;
  } catch (thrown) {
    throw toOperationError(thrown);
  }
  if (settled.status === "ok") return settled.data;
  throw toOperationError(settled.error);
}

async function done(answer: Promise<Answer<null>>): Promise<void> {
  await unwrap(answer);
}

/** The program behind the window, over Tauri's invoke and its `notice` event. */
export const tauriBackend: Backend = {
  systemStatus: () => unwrap(commands.systemStatus()),
  fleetList: () => unwrap(commands.fleetList()),
  serverShow: (server) => unwrap(commands.serverShow(server)),
  snapshotShow: (server, id) => unwrap(commands.snapshotShow(server, id)),
  snapshotDiff: (server, from, to) => unwrap(commands.snapshotDiff(server, from, to)),
  eventsList: (filter) => unwrap(commands.eventsList(filter)),
  releasesList: () => unwrap(commands.releasesList()),
  cycleShow: (id) => unwrap(commands.cycleShow(id)),
  cycleOutput: (id, stage) => unwrap(commands.cycleOutput(id, stage)),
  decisionsList: () => unwrap(commands.decisionsList()),
  decisionShow: (id) => unwrap(commands.decisionShow(id)),
  journalVerify: () => unwrap(commands.journalVerify()),
  serverWire: (server, after, limit) => unwrap(commands.serverWire(server, after, limit)),
  snapshotHistory: (server, before, limit) => unwrap(commands.snapshotHistory(server, before, limit)),
  secretsList: () => unwrap(commands.secretsList()),
  callsUnderWay: () => unwrap(commands.callsUnderWay()),
  sessions: () => unwrap(commands.sessions()),
  questionsList: () => unwrap(commands.questionsList()),
  importPlan: (from, file, folder) => unwrap(commands.importPlan(from, file, folder)),

  serverRetry: (server) => done(commands.serverRetry(server)),
  serverSetEnabled: (server, enabled) => done(commands.serverSetEnabled(server, enabled)),
  serverRefresh: (server) => done(commands.serverRefresh(server)),
  serverApproveCommand: (server, digest) => done(commands.serverApproveCommand(server, digest)),
  serverCall: (request) => unwrap(commands.serverCall(request)),
  callCancel: (id) => done(commands.callCancel(id)),
  fleetReload: () => done(commands.fleetReload()),
  releaseRun: (request) => unwrap(commands.releaseRun(request)),
  releaseRunDemo: () => unwrap(commands.releaseRunDemo()),
  releaseRollback: (target, releaseId) => unwrap(commands.releaseRollback(target, releaseId)),
  cycleCancel: (id, reason) => done(commands.cycleCancel(id, reason)),
  cycleContinue: (id, reason) => done(commands.cycleContinue(id, reason)),
  projectApproveConfig: (project, digest, reason) =>
    done(commands.projectApproveConfig(project, digest, reason)),
  decisionApprove: (approval) => unwrap(commands.decisionApprove(approval)),
  decisionReject: (id, version, reason) => unwrap(commands.decisionReject(id, version, reason)),
  decisionEvaluateAgain: (id) => unwrap(commands.decisionEvaluateAgain(id)),
  interruptionAcknowledge: (id, note) => done(commands.interruptionAcknowledge(id, note)),
  operatorStatement: (id, live, next, reason) => done(commands.operatorStatement(id, live, next, reason)),
  safeModeSet: (on, reason) => done(commands.safeModeSet(on, reason)),
  serverAuthorize: (server) => unwrap(commands.serverAuthorize(server)),
  authorizePageOpen: (server) => done(commands.authorizePageOpen(server)),
  serverAuthorizeCancel: (server) => done(commands.serverAuthorizeCancel(server)),
  serverForgetAuthorization: (server) => done(commands.serverForgetAuthorization(server)),
  secretSet: (name, value) => unwrap(commands.secretSet(name, value)),
  snapshotAccept: (server, id, reason) => done(commands.snapshotAccept(server, id, reason)),
  baselineClear: (server, reason) => done(commands.baselineClear(server, reason)),
  fleetConnectAll: (servers) => unwrap(commands.fleetConnectAll(servers)),
  fleetRefreshAll: (servers) => unwrap(commands.fleetRefreshAll(servers)),
  sessionInvalidate: (server) => done(commands.sessionInvalidate(server)),
  sessionRefresh: (server) => done(commands.sessionRefresh(server)),
  questionAnswer: (given) => done(commands.questionAnswer(given)),
  questionPageOpen: (id) => done(commands.questionPageOpen(id)),
  importApply: (from, file, folder, digest, onConflict, only) =>
    unwrap(commands.importApply(from, file, folder, digest, onConflict, only)),
  serverWithdrawConsent: (server) => done(commands.serverWithdrawConsent(server)),
  serverDoctor: (server) => unwrap(commands.serverDoctor(server)),
  serverAdd: (server, entry) => done(commands.serverAdd(server, entry)),
  serverRemove: (server) => done(commands.serverRemove(server)),
  serverRename: (server, to) => done(commands.serverRename(server, to)),
  serverSet: (server, key, value) => done(commands.serverSet(server, key, value)),

  onNotice(listener) {
    let stopped = false;
    let unlisten: (() => void) | undefined;
    listen<Notice>("notice", (event) => listener(event.payload)).then(
      (stop) => {
        if (stopped) stop();
        else unlisten = stop;
      },
      // Without notices the views still read again by themselves, only later.
      () => undefined,
    );
    return () => {
      stopped = true;
      unlisten?.();
    };
  },
};
