import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { HostileLine, HostileText } from "./HostileText";
import { HARD_LIMIT, neutralise } from "./hostile";

describe("text from outside", () => {
  it("is never markup", () => {
    const { container } = render(<HostileText text={'<img src=x onerror="alert(1)"><b>bold</b>'} />);
    expect(container.querySelector("img")).toBeNull();
    expect(container.querySelector("b")).toBeNull();
    expect(container.textContent).toContain("<img src=x");
  });

  it("cannot turn the direction of what follows: its controls are shown by number", () => {
    const shown = neutralise("safe\u202Egnp.exe\u2066x");
    expect(shown).toBe("safe⟨U+202E⟩gnp.exe⟨U+2066⟩x");
  });

  it("cannot hide words in invisible characters", () => {
    expect(neutralise("a\u200Bb\u{E0041}c\u00ADd\u0007")).toBe("a⟨U+200B⟩b⟨U+E0041⟩c⟨U+00AD⟩d⟨U+0007⟩");
  });

  it("loses terminal colours and keeps line ends and tabs", () => {
    expect(neutralise("\u001B[31mred\u001B[0m\r\n\tnext")).toBe("red\n\tnext");
  });

  it("stands in its own direction", () => {
    const { container } = render(<HostileText text="שלום" />);
    expect(container.querySelector("bdi")).not.toBeNull();
  });

  it("is cut, shown on demand, and never beyond the limit", () => {
    const { container } = render(<HostileText text={"x".repeat(HARD_LIMIT + 5000)} limit={100} />);
    expect(container.querySelector("bdi")?.textContent).toHaveLength(101);
    fireEvent.click(screen.getByText("show more"));
    expect(container.querySelector("bdi")?.textContent).toHaveLength(HARD_LIMIT);
    expect(container.textContent).toContain("cut after");
  });

  it("makes no link of an address", () => {
    const { container } = render(<HostileText text="see https://example.org/now" />);
    expect(container.querySelector("a")).toBeNull();
  });

  it("on one line has no line ends", () => {
    const { container } = render(<HostileLine text={"one\ntwo"} />);
    expect(container.textContent).toBe("one ⏎ two");
  });
});
