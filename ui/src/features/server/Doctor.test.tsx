import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { demoFleet } from "@/backend/fake/fleet";
import { show } from "@/test/view";
import { ServerPage } from "./ServerPage";

const servers = demoFleet(Date.now());

describe("examining a server", () => {
  it("names the step that failed with its cure", async () => {
    const { calls } = show(<ServerPage server="flapping" />, { servers });
    fireEvent.click(await screen.findByTestId("server-doctor"));
    const failed = await screen.findByTestId("doctor-tcp");
    expect(failed.dataset.outcome).toBe("failed");
    expect(failed.textContent).toContain("What to do: Start it, or correct the port.");
    expect(screen.getByTestId("doctor-era").dataset.outcome).toBe("skipped");
    expect(screen.getByTestId("doctor").dataset.well).toBe("false");
    expect(calls("serverDoctor")).toEqual(["flapping"]);
  });

  it("says so when all is well", async () => {
    show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByTestId("server-doctor"));
    await waitFor(() => expect(screen.getByTestId("doctor").dataset.well).toBe("true"));
    expect(screen.getByText("Every step went well.")).toBeTruthy();
  });
});

describe("a consent", () => {
  it("can be taken back where it was given", async () => {
    const { calls } = show(<ServerPage server="everything" />, { servers });
    fireEvent.click(await screen.findByText("Command…"));
    fireEvent.click(await screen.findByTestId("command-withdraw"));
    await waitFor(() => expect(calls("serverWithdrawConsent")).toEqual(["everything"]));
    expect(screen.queryByTestId("command-approve")).toBeNull();
  });
});
