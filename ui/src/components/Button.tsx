import type { ButtonHTMLAttributes, Ref } from "react";

const LOOK = {
  plain: "border border-line-strong bg-panel text-ink hover:bg-raised",
  primary: "border border-transparent bg-accent text-accent-ink hover:opacity-90",
  danger: "border border-bad bg-panel text-bad hover:bg-bad-wash",
  quiet: "border border-transparent text-ink-soft hover:bg-raised hover:text-ink",
} as const;

type Props = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: keyof typeof LOOK;
  small?: boolean;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

/** The one button of ATT. `busy` keeps it off while its operation runs. */
export function Button({
  look = "plain",
  small = false,
  busy = false,
  className = "",
  disabled,
  ...rest
}: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={`inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50 ${
        small ? "h-6 px-2 text-small" : "h-8 px-3"
      } ${LOOK[look]} ${className}`}
    />
  );
}
