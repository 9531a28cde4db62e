import { useState } from "react";
import { useBackend } from "@/backend/BackendProvider";
import { useAct } from "@/backend/queries";
import { AskDialog } from "@/components/AskDialog";
import { Button } from "@/components/Button";

/** Throws away the token and the registration that ATT holds for a server. */
export function ForgetAuthorization({ server }: { server: string }) {
  const backend = useBackend();
  const [asking, setAsking] = useState(false);
  const forget = useAct(
    () => backend.serverForgetAuthorization(server),
    () => setAsking(false),
  );
  return (
    <div className="mt-3">
      <Button small data-testid="authorization-forget" onClick={() => setAsking(true)}>
        Forget the authorization…
      </Button>
      <AskDialog
        open={asking}
        title={`Forget the authorization of “${server}”?`}
        description="The token and the registration that ATT holds for it are thrown away, and it is connected anew without. If it wants authorization, you are asked again."
        action="Forget it"
        busy={forget.isPending}
        error={forget.error}
        onClose={() => setAsking(false)}
        onAct={() => forget.mutate(undefined)}
        testid="authorization-forget"
      />
    </div>
  );
}
