import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { POST as approve } from "../app/api/ai-approve/route";
import { POST as login } from "../app/api/ai-login/route";
import { POST as reject } from "../app/api/ai-reject/route";
import { GET as status } from "../app/api/ai-status/route";
import { clearDesk } from "../lib/approval-desk";
import { DIGEST, FakeCli, ID, ORIGIN, TOKEN } from "./fake";

let cli: FakeCli;
beforeEach(() => {
  cli = new FakeCli();
  clearDesk();
});
afterEach(() => cli.close());

interface Options {
  token?: string | null;
  origin?: string | null;
  type?: string;
}

function look(search = "", token: string | null = TOKEN): Promise<Response> {
  const headers = new Headers(token === null ? {} : { cookie: `theme=dark; aiimprove_operator=${token}` });
  return status(new Request(`${ORIGIN}/api/ai-status${search}`, { headers }));
}

function post(body: unknown, { token = TOKEN, origin = ORIGIN, type = "application/json" }: Options = {}): Request {
  const headers = new Headers({ "content-type": type });
  if (token !== null) headers.set("cookie", `aiimprove_operator=${token}`);
  if (origin !== null) headers.set("origin", origin);
  return new Request(`${ORIGIN}/api/x`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

const decision = { id: ID, digest: DIGEST };

describe("ai-status", () => {
  it("is nothing at all for a visitor, and starts no child", async () => {
    for (const token of [null, "", "x y"]) {
      const response = await look("", token);
      expect([response.status, await response.text()]).toEqual([404, ""]);
    }
    expect(cli.starts()).toEqual([]);
  });

  it("is nothing at all when no command line is configured", async () => {
    delete process.env.AIIMPROVE_BIN;
    const answers = [await look(), await approve(post(decision)), await reject(post(decision)), await login(post({}))];
    for (const response of answers) expect([response.status, await response.text()]).toEqual([404, ""]);
  });

  it("gives an operator the envelope, uncacheable", async () => {
    const response = await look();
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ aiimprove: 1, data: { running: true, improvements: [{ id: ID }] } });
  });

  it("shows a card, says 404 with words for an unknown one, and 400 for what is no id", async () => {
    expect(await (await look(`?show=${ID}`)).json()).toMatchObject({ command: "show", data: { digest: DIGEST } });
    const unknown = await look("?show=nothing-like-it");
    expect([unknown.status, (await unknown.json()).errors[0].code]).toEqual([404, "not_found"]);
    expect((await look("?show=../etc")).status).toBe(400);
    expect(cli.starts().length).toBe(2);
  });

  it("takes the cookie back when the token is not valid, and remembers that for a while", async () => {
    const responses = [await look("", "an-old-token"), await look("", "an-old-token")];
    expect(responses.map((response) => response.status)).toEqual([409, 409]);
    expect(responses[0]?.headers.get("set-cookie")).toMatch(/^aiimprove_operator=; Path=\/; Max-Age=0/);
    expect(cli.starts().length).toBe(1);
  });

  it("never has more than one child, whoever asks", async () => {
    const asking = Array.from({ length: 1000 }, (_, index) =>
      index % 100 === 0 ? look("", `another-token-${index % 300}`) : index % 3 ? look() : look(`?show=${ID}`),
    );
    const answers = await Promise.all(asking);
    expect(answers.filter((response) => response.status === 200).length).toBeGreaterThanOrEqual(989);
    expect(cli.mostAtOnce()).toBe(1);
    expect(cli.starts().length).toBeLessThanOrEqual(5);
  });

  it("says 429 when too many different questions wait", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => look("", `another-token-${index}`)));
    const busy = answers.filter((response) => response.status === 429);
    expect(busy.length).toBe(20 - 9);
    expect(busy[0]?.headers.get("retry-after")).toBe("1");
    expect(cli.mostAtOnce()).toBe(1);
  });
});

describe("the way back", () => {
  it.each([
    [true, true],
    ["yes", false],
    [undefined, false],
  ])("one_way %j is passed on: %j", async (said, passed) => {
    await approve(post({ ...decision, one_way: said }));
    expect(cli.starts().at(-1)?.argv?.includes("--one-way")).toBe(passed);
  });
});

describe("the exit codes", () => {
  it.each([
    [1, 500],
    [2, 400],
    [3, 409],
    [4, 422],
    [5, 502],
    [6, 423],
    [7, 404],
    [130, 500],
  ])("%i is told as %i with the envelope", async (exit, expected) => {
    cli.behave({ refuse: { exit, code: "some_code", message: "In words." } });
    const response = await approve(post(decision));
    expect(response.status).toBe(expected);
    expect(await response.json()).toMatchObject({ exit_code: exit, errors: [{ message: "In words." }] });
  });

  it("garbage is a 500 with an envelope", async () => {
    cli.behave({ mode: "garbage" });
    const response = await look();
    expect([response.status, (await response.json()).errors[0].code]).toEqual([500, "unreadable_answer"]);
  });
});

describe.each([
  ["ai-approve", approve, decision],
  ["ai-reject", reject, { ...decision, reason: "Not now" }],
  ["ai-login", login, { secret: "one-time-secret" }],
] as const)("%s", (_name, route, body) => {
  it.each([null, "null", "http://localhost:4311", "https://localhost:4310", `${ORIGIN}.evil.example`, "http://LOCALHOST:4310"])(
    "refuses the origin %j",
    async (origin) => {
      expect((await route(post(body, { origin }))).status).toBe(403);
      expect(cli.starts()).toEqual([]);
    },
  );

  it("refuses everything when no origin is configured", async () => {
    delete process.env.AIIMPROVE_ORIGINS;
    expect((await route(post(body))).status).toBe(403);
    expect((await route(post(body, { origin: "" }))).status).toBe(403);
  });

  it("takes only JSON, only 8 KB, only an object", async () => {
    expect((await route(post(body, { type: "text/plain" }))).status).toBe(415);
    expect((await route(post({ ...body, padding: "x".repeat(9000) }))).status).toBe(413);
    expect((await route(post("[1, 2"))).status).toBe(400);
    expect((await route(post("[]"))).status).toBe(400);
    expect(cli.starts()).toEqual([]);
  });
});

describe("a decision", () => {
  it("needs the cookie, an id and a digest, and to reject also a reason", async () => {
    expect((await approve(post(decision, { token: null }))).status).toBe(401);
    expect((await approve(post({ id: ID }))).status).toBe(400);
    expect((await approve(post({ id: "../x", digest: DIGEST }))).status).toBe(400);
    expect((await reject(post(decision))).status).toBe(400);
    expect(cli.starts()).toEqual([]);
    expect((await reject(post({ ...decision, reason: " Not before the weekend " }))).status).toBe(200);
    expect(cli.starts()[0]?.argv).toContain("Not before the weekend");
  });

  it("of 1,000 clicks starts one child and answers them all", async () => {
    cli.behave({ delay: 200 });
    const answers = await Promise.all(Array.from({ length: 1000 }, () => approve(post(decision))));
    expect(answers.every((response) => response.status === 200)).toBe(true);
    expect(await answers[999]?.json()).toMatchObject({ data: { status: "APPROVED" } });
    expect(cli.starts().length).toBe(1);
  });

  it("does not lend an operator's answer to another token", async () => {
    expect((await approve(post(decision))).status).toBe(200);
    expect((await approve(post(decision, { token: "somebody-elses" }))).status).toBe(409);
  });

  it("is limited in its rate when every one is different", async () => {
    cli.behave({ mode: "silent" });
    const digests = Array.from({ length: 14 }, (_, index) => index.toString(16).repeat(64));
    const answers = [];
    for (const digest of digests) answers.push(approve(post({ id: ID, digest })));
    const statuses = (await Promise.all(answers)).map((response) => response.status);
    expect(statuses.filter((code) => code === 429).length).toBeGreaterThanOrEqual(4);
    expect(cli.mostAtOnce()).toBe(1);
  });

  it("is seen by the very next poll", async () => {
    await look();
    await approve(post(decision));
    expect(await (await look()).json()).toMatchObject({ data: { improvements: [{ status: "APPROVED" }] } });
  });
});

describe("signing in", () => {
  it("turns a one-time secret into a cookie that no script can read, and keeps the token out of the answer", async () => {
    const response = await login(post({ secret: "one-time-secret" }, { token: null }));
    expect(response.status).toBe(200);
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^aiimprove_operator=valid-operator-token; Path=\/; Max-Age=3[56]\d\d; HttpOnly; SameSite=Strict$/);
    const text = await response.text();
    expect(text).toContain("Ada");
    expect(text).not.toContain(TOKEN);
    expect(JSON.stringify(cli.starts())).not.toContain("one-time-secret");
  });

  it("says what is wrong with a used link", async () => {
    const response = await login(post({ secret: "used-before" }));
    expect(response.status).toBe(409);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect((await response.json()).errors[0].message).toContain("expired");
  });

  it("is limited more strictly", async () => {
    cli.behave({ mode: "silent" });
    const statuses = [];
    for (let attempt = 0; attempt < 7; attempt++) statuses.push((await login(post({ secret: "no secret" }))).status);
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429]);
  });
});
