/** Where JSON text stops being JSON, counted from 1, and what would be right there. */
export interface JsonFault {
  line: number;
  column: number;
  message: string;
}

class Fault extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORDS = ["true", "false", "null"];

class Scanner {
  private at = 0;
  private depth = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  document(): void {
    this.value();
    this.space();
    if (this.at < this.text.length) throw new Fault(this.at, "Nothing may follow the end of the value");
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.peek())) this.at += 1;
  }

  private value(): void {
    this.space();
    const char = this.peek();
    if (char === "") throw new Fault(this.at, "A value is missing");
    if (char === "{") {
      this.object();
      return;
    }
    if (char === "[") {
      this.array();
      return;
    }
    if (char === '"') {
      this.string();
      return;
    }
    const word = WORDS.find((each) => this.text.startsWith(each, this.at));
    if (word) {
      this.at += word.length;
      return;
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text);
    if (number) {
      this.at += number[0].length;
      return;
    }
    if (char === "'") throw new Fault(this.at, 'Text stands in double quotes: "…"');
    throw new Fault(this.at, `A value cannot begin with “${char}”; text stands in double quotes`);
  }

  private deeper(): void {
    this.depth += 1;
    if (this.depth > 200) throw new Fault(this.at, "Nested too deeply");
  }

  private object(): void {
    this.deeper();
    this.at += 1;
    this.space();
    if (this.peek() === "}") {
      this.close();
      return;
    }
    for (;;) {
      this.space();
      if (this.peek() === "}") throw new Fault(this.at, "No comma before the closing }");
      if (this.peek() !== '"') throw new Fault(this.at, "A name in double quotes is missing");
      this.string();
      this.space();
      if (this.peek() !== ":") throw new Fault(this.at, "A colon is missing after the name");
      this.at += 1;
      this.value();
      this.space();
      if (this.peek() === "}") {
        this.close();
        return;
      }
      if (this.peek() !== ",") throw new Fault(this.at, "A comma or a closing } is missing");
      this.at += 1;
    }
  }

  private array(): void {
    this.deeper();
    this.at += 1;
    this.space();
    if (this.peek() === "]") {
      this.close();
      return;
    }
    for (;;) {
      this.space();
      if (this.peek() === "]") throw new Fault(this.at, "No comma before the closing ]");
      this.value();
      this.space();
      if (this.peek() === "]") {
        this.close();
        return;
      }
      if (this.peek() !== ",") throw new Fault(this.at, "A comma or a closing ] is missing");
      this.at += 1;
    }
  }

  private close(): void {
    this.depth -= 1;
    this.at += 1;
  }

  private string(): void {
    const began = this.at;
    this.at += 1;
    for (;;) {
      const char = this.peek();
      if (char === "" || char === "\n") throw new Fault(began, "This text has no closing double quote");
      if (char.charCodeAt(0) < 0x20)
        throw new Fault(this.at, "A control character must be written as \\uXXXX");
      if (char === '"') break;
      if (char === "\\") {
        const escaped = /^(["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.text.slice(this.at + 1, this.at + 6));
        if (!escaped) throw new Fault(this.at, "This is no escape that JSON knows");
        this.at += escaped[0].length;
      }
      this.at += 1;
    }
    this.at += 1;
  }
}

/** The first fault of a JSON text, or null. Our own scanner, since engines differ in what they tell. */
export function findJsonFault(text: string): JsonFault | null {
  try {
    new Scanner(text).document();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const before = text.slice(0, thrown.at).split("\n");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: thrown.message };
  }
}

/** Like `findJsonFault`, and an argument has to be an object (or nothing at all). */
export function findArgumentFault(text: string): JsonFault | null {
  if (text.trim() === "") return null;
  const fault = findJsonFault(text);
  if (fault) return fault;
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return null;
  return { line: 1, column: 1, message: "Arguments are an object: { … }" };
}
