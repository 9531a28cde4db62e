import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { locked } from "@/backend/fake/fleet";
import { show } from "@/test/view";
import { FleetPage } from "./FleetPage";
import { missingSecret } from "./SecretAction";

const servers = () => locked(Date.now());

describe("a server that wants to know who asks", () => {
  it("shows the host and the whole address before anything is opened", async () => {
    const { calls } = show(<FleetPage />, { servers: servers() });
    fireEvent.click(await screen.findByTestId("server-row-tickets-authorize"));
    expect((await screen.findByTestId("authorize-host")).textContent).toBe("login.example.com");
    expect(screen.getByTestId("authorize-url").textContent).toContain("client_id=att");
    expect(calls("serverAuthorize")).toEqual(["tickets"]);
    expect(calls("authorizePageOpen")).toEqual([]);
    expect(document.querySelector("a[href^='http']")).toBeNull();
  });

  it("opens the page only on the click, then waits", async () => {
    const { calls } = show(<FleetPage />, { servers: servers() });
    fireEvent.click(await screen.findByTestId("server-row-tickets-authorize"));
    await screen.findByTestId("authorize-host");
    fireEvent.click(screen.getByTestId("authorize-open"));
    await screen.findByText("Waiting for your answer in the browser");
    expect(calls("authorizePageOpen")).toEqual(["tickets"]);
    expect(screen.getByTestId("authorize-dialog").dataset.state).toBe("authorizing");
  });

  it("can be given up", async () => {
    const { calls } = show(<FleetPage />, { servers: servers() });
    fireEvent.click(await screen.findByTestId("server-row-tickets-authorize"));
    await screen.findByTestId("authorize-host");
    fireEvent.click(screen.getByTestId("authorize-cancel"));
    await waitFor(() => expect(calls("serverAuthorizeCancel")).toEqual(["tickets"]));
    await waitFor(() => expect(screen.queryByTestId("authorize-dialog")).toBeNull());
    expect(screen.getByTestId("server-row-tickets-authorize").textContent).toBe("Authorize…");
  });

  it("says why there is no page", async () => {
    show(<FleetPage />, {
      servers: servers(),
      refuse: { serverAuthorize: { code: "server_failed", message: "It names no authorization server." } },
    });
    fireEvent.click(await screen.findByTestId("server-row-tickets-authorize"));
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("server_failed");
    expect(screen.getByTestId<HTMLButtonElement>("authorize-open").disabled).toBe(true);
  });
});

describe("a server whose secret is not set", () => {
  it("takes the value once and shows it nowhere", async () => {
    const { calls, client } = show(<FleetPage />, { servers: servers() });
    fireEvent.click(await screen.findByTestId("server-row-vault-secret"));
    const field = await screen.findByTestId<HTMLInputElement>("secret-value");
    expect(field.type).toBe("password");
    expect(screen.getByTestId<HTMLButtonElement>("secret-save").disabled).toBe(true);
    fireEvent.change(field, { target: { value: "hunter2-hunter2" } });
    fireEvent.click(screen.getByTestId("secret-save"));
    expect((await screen.findByTestId("secret-kept")).textContent).toContain("keyring of this desktop");
    expect(calls("secretSet")).toEqual([{ name: "vault-token", characters: 15 }]);
    expect(field.value).toBe("");
    expect(document.body.innerHTML).not.toContain("hunter2");
    const cached = client
      .getMutationCache()
      .getAll()
      .map((mutation) => JSON.stringify(mutation.state));
    expect(cached.join()).not.toContain("hunter2");
  });

  it("says that a variable of the environment is set elsewhere", async () => {
    const [, vault] = servers();
    if (!vault) throw new Error("the fixture has two servers");
    vault.facets.connection.reason = "the secret ${env:TOKEN} is not set";
    show(<FleetPage />, { servers: [vault] });
    fireEvent.click(await screen.findByTestId("server-row-vault-secret"));
    expect((await screen.findByTestId("secret-elsewhere")).textContent).toContain("start ATT again");
    expect(screen.queryByTestId("secret-value")).toBeNull();
  });

  it("finds the name in the reason", () => {
    expect(missingSecret("the secret ${keyring:a-b} is not set")).toEqual({ kind: "keyring", name: "a-b" });
    expect(missingSecret("the secret ${env:T} is not set")).toEqual({ kind: "env", name: "T" });
    expect(missingSecret("no reference")).toBeNull();
    expect(missingSecret(null)).toBeNull();
  });
});
