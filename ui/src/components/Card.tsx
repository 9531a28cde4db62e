import type { ReactNode } from "react";

/** A titled region of a page. */
export function Card({
  title,
  aside,
  children,
  className = "",
  flush = false,
  ...rest
}: {
  title: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
  "data-testid"?: string;
  "data-state"?: string;
}) {
  return (
    <section {...rest} className={`rounded-lg border border-line bg-panel ${className}`}>
      <header className="flex min-h-10 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-4 py-1.5">
        <h2 className="font-semibold">{title}</h2>
        {aside ? (
          <div className="flex min-w-0 flex-wrap items-center gap-2 text-small text-ink-soft">{aside}</div>
        ) : null}
      </header>
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

/** Grey bars where content will stand. */
export function Skeleton({ rows = 5, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} data-testid="skeleton" className="space-y-2 p-4">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="pulse h-6 rounded bg-raised" />
      ))}
    </div>
  );
}

/** What stands where there is nothing yet, and what would fill it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div data-testid="empty" className="mx-auto max-w-xl px-6 py-10 text-center text-ink-soft">
      <p className="font-semibold text-ink">{title}</p>
      {children ? <div className="mt-2 space-y-2">{children}</div> : null}
    </div>
  );
}

/** A page: heading row, then its scrolling body. */
export function Page({
  title,
  aside,
  children,
  fill = false,
}: {
  title: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  fill?: boolean;
}) {
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-13 shrink-0 flex-wrap items-center justify-between gap-x-4 gap-y-1 px-5 py-2">
        <h1 tabIndex={-1} className="flex min-w-0 items-center gap-2 text-lg font-semibold outline-none">
          {title}
        </h1>
        {aside ? <div className="flex flex-wrap items-center gap-2">{aside}</div> : null}
      </header>
      <div
        className={`relative min-h-0 flex-1 px-5 pb-5 ${fill ? "flex flex-col" : "space-y-4 overflow-y-auto"}`}
      >
        {children}
      </div>
    </div>
  );
}
