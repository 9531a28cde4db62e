import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { FakeBackend } from "@/backend/fake/FakeBackend";
import { cycle, cycleSummary, deployment, releases, STAGES, target } from "@/backend/fake/releases";
import { pending, show } from "@/test/view";
import { CyclePage } from "./CyclePage";
import { arcs, links } from "./chainLayout";
import { ReleasesPage } from "./ReleasesPage";

const now = Date.now();

describe("releases", () => {
  it("shows the chain newest first and what is live", async () => {
    show(<ReleasesPage target={null} />);
    expect((await screen.findByTestId("chain-row-demo-2")).dataset.live).toBe("true");
    expect(screen.getByTestId("chain-row-demo-1").dataset.live).toBe("false");
    expect(screen.getAllByTestId(/^chain-row-/).map((row) => row.dataset.testid)).toEqual([
      "chain-row-demo-2",
      "chain-row-demo-1",
    ]);
  });

  it("starts the demo release and goes to its cycle", async () => {
    const { calls } = show(<ReleasesPage target={null} />);
    fireEvent.click(await screen.findByTestId("run-demo-release"));
    await waitFor(() => expect(window.location.hash).toBe("#/cycle/cyc-1"));
    expect(calls("releaseRunDemo")).toHaveLength(1);
  });

  it("says why the demo release was refused", async () => {
    show(<ReleasesPage target={null} />, {
      refuse: {
        releaseRunDemo: { code: "waits_for_person", message: "A decision waits.", cure: "Decide it first." },
      },
    });
    fireEvent.click(await screen.findByTestId("run-demo-release"));
    expect((await screen.findByTestId("run-demo-refused")).textContent).toBe(
      "A decision waits. Decide it first.",
    );
  });

  it("offers no demo release where the project is none", async () => {
    const { projects } = releases(now);
    show(<ReleasesPage target={null} />, {
      releases: { projects: projects.map((each) => ({ ...each, demo: false })) },
    });
    await screen.findByTestId("target-demo");
    expect(screen.queryByTestId("run-demo-release")).toBeNull();
  });

  it("proposes a rollback to an older release of the chain", async () => {
    const { calls } = show(<ReleasesPage target={null} />);
    expect(screen.queryByTestId("chain-rollback-demo-2")).toBeNull();
    fireEvent.click(await screen.findByTestId("chain-rollback-demo-1"));
    fireEvent.click(await screen.findByTestId("propose-rollback-act"));
    await waitFor(() => expect(calls("releaseRollback")).toEqual([{ target: "demo", releaseId: "demo-1" }]));
  });

  it("shows the commands of an att.toml before they are approved", async () => {
    const { projects } = releases(now);
    const { calls } = show(<ReleasesPage target={null} />, {
      releases: { projects: projects.map((each) => ({ ...each, config_approved: false })) },
    });
    fireEvent.click(await screen.findByTestId("config-show"));
    expect((await screen.findByTestId("config-commands")).textContent).toContain("./deploy.sh");
    fireEvent.change(screen.getByTestId("config-approve-reason"), { target: { value: "read them" } });
    fireEvent.click(screen.getByTestId("config-approve-act"));
    await waitFor(() =>
      expect(calls("projectApproveConfig")).toEqual([
        { project: "demo-service", digest: "c0ffee", reason: "read them" },
      ]),
    );
  });

  it("loads, is empty with a hint, and shows errors", async () => {
    vi.spyOn(FakeBackend.prototype, "releasesList").mockReturnValueOnce(pending());
    const loading = show(<ReleasesPage target={null} />);
    expect(screen.getByTestId("skeleton")).toBeTruthy();
    loading.unmount();
    const empty = show(<ReleasesPage target={null} />, { releases: { projects: [], targets: [] } });
    expect(await screen.findByText("No project yet")).toBeTruthy();
    empty.unmount();
    show(<ReleasesPage target={null} />, {
      refuse: { releasesList: { code: "journal_unavailable", message: "No journal." } },
    });
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("journal_unavailable");
  });
});

describe("the chain as drawn", () => {
  const chain = [
    deployment(now, "d3", "r1", { kind: "rollback", predecessor: "d2" }),
    deployment(now, "d2", "r2", { predecessor: "d1" }),
    deployment(now, "d1", "r1"),
  ];

  it("follows the predecessor links, not the order of the rows", () => {
    const skipping = [deployment(now, "d3", "r3", { predecessor: "d1" }), chain[1], chain[2]].filter(
      (d) => d !== undefined,
    );
    expect(links(skipping)).toEqual([
      { from: 0, to: 2 },
      { from: 1, to: 2 },
    ]);
  });

  it("has an arc from a rollback to the release it brought back", () => {
    expect(arcs(chain).map(({ from, to }) => ({ from, to }))).toEqual([{ from: 0, to: 2 }]);
    expect(arcs(target(now).chain)).toEqual([]);
  });
});

describe("a cycle", () => {
  function cyclePage(done: number, state = "running") {
    vi.spyOn(FakeBackend.prototype, "cycleShow").mockResolvedValue(
      cycle(
        now,
        cycleSummary(now, "cyc-1", { state: STAGES[done] ?? "rolled_back", decision_id: "dec-1" }),
        done,
        state,
      ),
    );
    return show(<CyclePage cycleId="cyc-1" />);
  }

  it("lights its stages up in the table's order, and one that did not run is not shown as passed", async () => {
    cyclePage(STAGES.indexOf("deploying"));
    expect((await screen.findByTestId("cycle-stage-testing")).dataset.state).toBe("passed");
    expect(screen.getByTestId("cycle-stage-deploying").dataset.state).toBe("running");
    expect(screen.getByTestId("cycle-stage-watching").dataset.state).toBe("not_run");
    expect(screen.getByTestId("cycle-stage-opening_pr").dataset.state).toBe("not_run");
    expect(screen.getByTestId("cycle-stage-opening_pr").textContent).toContain("no PR host");
    expect(screen.getAllByTestId(/^cycle-stage-/).map((each) => each.dataset.testid?.slice(12))).toEqual(
      STAGES,
    );
  });

  it("shows the output of a running stage without being asked", async () => {
    cyclePage(STAGES.indexOf("deploying"));
    const output = await screen.findByTestId("cycle-output-deploying");
    await waitFor(() => expect(output.textContent).toContain("line 1 of deploying"));
    expect(screen.queryByTestId("cycle-output-testing")).toBeNull();
  });

  it("leads to its decision and shows the readiness card", async () => {
    cyclePage(STAGES.indexOf("awaiting_approval"), "waiting");
    expect((await screen.findByTestId("cycle-decision-link")).getAttribute("href")).toBe("#/decision/dec-1");
    expect(screen.getByTestId("cycle-stage-health_checking").dataset.state).toBe("failed");
    expect(screen.getByTestId("readiness-deploy_failure").dataset.allowed).toBe("false");
  });

  it("is cancelled with a reason only", async () => {
    const { calls } = cyclePage(2);
    fireEvent.click(await screen.findByTestId("cycle-cancel"));
    const act = await screen.findByTestId<HTMLButtonElement>("cycle-cancel-act");
    expect(act.disabled).toBe(true);
    fireEvent.change(screen.getByTestId("cycle-cancel-reason"), { target: { value: "wrong branch" } });
    fireEvent.click(act);
    await waitFor(() => expect(calls("cycleCancel")).toEqual([{ id: "cyc-1", reason: "wrong branch" }]));
  });
});
