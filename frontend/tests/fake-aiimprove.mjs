#!/usr/bin/env node
// A fake of the aiimprove command line for the tests of this folder. It is a real process with the real contract:
// it reads the secret from stdin and prints one envelope. What it says is set by files in $AIIMPROVE_STATE:
//   behaviour.json  {"mode": "normal|slow|garbage|silent|huge|liar", "delay": ms, "refuse": {"exit": n, "code": "", "message": ""}}
//   improvement.json  the one improvement it knows; approve and reject change its status
// Every start and end is a line of calls.log, so that tests can see how many ran at once.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const state = process.env.AIIMPROVE_STATE;
const argv = process.argv.slice(2);
const verb = argv[0] === "operator" ? "operator login" : argv[0];

const read = (name, otherwise) => {
  const path = join(state, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : otherwise;
};
const note = (word, more = {}) =>
  appendFileSync(join(state, "calls.log"), `${JSON.stringify({ word, pid: process.pid, verb, ...more })}\n`);

const behaviour = { mode: "normal", delay: 0, refuse: null, ...read("behaviour.json", {}) };
const improvement = read("improvement.json", {
  id: "bound-page-number",
  kind: "bug",
  title: "A huge page number crashes the list",
  status: "AWAITING_APPROVAL",
  digest: "a".repeat(64),
});

function say(exit, data, errors = []) {
  const status = exit === 0 ? "ok" : exit === 3 ? "refused" : "error";
  process.stdout.write(`${JSON.stringify({ aiimprove: 1, command: verb, status, exit_code: exit, data, errors })}\n`);
  process.exitCode = exit;
}

const refuse = (exit, code, message) => say(exit, {}, [{ code, message }]);

function decide(status) {
  if (argv[1] !== improvement.id) return refuse(7, "not_found", `There is no improvement ${argv[1]}.`);
  if (argv[argv.indexOf("--digest") + 1] !== improvement.digest) {
    return refuse(3, "stale", "This improvement has changed since you looked at it.");
  }
  writeFileSync(join(state, "improvement.json"), JSON.stringify({ ...improvement, status }));
  return say(0, { id: improvement.id, status });
}

const verbs = {
  status: () => say(0, { running: true, health: { score: 97, errors: 0, live: "ok", dev: "ok", backend: "ok", database: "ok" }, counts: { [improvement.status]: 1 }, improvements: [improvement], live_release: "r1", dev_release: "r1", deploying: null, ...read("status.json", {}) }),
  show: () => (argv[1] === improvement.id ? say(0, { ...improvement, ...read("card.json", {}) }) : refuse(7, "not_found", `There is no improvement ${argv[1]}.`)),
  approve: () => decide("APPROVED"),
  reject: () => decide("REJECTED"),
};

function speak(secret) {
  if (verb === "operator login") {
    if (secret !== "one-time-secret") return refuse(3, "used", "This link was used already or has expired.");
    return say(0, { token: "valid-operator-token", name: "Ada", expires: Math.floor(Date.now() / 1000) + 3600 });
  }
  if (secret !== "valid-operator-token") return refuse(3, "not_operator", "The token is not valid.");
  if (behaviour.refuse) return refuse(behaviour.refuse.exit, behaviour.refuse.code, behaviour.refuse.message);
  return verbs[verb] ? verbs[verb]() : refuse(2, "usage", `No such verb: ${verb}`);
}

const odd = {
  garbage: () => process.stdout.write("Traceback (most recent call last):\n"),
  silent: () => undefined,
  huge: () => process.stdout.write("x".repeat(3 * 1024 * 1024)),
  liar: () => {
    say(0, {});
    process.exitCode = 3;
  },
};

note("start", { argv, environment: Object.keys(process.env).sort() });
const secret = behaviour.mode === "deaf" ? "" : readFileSync(0, "utf8").trim();
setTimeout(() => {
  (odd[behaviour.mode] ?? (() => speak(secret)))();
  note("end");
}, behaviour.delay);
