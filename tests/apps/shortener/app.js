const express = require("express");

const app = express();
const links = new Map();

app.use(express.json());

app.get("/status", (request, response) => response.json({ ok: true, links: links.size }));

app.get("/links", (request, response) => response.json([...links].map(([name, url]) => ({ name, url }))));

app.post("/links", (request, response) => {
  const { name, url } = request.body;
  if (!name || !/^https?:\/\//.test(url)) return response.status(400).json({ error: "name and url are needed" });
  links.set(name, url);
  return response.status(201).json({ name, url });
});

app.get("/:name", (request, response) => {
  const url = links.get(request.params.name);
  return url ? response.redirect(url) : response.status(404).json({ error: "no such link" });
});

module.exports = app;
