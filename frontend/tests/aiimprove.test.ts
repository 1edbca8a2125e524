import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { approveCall, isReason, loginCall, rejectCall, run, showCall, statusCall } from "../lib/aiimprove";
import { DIGEST, FakeCli, ID, TOKEN } from "./fake";

let cli: FakeCli;
beforeEach(() => {
  cli = new FakeCli();
});
afterEach(() => cli.close());

describe("a call of the command line", () => {
  it("passes the token on stdin and nowhere else", async () => {
    const envelope = await run(approveCall(TOKEN, ID, DIGEST));
    expect(envelope).toMatchObject({ exit_code: 0, data: { id: ID, status: "APPROVED" } });
    const [call] = cli.starts();
    expect(call?.argv).toEqual(["approve", ID, "--digest", DIGEST, "--json", "--token-stdin"]);
    expect(approveCall(TOKEN, ID, DIGEST, true).args).toContain("--one-way");
    expect(JSON.stringify(call)).not.toContain(TOKEN);
  });

  it("gives the child a minimal environment", async () => {
    process.env.DATABASE_PASSWORD = "hunter2";
    process.env.AIIMPROVE_DOOR = cli.state;
    await run(statusCall(TOKEN));
    delete process.env.DATABASE_PASSWORD;
    delete process.env.AIIMPROVE_DOOR;
    const allowed = ["AIIMPROVE_DOOR", "AIIMPROVE_STATE", "HOME", "LANG", "NODE_ENV", "PATH"];
    const names = cli.starts()[0]?.environment ?? [];
    expect(names.filter((name) => !allowed.includes(name) && !name.startsWith("__"))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["AIIMPROVE_DOOR", "AIIMPROVE_STATE"]));
  });

  it("passes a reason as one word, even one that looks like an option", async () => {
    await run(rejectCall(TOKEN, ID, DIGEST, "--force $(id) `id`; rm"));
    expect(cli.starts()[0]?.argv).toEqual([
      "reject", ID, "--digest", DIGEST, "--reason", "--force $(id) `id`; rm", "--json", "--token-stdin",
    ]);
  });

  it("reads a refusal", async () => {
    const envelope = await run(approveCall(TOKEN, ID, "b".repeat(64)));
    expect(envelope).toMatchObject({ exit_code: 3, status: "refused", errors: [{ code: "stale" }] });
  });

  it.each([
    ["garbage", "unreadable_answer"],
    ["silent", "unreadable_answer"],
    ["liar", "unreadable_answer"],
    ["huge", "too_long"],
  ])("answers with an envelope of its own when the child is %s", async (mode, code) => {
    cli.behave({ mode });
    expect(await run(statusCall(TOKEN))).toMatchObject({ aiimprove: 1, exit_code: 1, errors: [{ code }] });
  });

  it("kills a child that takes too long", async () => {
    cli.behave({ delay: 60_000 });
    expect(await run(statusCall(TOKEN), 400)).toMatchObject({ errors: [{ code: "timeout" }] });
    const { pid } = cli.starts()[0] ?? { pid: 0 };
    if (pid) expect(() => process.kill(pid, 0)).toThrow();
  });

  it("survives a child that never reads, and one that does not exist", async () => {
    process.env.AIIMPROVE_BIN = "/bin/true";
    expect(await run(statusCall(TOKEN))).toMatchObject({ errors: [{ code: "unreadable_answer" }] });
    process.env.AIIMPROVE_BIN = `${cli.state}/missing`;
    expect(await run(statusCall(TOKEN))).toMatchObject({ errors: [{ code: "cannot_run" }] });
  });
});

describe("arguments", () => {
  it.each(["", "A", "-rf", "../x", "a b", "a\n", "a;id", "x".repeat(65)])("refuse the id %j", (id) => {
    expect(() => showCall(TOKEN, id)).toThrow(TypeError);
    expect(() => approveCall(TOKEN, id, DIGEST)).toThrow(TypeError);
  });

  it.each(["", "a".repeat(63), "A".repeat(64), `${"a".repeat(64)}\n`])("refuse the digest %j", (digest) => {
    expect(() => approveCall(TOKEN, ID, digest)).toThrow(TypeError);
  });

  it.each(["", "short", "with space in it", "line\nbreak-in-it", "x".repeat(513)])("refuse the token %j", (token) => {
    expect(() => statusCall(token)).toThrow(TypeError);
    expect(() => loginCall(token)).toThrow(TypeError);
  });

  it("refuse a reason that is empty, endless or holds control characters", () => {
    expect(["", "  ", "x".repeat(2001), "a\u0000b", "a\u001b[2Jb", 7].filter(isReason)).toEqual([]);
    expect(isReason("Too risky\nbefore the weekend")).toBe(true);
  });
});
