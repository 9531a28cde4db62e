import type { ChangeDto } from "@/backend/port";
import { words } from "@/components/format";
import { HostileLine } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { StateTag } from "@/components/StateWord";

/** One change between two snapshots; opened, the item before and after. */
export function Change({ change }: { change: ChangeDto }) {
  return (
    <li
      className="border-t border-line first:border-t-0"
      data-testid={`diff-change-${change.name}`}
      data-change={change.change}
      data-severity={change.severity}
    >
      <details>
        <summary className="flex min-w-0 items-center gap-2 px-4 py-2 hover:bg-raised">
          <StateTag word={change.severity} />
          <span className="shrink-0 font-medium">{change.change}</span>
          <span className="shrink-0 text-ink-faint">{words(change.kind)}</span>
          <HostileLine text={change.name} className="font-mono text-small" />
          <span className="ml-auto truncate text-small text-ink-soft">
            {change.fields.map(words).join(" · ")}
          </span>
        </summary>
        <div className="grid gap-3 px-4 pb-3 min-[1000px]:grid-cols-2">
          <div className="min-w-0">
            <h4 className="text-small text-ink-faint">Before</h4>
            {change.before ? (
              <JsonView text={change.before} />
            ) : (
              <p className="text-ink-faint">It was not there.</p>
            )}
          </div>
          <div className="min-w-0">
            <h4 className="text-small text-ink-faint">After</h4>
            {change.after ? <JsonView text={change.after} /> : <p className="text-ink-faint">It is gone.</p>}
          </div>
        </div>
      </details>
    </li>
  );
}
