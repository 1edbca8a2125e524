/** Passes a browser's request on to the backend and streams the answer back. Server side only. */

const PREFIX = "/api/library/";
const HEADERS_DEADLINE_MS = 15_000;
const REQUEST_HEADERS = ["accept", "accept-language", "content-type", "if-none-match", "if-modified-since", "range"];
// The body arrives here decoded and is framed anew.
const DROPPED = ["connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "set-cookie"];

function sentence(status: number, code: string, message: string): Response {
  return Response.json({ error: code, message }, { status, headers: { "Cache-Control": "no-store" } });
}

function targetOf(request: Request): URL | null {
  const { pathname, search } = new URL(request.url);
  const base = process.env.BACKEND_URL;
  if (!base || !pathname.startsWith(PREFIX)) return null;
  const target = new URL(`${base.replace(/\/+$/, "")}/api/${pathname.slice(PREFIX.length)}${search}`);
  return target.pathname.includes("/api/") ? target : null;
}

function headersFor(request: Request): Headers {
  const headers = new Headers({ "accept-encoding": "identity" }); // the browser's side compresses
  for (const name of REQUEST_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

function passOn(upstream: Response): Response {
  const headers = new Headers(upstream.headers);
  DROPPED.forEach((name) => headers.delete(name));
  return new Response(upstream.body, { status: upstream.status, headers });
}

async function ask(request: Request, target: URL, deadline: AbortSignal): Promise<Response> {
  const hasBody = request.method !== "GET" && request.method !== "HEAD" && request.body !== null;
  const init: RequestInit & { duplex?: "half" } = {
    method: request.method,
    headers: headersFor(request),
    body: hasBody ? request.body : undefined,
    duplex: hasBody ? "half" : undefined,
    redirect: "manual",
    cache: "no-store",
    signal: AbortSignal.any([request.signal, deadline]),
  };
  return passOn(await fetch(target, init));
}

/** The backend's answer; 502 or 504 with a sentence when there is none. */
export async function proxy(request: Request): Promise<Response> {
  const isWrite = request.method !== "GET" && request.method !== "HEAD";
  if (isWrite && request.headers.get("sec-fetch-site") === "cross-site") {
    return sentence(403, "cross_site", "Another site may not change this library.");
  }
  const target = targetOf(request);
  if (target === null) return sentence(502, "backend_unknown", "The library's backend is not configured.");
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), HEADERS_DEADLINE_MS);
  try {
    return await ask(request, target, late.signal);
  } catch {
    // Refused, reset, too late: for the visitor it is all the same, and the page offers to try again.
    if (late.signal.aborted) return sentence(504, "backend_slow", "The library takes too long to answer.");
    return sentence(502, "backend_down", "The library is not answering right now.");
  } finally {
    clearTimeout(timer);
  }
}
