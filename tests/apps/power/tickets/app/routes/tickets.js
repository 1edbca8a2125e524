const express = require("express");

const router = express.Router();
const all = Array.from({ length: 80 }, (_, index) => ({ id: index + 1, title: `Ticket number ${index + 1}`, open: true }));

router.get("/", (request, response) => response.json(all));

router.get("/:id", (request, response) => {
  const found = all.find((ticket) => ticket.id === Number(request.params.id));
  return found ? response.json(found) : response.status(404).json({ error: "no such ticket" });
});

router.post("/", (request, response) => {
  const title = typeof request.body.title === "string" ? request.body.title.trim() : "";
  if (!title) return response.status(400).json({ error: "a title is needed" });
  const made = { id: all.length + 1, title: title.slice(0, 200), open: true };
  all.push(made);
  return response.status(201).json(made);
});

module.exports = { router, all };
