// Preload of the server: after SIGTERM, requests under way finish and idle keep-alive connections are closed,
// so that the process ends right after its last answer. Next.js alone waits for the keep-alive time to pass.
const { subscribe } = require("node:diagnostics_channel");

const SILENT_CONNECTION_MS = 250;
const servers = new Set();
const sockets = new Set();
let draining = false;

subscribe("net.server.socket", ({ socket }) => {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
});

subscribe("http.server.request.start", ({ response, server }) => {
  servers.add(server);
  if (draining) response.setHeader("connection", "close");
  response.once("close", () => draining && setImmediate(() => server.closeIdleConnections()));
});

process.on("SIGTERM", () => {
  if (process.listenerCount("SIGTERM") === 1) process.exit(0); // the server has not started yet
  draining = true;
  for (const server of servers) server.closeIdleConnections();
  // A connection that never sent a byte does not count as idle.
  setTimeout(() => sockets.forEach((socket) => socket.bytesRead || socket.destroy()), SILENT_CONNECTION_MS).unref();
});
