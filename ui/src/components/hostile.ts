/** Longest text that "show more" will ever lay out, in characters. */
export const HARD_LIMIT = 20_000;

const ESC = String.fromCharCode(0x1b);

function isHidden(code: number): boolean {
  return (
    (code < 0x20 && code !== 0x0a && code !== 0x09) ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0xad ||
    code === 0x61c ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code >= 0xe0000 && code <= 0xe007f)
  );
}

function withoutTerminalColours(text: string): string {
  if (!text.includes(ESC)) return text;
  return text
    .split(ESC)
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;?]*[A-Za-z]/, "")))
    .join("");
}

/**
 * Makes text from outside safe to lay out: terminal colours go, and every character that is invisible or turns
 * the direction of what follows is shown by its number instead of being obeyed.
 */
export function neutralise(text: string): string {
  const bounded = text.length > HARD_LIMIT ? text.slice(0, HARD_LIMIT) : text;
  let out = "";
  for (const char of withoutTerminalColours(bounded.replaceAll("\r\n", "\n"))) {
    const code = char.codePointAt(0) ?? 0;
    out += isHidden(code) ? `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩` : char;
  }
  return out;
}
