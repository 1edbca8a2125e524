import { isConfigured, isToken, loginCall, run } from "../../../lib/aiimprove";
import { desk } from "../../../lib/approval-desk";
import { type Envelope, failure } from "../../../lib/envelope";
import { answer, cookie, nothingHere, readObject, refusalOfForm, refuse, tooMany } from "../../../lib/operator-request";

export const dynamic = "force-dynamic";

function signIn(envelope: Envelope, origin: string): Response {
  const { token, name, expires } = envelope.data;
  if (!isToken(token) || typeof expires !== "number") {
    return answer(failure("operator login", "unreadable_answer", "aiimprove gave an answer that could not be read."));
  }
  const age = Math.max(0, Math.floor(expires - Date.now() / 1000));
  const response = answer({ ...envelope, data: { name, expires } }); // the token stays out of the page's reach
  response.headers.append("Set-Cookie", cookie(token, age, origin.startsWith("https:")));
  return response;
}

/** Turns a one-time secret into the operator's cookie. */
export async function POST(request: Request): Promise<Response> {
  if (!isConfigured()) return nothingHere();
  const refusal = refusalOfForm(request, "operator login");
  if (refusal) return refusal;
  const wait = desk().logins.take();
  if (wait > 0) return tooMany("operator login", wait);
  const body = await readObject(request, "operator login");
  if (body instanceof Response) return body;
  if (!isToken(body.secret)) return refuse("operator login", 400, "bad_request", "A one-time secret is needed.");
  const envelope = await run(loginCall(body.secret));
  return envelope.exit_code === 0 ? signIn(envelope, request.headers.get("origin") ?? "") : answer(envelope);
}
