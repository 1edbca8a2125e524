const assert = require("node:assert");
const { once } = require("node:events");
const { test } = require("node:test");

const app = require("../app");

test("a link can be made and followed", async () => {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const body = JSON.stringify({ name: "docs", url: "https://example.org/docs" });
  await fetch(`${base}/links`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = await fetch(`${base}/docs`, { redirect: "manual" });
  assert.strictEqual(answer.status, 302);
  server.close();
  server.closeAllConnections();
});
