import type { ServerDetailDto } from "@/backend/port";
import { Card } from "@/components/Card";
import { Field, Fields } from "@/components/Field";
import { commandLine, duration, transportName } from "@/components/format";
import { HostileText } from "@/components/HostileText";
import { JsonView } from "@/components/JsonView";
import { ForgetAuthorization } from "./ForgetAuthorization";

function nameAndVersion(serverInfo: string): string {
  try {
    const info = JSON.parse(serverInfo) as { name?: unknown; version?: unknown; title?: unknown };
    return (
      [info.title ?? info.name, info.version].filter((part) => typeof part === "string").join(" ") ||
      serverInfo
    );
  } catch {
    return serverInfo;
  }
}

/** What the server says it is, and how we reach it. */
export function ServerFacts({ detail }: { detail: ServerDetailDto }) {
  const { row, snapshot } = detail;
  return (
    <Card title="About this server">
      <Fields>
        <Field name="Transport">{transportName(row.transport)}</Field>
        {detail.url ? (
          <Field name="URL">
            <HostileText text={detail.url} mono />
          </Field>
        ) : null}
        {detail.command ? (
          <Field name="Command">
            <HostileText text={commandLine(detail.command.argv)} mono />
          </Field>
        ) : null}
        {detail.group !== null ? (
          <Field name="Group">
            <bdi data-testid="server-group">{detail.group}</bdi>
          </Field>
        ) : null}
        {row.pid !== null ? <Field name="Process">{row.pid}</Field> : null}
        <Field name="Generation">{detail.generation}</Field>
        <Field name="Era">
          <span data-testid="server-era">{row.era ?? snapshot?.era ?? "not known yet"}</span>
        </Field>
        <Field name="Protocol">
          <span data-testid="server-protocol">
            {row.protocol_version ?? snapshot?.protocol_version ?? "not known yet"}
          </span>
        </Field>
        <Field name="Connect time">{duration(row.connect_ms)}</Field>
        {snapshot ? (
          <Field name="Says it is">
            <HostileText text={nameAndVersion(snapshot.server_info)} limit={120} />
          </Field>
        ) : null}
      </Fields>
      {detail.url ? <ForgetAuthorization server={row.server} /> : null}
      {snapshot?.instructions ? (
        <div className="mt-3">
          <h3 className="text-ink-faint">Instructions (the server's words)</h3>
          <HostileText text={snapshot.instructions} limit={400} />
        </div>
      ) : null}
      {snapshot ? (
        <details className="mt-3">
          <summary className="text-ink-faint hover:text-ink">Capabilities and server info as JSON</summary>
          <div className="mt-2 space-y-2">
            <JsonView text={snapshot.capabilities} />
            <JsonView text={snapshot.server_info} />
          </div>
        </details>
      ) : null}
    </Card>
  );
}
