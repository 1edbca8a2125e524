// The app of app.py for Node, for what restarts Node only. Each acknowledged row is one line in the file ROWS.
const { createHash } = require("node:crypto");
const { appendFileSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");

const ROWS = process.env.ROWS || "rows.txt";
let release = "?";
try { release = readFileSync(process.env.RELEASE_FILE || "release.txt", "utf8").trim(); } catch { /* unnamed */ }

const say = (res, status, content) => {
  const text = JSON.stringify(content);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
};

const collect = async (req) => {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  return Buffer.concat(pieces);
};

const ticking = (res, kind, most, text) => {
  res.writeHead(200, { "content-type": kind });
  let number = 0;
  const timer = setInterval(() => {
    if (number === most) { clearInterval(timer); res.end("end\n"); } else res.write(text(number++));
  }, 50);
  res.on("close", () => clearInterval(timer));
};

const routes = {
  "GET /": async (req, res) => say(res, 200, { release, pid: process.pid }),
  "GET /health": async (req, res) => say(res, 200, { release, pid: process.pid }),
  "POST /rows": async (req, res) => {
    const content = await collect(req);
    appendFileSync(ROWS, `${JSON.parse(content).row}\n`);
    say(res, 201, { bytes: content.length });
  },
  "POST /upload": async (req, res) => {
    const content = await collect(req);
    appendFileSync(ROWS, `${new URL(req.url, "http://x").searchParams.get("row")}\n`);
    say(res, 201, { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") });
  },
  "GET /stream": async (req, res) => ticking(res, "text/plain", 40, (number) => `${number}\n`),
  "GET /events": async (req, res) => ticking(res, "text/event-stream", Infinity, (number) => `data: ${number + 1}\n\n`),
};

const server = createServer((req, res) => {
  const route = routes[`${req.method} ${req.url.split("?")[0]}`] || (async () => say(res, 404, { error: "no such page" }));
  route(req, res).catch(() => res.destroy());
});

// Short text frames only: what the bench sends.
server.on("upgrade", (req, socket) => {
  const key = createHash("sha1").update(`${req.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + `Sec-WebSocket-Accept: ${key.digest("base64")}\r\n\r\n`);
  socket.on("error", () => socket.destroy());
  socket.on("data", (frame) => {
    if ((frame[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]));
    const length = frame[1] & 127, mask = frame.subarray(2, 6);
    const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]);
    return socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
  });
});

process.on("SIGINT", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
server.listen(Number(process.env.PORT), "127.0.0.1");
