/** The browser's side of the approval routes. */
import { type Card, readCard, readStatus, type SystemStatus } from "./approval";
import { type Envelope, firstCode, inWords, parseEnvelope } from "./envelope";

const DEADLINE_MS = 25_000;

export type Answer<T> =
  | { kind: "ok"; data: T }
  /** This browser is not, or no longer, an operator's. */
  | { kind: "signed-out" }
  /** The engine or the server said no, and why. */
  | { kind: "refused"; code: string; words: string }
  /** No answer that means anything: the server may be changing under us. */
  | { kind: "unreachable"; words: string };

const UNREACHABLE = "The server did not answer. It may be switching releases.";

function judge(status: number, envelope: Envelope | null): Answer<Record<string, unknown>> {
  const code = firstCode(envelope);
  if (code === "not_operator" || (status === 404 && envelope === null)) return { kind: "signed-out" };
  if (envelope === null) return { kind: "unreachable", words: UNREACHABLE };
  if (status === 200) return { kind: "ok", data: envelope.data };
  return { kind: "refused", code, words: inWords(envelope) };
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer<Record<string, unknown>>> {
  try {
    const response = await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(DEADLINE_MS) });
    return judge(response.status, parseEnvelope(await response.text()));
  } catch {
    return { kind: "unreachable", words: UNREACHABLE };
  }
}

function post(path: string, body: unknown): Promise<Answer<Record<string, unknown>>> {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

function map<T, U>(answer: Answer<T>, read: (data: T) => U): Answer<U> {
  return answer.kind === "ok" ? { kind: "ok", data: read(answer.data) } : answer;
}

export async function fetchStatus(): Promise<Answer<SystemStatus>> {
  return map(await ask("/api/ai-status"), readStatus);
}

export async function fetchCard(id: string): Promise<Answer<Card>> {
  return map(await ask(`/api/ai-status?show=${encodeURIComponent(id)}`), readCard);
}

export const login = (secret: string) => post("/api/ai-login", { secret });
export const approve = (id: string, digest: string, oneWay: boolean) =>
  post("/api/ai-approve", { id, digest, ...(oneWay && { one_way: true }) });
export const reject = (id: string, digest: string, reason: string) => post("/api/ai-reject", { id, digest, reason });
