import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { FleetPage } from "@/features/fleet/FleetPage";
import { show } from "@/test/view";

async function looked(seed = {}) {
  const page = show(<FleetPage />, seed);
  fireEvent.click(await screen.findByTestId("import-open"));
  fireEvent.change(await screen.findByTestId("import-from"), { target: { value: "cursor" } });
  fireEvent.click(screen.getByTestId("import-look"));
  return page;
}

describe("taking servers over", () => {
  it("shows the exact command before anything is done", async () => {
    const { calls } = await looked();
    const server = await screen.findByTestId("import-server-search");
    expect(server.textContent).toContain("npx -y search-server --depth 3");
    expect(server.textContent).toContain("search-API_KEY");
    expect(screen.getByTestId("import-server-broken").querySelector("input")?.disabled).toBe(true);
    expect(calls("importPlan")).toEqual([{ from: "cursor", file: null }]);
    expect(calls("importApply")).toEqual([]);
  });

  it("does what was chosen of what was shown, by its digest", async () => {
    const { calls } = await looked();
    const taken = await screen.findByTestId("import-server-everything");
    fireEvent.change(screen.getByTestId("import-conflict"), { target: { value: "rename" } });
    const box = taken.querySelector("input");
    if (!box) throw new Error("no box");
    fireEvent.click(box);
    fireEvent.click(screen.getByTestId("import-apply"));
    expect((await screen.findByTestId("import-done")).textContent).toContain("1 server taken over");
    expect(calls("importApply")).toEqual([
      { from: "cursor", digest: "7d793037a0760186574b0282f2f435e7", onConflict: "rename", only: ["search"] },
    ]);
    await waitFor(() => expect(screen.queryByTestId("import-apply")).toBeNull());
  });

  it("another source has to be looked at before it can be taken", async () => {
    await looked();
    await screen.findByTestId("import-plan");
    fireEvent.change(screen.getByTestId("import-from"), { target: { value: "codex" } });
    await waitFor(() => expect(screen.queryByTestId("import-plan")).toBeNull());
    expect(screen.queryByTestId("import-apply")).toBeNull();
  });

  it("says why nothing could be read", async () => {
    await looked({ refuse: { importPlan: { code: "not_found", message: "There is no such file." } } });
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("not_found");
  });
});
