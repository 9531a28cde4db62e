import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode, RefObject } from "react";

/** A dialog over the page. `safe` is the element that gets the focus: the one that does nothing. */
export function Modal({
  open,
  onClose,
  title,
  description,
  safe,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  safe: RefObject<HTMLElement | null>;
  children: ReactNode;
}) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-[var(--shade)]" />
        <Dialog.Popup
          initialFocus={safe}
          className="fixed top-1/2 left-1/2 z-50 flex max-h-[85vh] w-[min(40rem,92vw)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-lg border border-line-strong bg-panel shadow-xl outline-none"
        >
          <div className="border-b border-line px-5 py-3">
            <Dialog.Title className="text-base font-semibold">{title}</Dialog.Title>
            {description ? (
              <Dialog.Description className="mt-1 text-ink-soft">{description}</Dialog.Description>
            ) : null}
          </div>
          <div className="min-h-0 overflow-y-auto px-5 py-4">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
