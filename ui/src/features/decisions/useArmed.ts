import { type MouseEvent, useEffect, useRef, useState } from "react";
import { ARM_DELAY_MS } from "./confirmRules";

/**
 * Guards a button whose press cannot be taken back. It is armed once `ready` has held for 300 ms for the same
 * `subject`; then a click counts only if its press began on the button itself after that. The second half of a
 * double click never counts, and one arming makes one act.
 */
export function useArmed(ready: boolean, subject: string, act: () => void) {
  const [armedFor, setArmedFor] = useState<string | null>(null);
  const pressed = useRef(false);
  const spent = useRef(false);

  useEffect(() => {
    pressed.current = false;
    spent.current = false;
    setArmedFor(null);
    if (!ready) return;
    const timer = setTimeout(() => setArmedFor(subject), ARM_DELAY_MS);
    return () => clearTimeout(timer);
  }, [ready, subject]);

  const armed = ready && armedFor === subject;
  return {
    armed,
    handlers: {
      onPointerDown: () => {
        pressed.current = armed;
      },
      onPointerCancel: () => {
        pressed.current = false;
      },
      onClick: (event: MouseEvent) => {
        const fromKeyboard = event.detail === 0;
        const began = pressed.current;
        pressed.current = false;
        if (!armed || spent.current || event.detail > 1 || !(fromKeyboard || began)) return;
        // Two clicks can arrive before the button is laid out as busy.
        spent.current = true;
        act();
      },
    },
  };
}
