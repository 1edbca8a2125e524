import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Agent, createServer, get, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FRONTEND } from "./fake";

const SLOW_MS = 1200;
const STANDALONE = join(FRONTEND, ".next", "standalone");
// Shuts down as Next.js does: stop listening, then wait until the last connection is gone.
const PLAIN = `
  const server = require("node:http").createServer((request, response) =>
    setTimeout(() => response.end("done"), request.url.includes("slow") ? ${SLOW_MS} : 0));
  server.keepAliveTimeout = 65000;
  server.listen(Number(process.env.PORT), "127.0.0.1");
  process.on("SIGTERM", () => server.close(() => process.exit(0)));
`;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Got {
  status: number;
  text: string;
}

function fetchOver(agent: Agent, port: number, path: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent }, async (response) => {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode ?? 0, text });
    });
    request.on("error", reject);
  });
}

async function untilAnswering(agent: Agent, port: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const up = await fetchOver(agent, port, "/healthz").catch(() => null);
    if (up?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error("the server never answered");
}

let backend: Server;
let agent: Agent;
let port: number;
let child: ChildProcess | null = null;

beforeEach(async () => {
  backend = createServer((_request, response) => void setTimeout(() => response.end('{"slow":true}'), SLOW_MS));
  agent = new Agent({ keepAlive: true });
  port = await freePort();
});

afterEach(async () => {
  if (child?.exitCode === null) child.kill("SIGKILL");
  agent.destroy();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

async function start(args: string[], cwd: string): Promise<ChildProcess> {
  const { PATH } = process.env;
  const environment: NodeJS.ProcessEnv = {
    PATH,
    NODE_ENV: "production",
    PORT: String(port),
    HOSTNAME: "127.0.0.1",
    KEEP_ALIVE_TIMEOUT: "65000",
    BACKEND_URL: `http://127.0.0.1:${await listen(backend)}`,
  };
  child = spawn(process.execPath, args, { cwd, env: environment, stdio: "ignore" });
  await untilAnswering(agent, port);
  return child;
}

function openSilently(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => undefined);
  });
}

async function stopDuringSlowRequest(server: ChildProcess): Promise<{ got: Got; afterAnswer: number; code: number | null }> {
  await Promise.all([1, 2, 3].map(() => fetchOver(agent, port, "/healthz"))); // three idle keep-alive connections
  await openSilently();
  const slow = fetchOver(agent, port, "/api/library/slow");
  await new Promise((resolve) => setTimeout(resolve, 150));
  const exited = new Promise<number | null>((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  const got = await slow;
  const answered = performance.now();
  return { got, code: await exited, afterAnswer: performance.now() - answered };
}

describe("a server that is told to stop", () => {
  it("answers what is under way and ends at once, though connections are kept alive", async () => {
    const server = await start(["--require", join(FRONTEND, "drain.cjs"), "-e", PLAIN], FRONTEND);
    const { got, code, afterAnswer } = await stopDuringSlowRequest(server);
    expect(got).toEqual({ status: 200, text: "done" });
    expect(code).toBe(0);
    expect(afterAnswer).toBeLessThan(500);
  });

  it("ends when it has not started to listen yet", async () => {
    const waiting = spawn(process.execPath, ["--require", join(FRONTEND, "drain.cjs"), "-e", "console.log(1); setTimeout(() => {}, 60000)"]);
    child = waiting;
    await new Promise((resolve) => waiting.stdout.once("data", resolve));
    const exited = new Promise((resolve) => waiting.once("exit", resolve));
    waiting.kill("SIGTERM");
    expect(await exited).toBe(0);
  });
});

describe.skipIf(!existsSync(join(STANDALONE, "drain.cjs")))("the built site", () => {
  const serve = () => start(["--require", "./drain.cjs", "server.js"], STANDALONE);

  it("drains: the slow request is answered and the process is gone right after", async () => {
    const { got, code, afterAnswer } = await stopDuringSlowRequest(await serve());
    expect(got).toEqual({ status: 200, text: '{"slow":true}' });
    expect(code).toBe(143); // Next.js says by which signal it ended
    expect(afterAnswer).toBeLessThan(1000);
  }, 20_000);

  it("gives a visitor pages without a hint, headers against framing, and nothing under /api/ai-", async () => {
    await serve();
    for (const path of ["/", "/playlists", "/sources", "/videos/1", "/no-such-page"]) {
      const { text } = await fetchOver(agent, port, path);
      expect(text).toContain("Video Library");
      expect(text).not.toMatch(/ai-|operator|approv|improve/i);
    }
    expect(await fetchOver(agent, port, "/api/ai-status")).toEqual({ status: 404, text: "" });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    expect((await fetch(`http://127.0.0.1:${port}/api/ai-approve`)).status).toBe(405);
  }, 20_000);
});
