import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  CircleSlash,
  CircleX,
  Hand,
  KeyRound,
  LoaderCircle,
  type LucideIcon,
  OctagonX,
  ShieldQuestion,
  Timer,
  TriangleAlert,
} from "lucide-react";

/** What a word says about its thing. */
export type Tone = "ok" | "warn" | "bad" | "wait" | "busy" | "mute";

/** How a state is shown: never by colour alone. */
export interface Face {
  tone: Tone;
  icon: LucideIcon;
  /** Turns while something is under way. */
  spins?: boolean;
}

/** Text colour for a tone. */
export const INK: Record<Tone, string> = {
  ok: "text-ok",
  warn: "text-warn",
  bad: "text-bad",
  wait: "text-wait",
  busy: "text-accent",
  mute: "text-ink-faint",
};

/** Ground and text for a tone. */
export const WASH: Record<Tone, string> = {
  ok: "bg-ok-wash text-ok",
  warn: "bg-warn-wash text-warn",
  bad: "bg-bad-wash text-bad",
  wait: "bg-wait-wash text-wait",
  busy: "bg-accent-wash text-accent",
  mute: "bg-raised text-ink-soft",
};

const faces = (words: string, face: Face): [string, Face][] => words.split(" ").map((word) => [word, face]);

const FACES = new Map<string, Face>([
  ...faces(
    "healthy ready enabled closed passed succeeded pass allowed rolled_back won ok auto_approved consumed done",
    {
      tone: "ok",
      icon: CircleCheck,
    },
  ),
  ...faces("degraded half_open stale incomplete escalate warning partial throttled", {
    tone: "warn",
    icon: TriangleAlert,
  }),
  ...faces("unreachable failed deny denied unhealthy rollback_failed alarm", { tone: "bad", icon: CircleX }),
  ...faces("open quarantined needs_operator unknown_outcome", { tone: "bad", icon: OctagonX }),
  ...faces(
    "connecting negotiating discovering authorizing running executing verifying rolling_back verifying_rollback",
    {
      tone: "busy",
      icon: LoaderCircle,
      spins: true,
    },
  ),
  ...faces(
    "preparing changing testing committing pushing opening_pr awaiting_ci merging readying deploying watching health_checking deciding",
    { tone: "busy", icon: LoaderCircle, spins: true },
  ),
  ...faces("awaiting_approval waiting requested interruption", { tone: "wait", icon: Hand }),
  ...faces("consent_required proposed", { tone: "wait", icon: ShieldQuestion }),
  ...faces("auth_required", { tone: "wait", icon: KeyRound }),
  ...faces("backoff queued expired timed_out", { tone: "warn", icon: Timer }),
  ...faces("disabled stopped rejected cancelled", { tone: "mute", icon: Ban }),
  ...faces("draining superseded skipped", { tone: "mute", icon: CirclePause }),
  ...faces("idle not_run not_asked silent", { tone: "mute", icon: CircleDashed }),
  ...faces("not_evaluated unsupported", { tone: "mute", icon: CircleSlash }),
  ...faces("notice info", { tone: "busy", icon: CircleAlert }),
]);

const UNKNOWN: Face = { tone: "mute", icon: CircleHelp };

/** How a state's word is shown. A word of a newer backend gets the question mark. */
export function faceOf(word: string): Face {
  return FACES.get(word) ?? UNKNOWN;
}
