const assert = require("node:assert");
const { once } = require("node:events");
const { test } = require("node:test");

const app = require("../app");

test("a ticket is made and read", async () => {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const headers = { "content-type": "application/json" };
  const made = await (await fetch(`${base}/tickets`, { method: "POST", headers, body: '{"title": " Lamp "}' })).json();
  assert.strictEqual(made.title, "Lamp");
  assert.strictEqual((await fetch(`${base}/tickets/${made.id}`)).status, 200);
  assert.strictEqual((await fetch(`${base}/tickets/9999`)).status, 404);
  server.close();
  server.closeAllConnections();
});
