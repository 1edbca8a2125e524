import { isConfigured, isId, showCall, statusCall } from "../../../lib/aiimprove";
import { read } from "../../../lib/approval-desk";
import { nothingHere, refuse, tokenOf } from "../../../lib/operator-request";

export const dynamic = "force-dynamic";

/** The system's status for a signed-in operator, or with ?show=ID the card of one improvement. */
export async function GET(request: Request): Promise<Response> {
  const token = tokenOf(request);
  if (!isConfigured() || token === null) return nothingHere();
  const id = new URL(request.url).searchParams.get("show");
  if (id === null) return read(statusCall(token));
  if (!isId(id)) return refuse("show", 400, "bad_id", "That is not the id of an improvement.");
  return read(showCall(token, id));
}
