const express = require("express");

const tickets = require("./routes/tickets");

const app = express();

app.use(express.json());

app.get("/health", (request, response) => response.json({ ok: true }));

app.get("/", (request, response) => {
  response.cookie("session", Math.random().toString(36).slice(2));
  response.send(`<!doctype html><html lang="en"><title>Tickets</title><h1>Tickets</h1><ul>${tickets.all
    .map((ticket) => `<li>${ticket.id}: ${ticket.title}</li>`).join("\n")}</ul></html>`);
});

app.use("/tickets", tickets.router);

module.exports = app;
