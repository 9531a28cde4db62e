import { words } from "./format";
import { faceOf, INK, WASH } from "./tone";

/** A state as icon + word + colour. */
export function StateWord({
  word,
  label,
  className = "",
}: {
  word: string;
  label?: string;
  className?: string;
}) {
  const { tone, icon: Icon, spins } = faceOf(word);
  return (
    <span
      className={`inline-flex min-w-0 items-center gap-1.5 align-middle font-medium ${INK[tone]} ${className}`}
    >
      <Icon aria-hidden className={`size-4 shrink-0 ${spins ? "spin" : ""}`} />
      <span className="truncate">{label ?? words(word)}</span>
    </span>
  );
}

/** The same as a filled tag. */
export function StateTag({
  word,
  label,
  className = "",
}: {
  word: string;
  label?: string;
  className?: string;
}) {
  const { tone, icon: Icon, spins } = faceOf(word);
  return (
    <span
      className={`inline-flex h-5 shrink-0 items-center gap-1 rounded px-1.5 text-small font-medium whitespace-nowrap ${WASH[tone]} ${className}`}
    >
      <Icon aria-hidden className={`size-3.5 shrink-0 ${spins ? "spin" : ""}`} />
      {label ?? words(word)}
    </span>
  );
}
