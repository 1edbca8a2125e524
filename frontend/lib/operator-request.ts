/** What the approval routes demand of a request, and how they answer. Server side only. */
import { isToken } from "./aiimprove";
import { type Envelope, failure, firstCode, httpStatus } from "./envelope";

export const COOKIE = "aiimprove_operator";
const MAX_BODY_BYTES = 8 * 1024;
const NO_STORE = { "Cache-Control": "no-store" };

/** The answer of a route that does not exist for this visitor. */
export function nothingHere(): Response {
  return new Response(null, { status: 404, headers: NO_STORE });
}

export function answer(envelope: Envelope, status = httpStatus(envelope.exit_code)): Response {
  const response = Response.json(envelope, { status, headers: NO_STORE });
  if (firstCode(envelope) === "not_operator") response.headers.append("Set-Cookie", cookie("", 0, false));
  return response;
}

export function refuse(command: string, status: number, code: string, message: string): Response {
  return answer(failure(command, code, message, status === 400 ? 2 : 3), status);
}

export function tooMany(command: string, seconds: number): Response {
  const response = refuse(command, 429, "too_many_requests", "Too many requests; wait a moment and try again.");
  response.headers.set("Retry-After", String(Math.max(1, seconds)));
  return response;
}

/** The Set-Cookie value that holds, or with an age of 0 removes, an operator's token. */
export function cookie(token: string, maxAgeSeconds: number, secure: boolean): string {
  const parts = [`${COOKIE}=${token}`, "Path=/", `Max-Age=${maxAgeSeconds}`, "HttpOnly", "SameSite=Strict"];
  return (secure ? [...parts, "Secure"] : parts).join("; ");
}

/** The operator's token from the request's cookie, or null. */
export function tokenOf(request: Request): string | null {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [name, ...value] = pair.trim().split("=");
    const token = value.join("=");
    if (name === COOKIE && isToken(token)) return token;
  }
  return null;
}

function hasLiveOrigin(request: Request): boolean {
  const origins = (process.env.AIIMPROVE_ORIGINS ?? "").split(",").map((origin) => origin.trim());
  const origin = request.headers.get("origin");
  return Boolean(origin) && origins.includes(origin ?? "");
}

/** Why this request may not change anything, whatever it says; null if it may. */
export function refusalOfForm(request: Request, command: string): Response | null {
  if (!hasLiveOrigin(request)) {
    return refuse(command, 403, "wrong_origin", "This can only be done from the live site's own page.");
  }
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return refuse(command, 415, "not_json", "The request must be JSON.");
  return null;
}

async function readBounded(request: Request): Promise<string | null> {
  const decoder = new TextDecoder();
  const reader = request.body?.getReader();
  let text = "";
  let size = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) return text + decoder.decode();
    size += chunk.value.byteLength;
    if (size > MAX_BODY_BYTES) {
      await reader?.cancel();
      return null;
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}

/** The JSON object in the body, or the response that says why there is none. */
export async function readObject(request: Request, command: string): Promise<Record<string, unknown> | Response> {
  const text = await readBounded(request);
  if (text === null) return refuse(command, 413, "too_large", "The request is too large.");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // answered below, like any other body that is not an object
  }
  return refuse(command, 400, "bad_request", "The request must hold one JSON object.");
}
