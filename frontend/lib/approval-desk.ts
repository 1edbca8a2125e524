/** The state that all approval routes of one server process share: their gates and rate limits. */
import { createHash } from "node:crypto";
import { type Call, run } from "./aiimprove";
import type { Envelope } from "./envelope";
import { answer, tooMany } from "./operator-request";
import { Busy, Gate } from "./gate";
import { TokenBucket } from "./token-bucket";

interface Desk {
  reading: Gate<Envelope>;
  deciding: Gate<Envelope>;
  decisions: TokenBucket;
  logins: TokenBucket;
}

function openDesk(): Desk {
  return {
    reading: new Gate({ remember: 1500, queue: 8, answers: 64 }),
    deciding: new Gate({ remember: 1500, queue: 8, answers: 64 }),
    decisions: new TokenBucket(10, 1000),
    logins: new TokenBucket(5, 10_000),
  };
}

const KEY = Symbol.for("aiimprove.desk");
const shelf = globalThis as { [KEY]?: Desk };

/** Routes are bundled one by one, so a module of theirs is not a place for what they share. */
export function desk(): Desk {
  return (shelf[KEY] ??= openDesk());
}

/** A fresh desk, as after a restart of the server. */
export function clearDesk(): void {
  shelf[KEY] = openDesk();
}

function keyOf(token: string, ...parts: string[]): string {
  return [createHash("sha256").update(token).digest("hex"), ...parts].join(" ");
}

/** Reads with at most one child at a time; equal questions share an answer for 1.5 s. */
export async function read(call: Call): Promise<Response> {
  try {
    return answer(await desk().reading.ask(keyOf(call.secret, ...call.args), () => run(call)));
  } catch (error) {
    if (error instanceof Busy) return tooMany(call.verb, 1);
    throw error;
  }
}

/** Decides with a child of its own; clicking again shares the answer and costs nothing. */
export async function decide(call: Call, id: string, digest: string): Promise<Response> {
  const { deciding, decisions, reading } = desk();
  const key = keyOf(call.secret, call.verb, id, digest, String(call.args.includes("--one-way")));
  const wait = deciding.shared(key) ? 0 : decisions.take();
  if (wait > 0) return tooMany(call.verb, wait);
  try {
    const envelope = await deciding.ask(key, () => run(call));
    reading.forget();
    return answer(envelope);
  } catch (error) {
    if (error instanceof Busy) return tooMany(call.verb, 1);
    throw error;
  }
}
