import { ShieldQuestion } from "lucide-react";
import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { ProjectDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Field, Fields } from "@/components/Field";
import { HostileText } from "@/components/HostileText";
import { ReasonDialog } from "@/components/ReasonDialog";

function ApproveConfig({
  project,
  digest,
  onClose,
}: {
  project: ProjectDto;
  digest: string;
  onClose: () => void;
}) {
  const backend = useBackend();
  const approve = useAct(
    (reason: string) => backend.projectApproveConfig(project.project, digest, reason),
    onClose,
  );
  return (
    <ReasonDialog
      open
      title={`Approve the att.toml of “${project.project}”?`}
      description="These commands may then be run by its cycles. A change of the file asks again."
      action="Approve these commands"
      busy={approve.isPending}
      error={approve.error}
      onClose={onClose}
      onAct={(reason) => approve.mutate(reason)}
      testid="config-approve"
    >
      <ul
        className="space-y-1 rounded-md border border-line bg-ground p-3 font-mono text-small"
        data-testid="config-commands"
      >
        {project.config_commands.map((line) => (
          <li key={line}>
            <HostileText text={line} limit={1000} />
          </li>
        ))}
      </ul>
      <Fields>
        <Field name="Digest">
          <code className="font-mono text-small">{digest}</code>
        </Field>
      </Fields>
    </ReasonDialog>
  );
}

/** A project that needs a person: a problem, or an att.toml that nobody has approved. A sound one needs no words. */
export function ProjectCard({ project }: { project: ProjectDto }) {
  const [asking, setAsking] = useState(false);
  if (project.problem) {
    return (
      <ErrorPanel
        title={`The project “${project.project}” cannot be used`}
        error={{ code: "invalid_config", message: project.problem, cause: null, cure: null }}
      >
        <p className="text-small text-ink-soft">
          <bdi>{project.path}</bdi>
        </p>
      </ErrorPanel>
    );
  }
  if (project.config_approved || project.config_digest === null) return null;
  return (
    <div data-testid="config-approval" className="flex items-center gap-2 rounded-md bg-wait-wash px-4 py-2">
      <ShieldQuestion aria-hidden className="size-4 shrink-0 text-wait" />
      <span>
        The commands in the att.toml of <bdi className="font-semibold">{project.project}</bdi> ({project.base}
        ) wait for your approval.
      </span>
      <Button small className="ml-auto" data-testid="config-show" onClick={() => setAsking(true)}>
        Show commands…
      </Button>
      {asking ? (
        <ApproveConfig project={project} digest={project.config_digest} onClose={() => setAsking(false)} />
      ) : null}
    </div>
  );
}
