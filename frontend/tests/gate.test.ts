import { describe, expect, it } from "vitest";
import { Busy, Gate } from "../lib/gate";
import { TokenBucket } from "../lib/token-bucket";

const LIMITS = { remember: 60_000, queue: 2, answers: 3 };

function held(): { promise: Promise<string>; release: (value: string) => void } {
  let release: (value: string) => void = () => undefined;
  const promise = new Promise<string>((resolve) => (release = resolve));
  return { promise, release };
}

describe("the gate", () => {
  it("asks one question at a time and shares equal ones", async () => {
    const gate = new Gate<string>(LIMITS);
    const [first, second] = [held(), held()];
    let asked = 0;
    const one = [1, 2, 3].map(() => gate.ask("a", () => (asked++, first.promise)));
    const other = gate.ask("b", () => (asked++, second.promise));
    await Promise.resolve();
    expect(asked).toBe(1);
    first.release("A");
    expect(await Promise.all(one)).toEqual(["A", "A", "A"]);
    second.release("B");
    expect(await other).toBe("B");
    expect(asked).toBe(2);
  });

  it("is busy when too many different questions wait", async () => {
    const gate = new Gate<string>(LIMITS);
    const first = held();
    const waiting = ["a", "b", "c"].map((key) => gate.ask(key, () => first.promise));
    expect(() => gate.ask("d", () => first.promise)).toThrow(Busy);
    first.release("done");
    expect(await Promise.all(waiting)).toEqual(["done", "done", "done"]);
    expect(await gate.ask("d", async () => "now")).toBe("now");
  });

  it("forgets what was given and what is under way", async () => {
    const gate = new Gate<string>(LIMITS);
    const old = held();
    const before = gate.ask("a", () => old.promise);
    gate.forget();
    const after = gate.ask("a", async () => "new");
    old.release("old");
    expect([await before, await after]).toEqual(["old", "new"]);
    expect(await gate.ask("a", async () => "newer")).toBe("new");
  });

  it("goes on after a question that threw, and keeps few answers", async () => {
    const gate = new Gate<string>(LIMITS);
    await expect(gate.ask("bad", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    for (const key of ["a", "b", "c", "d"]) await gate.ask(key, async () => key);
    expect(gate.shared("a")).toBeNull();
    expect(await gate.shared("d")).toBe("d");
  });
});

describe("the token bucket", () => {
  it("gives a burst, then one after each refill, and says how long to wait", () => {
    let now = 0;
    const bucket = new TokenBucket(2, 5000, () => now);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 5]);
    now = 4000;
    expect(bucket.take()).toBe(1);
    now = 5000;
    expect([bucket.take(), bucket.take()]).toEqual([0, 5]);
  });
});
