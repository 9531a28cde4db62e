import { Activity, Gavel, type LucideIcon, Rocket, Server, Settings2 } from "lucide-react";
import { useState } from "react";
import { useSystem } from "@/backend/queries";
import { type Route, to } from "@/routes";
import { SystemDialog } from "./SystemDialog";

interface Place {
  id: string;
  label: string;
  icon: LucideIcon;
  href: string;
  views: Route["view"][];
}

const PLACES: Place[] = [
  { id: "fleet", label: "Fleet", icon: Server, href: to.fleet(), views: ["fleet", "server"] },
  { id: "releases", label: "Releases", icon: Rocket, href: to.releases(), views: ["releases", "cycle"] },
  {
    id: "decisions",
    label: "Decisions",
    icon: Gavel,
    href: to.decisions(),
    views: ["decisions", "decision"],
  },
  { id: "events", label: "Events", icon: Activity, href: to.events(), views: ["events"] },
];

const ITEM =
  "flex h-9 w-full items-center gap-2.5 rounded-md px-2.5 font-medium max-[1000px]:justify-center max-[1000px]:px-0";

/** The way between the views; narrow windows keep the icons. */
export function Navigation({ route }: { route: Route }) {
  const system = useSystem();
  const [about, setAbout] = useState(false);
  const waiting = system.data?.open_interruptions ?? 0;
  return (
    <nav
      aria-label="Views"
      className="flex w-44 shrink-0 flex-col border-r border-line bg-panel px-2 py-3 max-[1000px]:w-14"
    >
      <div className="mb-4 flex items-center gap-2 px-2.5 max-[1000px]:flex-col max-[1000px]:px-0">
        <span className="text-base font-bold tracking-wide">ATT</span>
        {system.data?.demo ? (
          <span
            data-testid="demo-badge"
            title="This home was made by `att demo init`: everything in it may be broken without harm."
            className="rounded bg-wait-wash px-1.5 text-tiny font-semibold text-wait"
          >
            DEMO
          </span>
        ) : null}
      </div>
      <ul className="space-y-0.5">
        {PLACES.map(({ id, label, icon: Icon, href, views }) => {
          const here = views.includes(route.view);
          const open = id === "decisions" ? waiting : 0;
          return (
            <li key={id}>
              <a
                href={href}
                data-testid={`nav-${id}`}
                aria-current={here ? "page" : undefined}
                title={label}
                className={`${ITEM} relative ${here ? "bg-accent-wash text-accent" : "text-ink-soft hover:bg-raised hover:text-ink"}`}
              >
                <Icon aria-hidden className="size-4 shrink-0" />
                <span className="max-[1000px]:sr-only">{label}</span>
                {open > 0 ? (
                  <span
                    data-testid="nav-decisions-count"
                    className="ml-auto rounded-full bg-wait px-1.5 text-tiny font-bold text-panel max-[1000px]:absolute max-[1000px]:top-0 max-[1000px]:right-1"
                  >
                    {open}
                    <span className="sr-only"> waiting for a person</span>
                  </span>
                ) : null}
              </a>
            </li>
          );
        })}
      </ul>
      <button
        type="button"
        data-testid="nav-system"
        title="System"
        onClick={() => setAbout(true)}
        className={`${ITEM} mt-auto text-ink-soft hover:bg-raised hover:text-ink`}
      >
        <Settings2 aria-hidden className="size-4 shrink-0" />
        <span className="max-[1000px]:sr-only">System</span>
      </button>
      {about ? <SystemDialog onClose={() => setAbout(false)} /> : null}
    </nav>
  );
}
