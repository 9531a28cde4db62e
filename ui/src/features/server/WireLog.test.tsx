import { fireEvent, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { wireEntry, wirePage } from "@/backend/fake/wire";
import { show } from "@/test/view";
import { WireLog } from "./WireLog";
import { filtered, MOST_WIRE_ENTRIES, partnerOf, withPage } from "./wire";

describe("the wire log", () => {
  it("is not read before it is opened", async () => {
    const { calls } = show(<WireLog server="everything" opened={false} />);
    expect(calls("serverWire")).toEqual([]);
    fireEvent.click(screen.getByTestId("wire-open"));
    expect(await screen.findByTestId("wire-entry-7")).toBeTruthy();
    expect(calls("serverWire")).toEqual([{ server: "everything", afterSeq: null }]);
  });

  it("shows a request with its answer", async () => {
    show(<WireLog server="everything" opened />);
    const request = await screen.findByTestId("wire-entry-3");
    expect(request.textContent).toContain("800 ms");
    fireEvent.click(within(request).getByRole("button"));
    expect(screen.getByTestId("wire-partner-3").textContent).toContain("message 5");
  });

  it("finds by text, way and kind", async () => {
    show(<WireLog server="everything" opened />);
    await screen.findByTestId("wire-entry-1");
    fireEvent.change(screen.getByTestId("wire-search"), { target: { value: "no such tool" } });
    expect(screen.queryByTestId("wire-entry-1")).toBeNull();
    expect(screen.getByTestId("wire-entry-7").dataset.kind).toBe("error");
    fireEvent.change(screen.getByTestId("wire-direction"), { target: { value: "out" } });
    expect(screen.getByText("Nothing fits the filter.")).toBeTruthy();
  });

  it("says why it cannot be read", async () => {
    show(<WireLog server="everything" opened />, {
      refuse: { serverWire: { code: "not_found", message: "There is no wire log on disk." } },
    });
    expect((await screen.findByTestId("error-panel")).dataset.code).toBe("not_found");
  });
});

describe("messages", () => {
  it("are held up to a bound and none twice", () => {
    const page = (from: number, to: number) => ({
      server: "s",
      source: "memory",
      entries: Array.from({ length: to - from + 1 }, (_, i) => wireEntry(0, from + i)),
      next_seq: to,
    });
    const first = withPage(undefined, page(1, 10));
    const again = withPage(first, page(5, 12));
    expect(again.entries.map((entry) => entry.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const full = withPage(again, page(13, 5000));
    expect(full.entries).toHaveLength(MOST_WIRE_ENTRIES);
    expect(full.entries.at(-1)?.seq).toBe(5000);
    expect(withPage(full, page(1, 1)).nextSeq).toBe(5000);
  });

  it("are paired by id, connection and way, the nearest first", () => {
    const { entries } = wirePage(0, "s", null, 200);
    const at = (seq: number) => {
      const found = entries.find((entry) => entry.seq === seq);
      if (!found) throw new Error(`no ${seq}`);
      return found;
    };
    expect(partnerOf(entries, at(1))?.seq).toBe(2);
    expect(partnerOf(entries, at(7))?.seq).toBe(6);
    expect(partnerOf(entries, at(4))).toBeNull();
    const later = wireEntry(0, 8, { id: "3", generation: 2, direction: "in", kind: "response" });
    expect(partnerOf([...entries, later], later)).toBeNull();
    const theirs = wireEntry(0, 9, { id: "3", direction: "in" });
    expect(partnerOf([...entries, theirs], theirs)).toBeNull();
    expect(filtered(entries, { text: "", direction: "in", kind: "response" })).toHaveLength(2);
  });
});
