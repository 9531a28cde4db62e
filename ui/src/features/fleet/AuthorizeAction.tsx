import { ExternalLink } from "lucide-react";
import { useRef, useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import type { AuthorizePageDto, ServerRowDto } from "@/backend/port";
import { useAct } from "@/backend/queries";
import { Button } from "@/components/Button";
import { Skeleton } from "@/components/Card";
import { CopyButton } from "@/components/Copy";
import { ErrorPanel } from "@/components/ErrorPanel";
import { HostileText } from "@/components/HostileText";
import { Modal } from "@/components/Modal";
import { StateWord } from "@/components/StateWord";
import { Countdown } from "@/components/Time";
import { WebAddress } from "@/components/WebAddress";

/** The page, where it leads, and what is waited for. */
function ThePage({ page, opened }: { page: AuthorizePageDto; opened: boolean }) {
  return (
    <div className="space-y-2">
      <WebAddress url={page.url} testid="authorize" />
      <p role="status">
        <StateWord
          word="authorizing"
          label={opened ? "Waiting for your answer in the browser" : "Waiting until you open the page"}
        />{" "}
        <span className="text-ink-soft">
          for another <Countdown at={page.until_ms} over="moment" />
        </span>
      </p>
    </div>
  );
}

/**
 * Authorizes ATT with a server: asks for its page, shows the exact address, opens it on a click, and waits. That it
 * worked is told by the server's state, which takes this button away.
 */
export function AuthorizeAction({ row, testid }: { row: ServerRowDto; testid: string }) {
  const backend = useBackend();
  const { server } = row;
  const [open, setOpen] = useState(false);
  const safe = useRef<HTMLButtonElement>(null);
  const begin = useAct(() => backend.serverAuthorize(server));
  const browse = useAct(() => backend.authorizePageOpen(server));
  const giveUp = useAct(
    () => backend.serverAuthorizeCancel(server),
    () => {
      begin.reset();
      browse.reset();
      setOpen(false);
    },
  );
  const waiting = row.facets.connection.state === "authorizing";
  const start = () => {
    setOpen(true);
    browse.reset();
    if (!waiting || !begin.data) begin.mutate(undefined);
  };
  const page = begin.data;
  const reason = row.facets.connection.reason;
  return (
    <>
      <Button small data-testid={`${testid}-authorize`} onClick={start}>
        {waiting ? "Authorizing…" : "Authorize…"}
      </Button>
      <Modal
        open={open}
        onClose={() => setOpen(false)}
        safe={safe}
        title={`Authorize ATT with “${server}”?`}
        description="You sign in on the server's own page. ATT never sees your password; the token it gets is kept in your keyring."
      >
        <div className="space-y-3" data-testid="authorize-dialog" data-state={row.facets.connection.state}>
          {reason && !page ? (
            <p className="text-ink-soft">
              <HostileText text={reason} />
            </p>
          ) : null}
          {begin.isPending ? <Skeleton rows={2} label="Asking the server where to authorize" /> : null}
          {begin.error ? (
            <ErrorPanel
              error={begin.error}
              title="There is no page to open"
              onRetry={() => begin.mutate(undefined)}
            />
          ) : null}
          {page ? <ThePage page={page} opened={browse.isSuccess} /> : null}
          {browse.error ? <ErrorPanel error={browse.error} title="The page was not opened" /> : null}
          {giveUp.error ? <ErrorPanel error={giveUp.error} /> : null}
          <div className="flex flex-wrap justify-end gap-2">
            {page ? <CopyButton text={page.url} label="Copy address" /> : null}
            <Button ref={safe} onClick={() => setOpen(false)}>
              Later
            </Button>
            {page ? (
              <Button
                data-testid="authorize-cancel"
                busy={giveUp.isPending}
                onClick={() => giveUp.mutate(undefined)}
              >
                Give up
              </Button>
            ) : null}
            <Button
              look="primary"
              data-testid="authorize-open"
              disabled={!page}
              busy={browse.isPending}
              onClick={() => browse.mutate(undefined)}
            >
              <ExternalLink aria-hidden className="size-4" />
              {browse.isSuccess ? "Open it again" : "Open in the browser"}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}
