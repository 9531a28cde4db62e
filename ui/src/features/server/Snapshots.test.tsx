import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { detail } from "@/backend/fake/detail";
import { demoFleet } from "@/backend/fake/fleet";
import type { SnapshotSummaryDto } from "@/backend/port";
import { show } from "@/test/view";
import { Snapshots } from "./Snapshots";

const NEWEST = "b1946ac92492d2347c6235b4d2611184";
const FIRST = "0cc175b9c0f1b6a831c399e269772661";

function world(): { snapshots: SnapshotSummaryDto[] } {
  const drifting = demoFleet(Date.now()).find((row) => row.server === "drifting");
  if (!drifting) throw new Error("the demo has it");
  return detail(Date.now(), drifting);
}

const baselines = [
  { server: "drifting", snapshot_id: FIRST, at_ms: 1, actor: "person ann (desktop)", reason: "Read it" },
];

describe("the baseline", () => {
  it("is accepted with a reason, and it is the snapshot on screen that is accepted", async () => {
    const { calls } = show(<Snapshots server="drifting" snapshots={world().snapshots} />);
    fireEvent.click(await screen.findByTestId("baseline-accept"));
    const act = await screen.findByTestId<HTMLButtonElement>("baseline-accept-act");
    expect(act.disabled).toBe(true);
    fireEvent.change(screen.getByTestId("baseline-accept-reason"), { target: { value: "Read every tool" } });
    fireEvent.click(act);
    await waitFor(() => expect(screen.getByTestId("baseline").dataset.snapshot).toBe(NEWEST));
    expect(calls("snapshotAccept")).toEqual([
      { server: "drifting", snapshotId: NEWEST, reason: "Read every tool" },
    ]);
    expect(screen.getByTestId("baseline").textContent).toContain("Read every tool");
  });

  it("shows the drift from it and what is not callable", async () => {
    show(<Snapshots server="drifting" snapshots={world().snapshots} />, { baselines });
    const drift = await screen.findByTestId("drift");
    expect(drift.dataset).toMatchObject({ severity: "alarm", quarantined: "2" });
    expect(within(drift).getByTestId("quarantined-tool-echo").textContent).toContain("breaking change");
  });

  it("can be taken back, and a refusal is shown with its cure", async () => {
    const { calls } = show(<Snapshots server="drifting" snapshots={world().snapshots} />, {
      baselines,
      refuse: { baselineClear: { code: "denied", message: "Only a person may.", cure: "Use the desktop." } },
    });
    fireEvent.click(await screen.findByTestId("baseline-clear"));
    fireEvent.change(await screen.findByTestId("baseline-clear-reason"), { target: { value: "A mistake" } });
    fireEvent.click(screen.getByTestId("baseline-clear-act"));
    expect((await screen.findByTestId("error-panel")).textContent).toContain("Use the desktop.");
    expect(calls("baselineClear")).toEqual([{ server: "drifting", reason: "A mistake" }]);
  });

  it("is what the newest snapshot is compared with", async () => {
    const { calls } = show(<Snapshots server="drifting" snapshots={world().snapshots} />, { baselines });
    await screen.findByTestId("drift");
    expect(calls("snapshotDiff").at(-1)).toEqual({ from: FIRST, to: NEWEST });
    const row = screen.getByTestId(`snapshot-row-${FIRST}`);
    expect(row.dataset.baseline).toBe("true");
    expect(screen.getByTestId(`snapshot-row-${NEWEST}`).dataset.severity).toBe("alarm");
  });
});
