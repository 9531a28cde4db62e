import { CSPProvider } from "@base-ui/react/csp-provider";
import { BackendProvider } from "./backend/BackendProvider";
import type { Backend } from "./backend/port";
import { Shell } from "./features/shell/Shell";

/** The window, over whichever backend it is given. */
export function App({ backend }: { backend: Backend }) {
  return (
    <CSPProvider disableStyleElements>
      <BackendProvider backend={backend}>
        <Shell />
      </BackendProvider>
    </CSPProvider>
  );
}
