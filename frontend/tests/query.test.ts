import { describe, expect, it } from "vitest";
import { progressOf } from "../lib/followed";
import { addressOf, backendSearch, parseQuery } from "../lib/query";
import { reveal } from "../lib/reveal";
import { clock, webAddress } from "../lib/words";

describe("the query in the address bar", () => {
  it("comes back as it went", () => {
    const query = parseQuery("q=a%26b&tag=%C3%A9t%C3%A9&favourite=true&length=long&sort=title&page=4");
    expect(parseQuery(addressOf(query).slice(2))).toEqual(query);
    expect(addressOf(parseQuery(""))).toBe("/");
  });

  it("leaves out what makes no sense", () => {
    const query = parseQuery("page=-1&sort=toString&length=constructor&favourite=yes");
    expect(query).toMatchObject({ page: 1, sort: "", length: "", favourite: false });
    for (const page of ["1e99", "0", "NaN", "1.5", "99999999999"]) expect(parseQuery(`page=${page}`).page).toBe(1);
    expect(backendSearch(query)).toBe("sort=newest&page=1&page_size=24");
  });
});

describe("figures and addresses", () => {
  it("reads a clock", () => {
    expect([0, 59.6, 187, 3765, null, -1, Number.NaN].map(clock)).toEqual(["0:00", "1:00", "3:07", "1:02:45", "", "", ""]);
  });

  it("follows only web addresses", () => {
    expect(["javascript:alert(1)", "data:text/html,x", "//x", "", null].map(webAddress)).toEqual([null, null, null, null, null]);
    expect(webAddress("https://example.org/a")).toBe("https://example.org/a");
  });
});

describe("hidden characters", () => {
  it.each([
    ["a\u202eb", "U+202E"],
    ["a\u200bb", "U+200B"],
    ["a\u2066b", "U+2066"],
    ["a\u0007b", "U+0007"],
    ["a\rb", "U+000D"],
    ["a\u00a0b", "U+00A0"],
    ["a\ufeffb", "U+FEFF"],
    ["a\u{e0041}b", "U+E0041"],
    ["a\u3164b", "U+3164"],
    ["a\u001bb", "U+001B"],
  ])("%j is written out", (source, name) => {
    expect(reveal(source)).toEqual([
      { text: "a", hidden: false },
      { text: name, hidden: true },
      { text: "b", hidden: false },
    ]);
  });

  it("leaves ordinary text alone", () => {
    expect(reveal("if x:\n\treturn 'Größe 漢字 🎬'")).toHaveLength(1);
  });
});

describe("the progress of what was approved", () => {
  const followed = { id: "a", title: "A", digest: "1", verb: "approve", refusal: "" } as const;
  const system = { running: true, health: {}, improvements: [], deploying: null, missed: [], devUrl: "" };
  const at = (status: string, digest = "1") => progressOf(followed, system, { status, digest });

  it("goes from approved over deploying to live", () => {
    expect(at("AWAITING_APPROVAL").step).toBe("approved"); // an answer from a moment before
    expect(at("APPROVED")).toMatchObject({ step: "approved", final: false });
    const deploying = { improvement: "a", status: "CANARY", message: "" };
    expect(progressOf(followed, { ...system, deploying }, { status: "APPROVED", digest: "1" }).step).toBe("deploying");
    expect(at("LIVE")).toMatchObject({ step: "live", final: true });
  });

  it("ends in words when it does not get there", () => {
    for (const status of ["ROLLED_BACK", "FAILED", "UNPROVEN", "SUPERSEDED", "EXPIRED", "REJECTED"]) {
      expect(at(status)).toMatchObject({ step: "stopped", final: true });
    }
    expect(at("AWAITING_APPROVAL", "2").words).toContain("asks again");
    expect(progressOf({ ...followed, refusal: "It has changed." }, system, null).words).toBe("It has changed.");
  });

  it("says when nobody is there to deploy it", () => {
    expect(progressOf(followed, { ...system, running: false }, null).words).toContain("aiimprove is not running");
  });
});
