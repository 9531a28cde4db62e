import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "@/test/view";
import { entryFor, parts } from "./AddServer";
import { FleetPage } from "./FleetPage";

describe("adding a server", () => {
  it("shows the entry before it writes it", async () => {
    const { calls } = show(<FleetPage />);
    fireEvent.click(await screen.findByTestId("server-add"));
    fireEvent.change(await screen.findByTestId("server-add-name"), { target: { value: "files" } });
    const act = screen.getByTestId<HTMLButtonElement>("server-add-act");
    expect(act.disabled).toBe(true);
    fireEvent.change(screen.getByTestId("server-add-endpoint"), { target: { value: "npx -y 'my server'" } });
    expect(JSON.parse(screen.getByTestId("server-add-entry").textContent ?? "")).toEqual({
      command: "npx",
      args: ["-y", "my server"],
    });
    fireEvent.click(act);
    await waitFor(() => expect(screen.queryByTestId("server-add-name")).toBeNull());
    expect(calls("serverAdd")).toEqual([
      { server: "files", entry: '{"command":"npx","args":["-y","my server"]}' },
    ]);
  });

  it("stays open with the reader's words when it is refused", async () => {
    show(<FleetPage />, {
      refuse: { serverAdd: { code: "conflict", message: "`files` stands there already" } },
    });
    fireEvent.click(await screen.findByTestId("server-add"));
    fireEvent.change(await screen.findByTestId("server-add-name"), { target: { value: "files" } });
    fireEvent.change(screen.getByTestId("server-add-endpoint"), { target: { value: "http://[::1]:1/mcp" } });
    fireEvent.click(screen.getByTestId("server-add-act"));
    expect((await screen.findByTestId("error-panel")).textContent).toContain("stands there already");
    expect(screen.getByTestId<HTMLInputElement>("server-add-name").value).toBe("files");
  });

  it("reads a command line as a shell would part it, and nothing more", () => {
    expect(parts(`a  b "c d" 'e "f' g""h ''`)).toEqual(["a", "b", "c d", 'e "f', "gh", ""]);
    expect(parts("a 'b")).toBeNull();
    expect(parts("$HOME/x; rm")).toEqual(["$HOME/x;", "rm"]);
    expect(entryFor("https://mcp.example.com/mcp")).toEqual({ url: "https://mcp.example.com/mcp" });
    expect(entryFor("  ")).toBeNull();
  });
});
