import { type ReactNode, useEffect, useRef } from "react";
import { DecisionPage } from "@/features/decisions/DecisionPage";
import { DecisionsPage } from "@/features/decisions/DecisionsPage";
import { EventsPage } from "@/features/events/EventsPage";
import { FleetPage } from "@/features/fleet/FleetPage";
import { CyclePage } from "@/features/releases/CyclePage";
import { ReleasesPage } from "@/features/releases/ReleasesPage";
import { ServerPage } from "@/features/server/ServerPage";
import { parseRoute, type Route, useHash } from "@/routes";
import { Banners } from "./Banners";
import { FleetAnnouncer } from "./FleetAnnouncer";
import { FleetStrip } from "./FleetStrip";
import { Navigation } from "./Navigation";

function view(route: Route): ReactNode {
  switch (route.view) {
    case "fleet":
      return <FleetPage />;
    case "server":
      return <ServerPage key={route.server} server={route.server} at={route.at} />;
    case "releases":
      return <ReleasesPage target={route.target} />;
    case "cycle":
      return <CyclePage key={route.cycleId} cycleId={route.cycleId} />;
    case "decisions":
      return <DecisionsPage />;
    case "decision":
      return <DecisionPage key={route.decisionId} decisionId={route.decisionId} />;
    case "events":
      return <EventsPage key={`${route.server}/${route.correlationId}`} route={route} />;
  }
}

/** The frame around every view: navigation, the fleet's strip, banners. */
export function Shell() {
  const hash = useHash();
  const route = parseRoute(hash);
  const main = useRef<HTMLElement>(null);
  const before = useRef(hash);

  useEffect(() => {
    if (before.current === hash) return;
    before.current = hash;
    main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [hash]);

  return (
    <div className="flex h-full">
      <button
        type="button"
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:bg-panel focus:px-3 focus:py-1"
        onClick={() => main.current?.querySelector<HTMLElement>("h1")?.focus()}
      >
        Skip the navigation
      </button>
      <FleetAnnouncer />
      <Navigation route={route} />
      <div className="flex min-w-0 flex-1 flex-col">
        <FleetStrip />
        <Banners />
        <main ref={main} className="relative min-h-0 flex-1 overflow-clip">
          {view(route)}
        </main>
      </div>
    </div>
  );
}
