import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import type { Backend } from "./backend/port";
import "./styles.css";

async function chooseBackend(): Promise<Backend> {
  // The condition is a constant in a production build, so the invented fleet is not shipped.
  if (import.meta.env.DEV && new URLSearchParams(window.location.search).has("fake")) {
    const { fakeFromLocation } = await import("./backend/fake/fromLocation");
    return fakeFromLocation(window.location.search);
  }
  return (await import("./backend/tauri")).tauriBackend;
}

const root = document.getElementById("root");
if (root) {
  void chooseBackend().then((backend) =>
    createRoot(root).render(
      <StrictMode>
        <App backend={backend} />
      </StrictMode>,
    ),
  );
}
