import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DELETE, GET, PATCH, POST, PUT } from "../app/api/library/[...path]/route";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

let server: Server;
let seen: Seen[];
let answerWith: (response: ServerResponse) => void;

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

beforeEach(async () => {
  seen = [];
  answerWith = (response) => response.end('{"ok":true}');
  server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers, body: await readAll(request) });
    answerWith(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env.BACKEND_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  delete process.env.BACKEND_URL;
});

function request(path: string, init: RequestInit = {}): Request {
  return new Request(`http://localhost:4310/api/library/${path}`, init);
}

describe("the way to the backend", () => {
  it("passes method, path, query and body on, and status and body back", async () => {
    answerWith = (response) => response.writeHead(202, { "content-type": "application/json", "x-total": "7" }).end('{"queued":1}');
    const body = JSON.stringify({ name: "Späße" });
    const headers = { "content-type": "application/json" };
    for (const [method, route] of Object.entries({ POST, PUT, PATCH, DELETE })) {
      const response = await route(request("playlists/a%2Fb?x=1&y=%26", { method, headers, body }));
      expect([response.status, response.headers.get("x-total"), await response.json()]).toEqual([202, "7", { queued: 1 }]);
    }
    expect(seen.map(({ method }) => method)).toEqual(["POST", "PUT", "PATCH", "DELETE"]);
    expect(seen[0]).toMatchObject({ url: "/api/playlists/a%2Fb?x=1&y=%26", body });
  });

  it("keeps the visitor's cookies and credentials from the backend, and the backend's cookies from the visitor", async () => {
    answerWith = (response) => response.writeHead(200, { "set-cookie": "a=b" }).end("{}");
    const headers = { cookie: "aiimprove_operator=secret", authorization: "Bearer x", "if-none-match": '"1"' };
    const response = await GET(request("videos", { headers }));
    expect(seen[0]?.headers).not.toHaveProperty("cookie");
    expect(seen[0]?.headers).not.toHaveProperty("authorization");
    expect(seen[0]?.headers["if-none-match"]).toBe('"1"');
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  it("streams: the first part is there before the last is made", async () => {
    let finish = (): void => undefined;
    answerWith = (response) => {
      response.write("first");
      finish = () => response.end("last");
    };
    const response = await GET(request("videos"));
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    finish();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("last");
  });

  it("passes errors, empty answers and redirects on as they are", async () => {
    for (const status of [204, 304, 307, 404, 422, 500]) {
      answerWith = (response) => response.writeHead(status, { location: "/elsewhere" }).end();
      expect((await GET(request("videos/1"))).status).toBe(status);
    }
  });

  it("never leaves the backend's /api/", async () => {
    await GET(request("../../health"));
    await GET(request("%2e%2e/%2e%2e/health"));
    expect(seen).toEqual([]);
  });

  it("refuses a change that another site asks for", async () => {
    const headers = { "sec-fetch-site": "cross-site" };
    expect((await POST(request("sources", { method: "POST", headers, body: "{}" }))).status).toBe(403);
    expect(seen).toEqual([]);
  });

  it("says 502 with a sentence when the backend is down or cuts the line", async () => {
    answerWith = (response) => response.destroy();
    const cut = await GET(request("videos"));
    process.env.BACKEND_URL = "http://127.0.0.1:9";
    const down = await GET(request("videos"));
    delete process.env.BACKEND_URL;
    const unknown = await GET(request("videos"));
    for (const response of [cut, down, unknown]) {
      expect(response.status).toBe(502);
      expect((await response.json()).message).toMatch(/^The library.+\.$/);
    }
  });

  it("gives up when the visitor has gone", async () => {
    const visitor = new AbortController();
    answerWith = () => visitor.abort();
    expect((await GET(request("videos", { signal: visitor.signal }))).status).toBe(502);
  });
});
