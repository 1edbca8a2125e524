const express = require("express");

const BACKEND = process.env.BACKEND_URL || "http://localhost:8000";
const app = express();

app.get("/healthz", (request, response) => response.send("ok"));

app.get("/", async (request, response) => {
  const cards = await (await fetch(`${BACKEND}/api/cards`)).json();
  response.send(`<!doctype html><html lang="en"><title>Kanban</title><ul>${cards.map((card) => `<li>${card.title}</li>`).join("")}</ul></html>`);
});

app.listen(process.env.PORT || 3000);
