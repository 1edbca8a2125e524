import { isConfigured, isDigest, isId, isReason, rejectCall } from "../../../lib/aiimprove";
import { decide } from "../../../lib/approval-desk";
import { nothingHere, readObject, refusalOfForm, refuse, tokenOf } from "../../../lib/operator-request";

export const dynamic = "force-dynamic";

/** Rejects an improvement with a reason that is remembered. */
export async function POST(request: Request): Promise<Response> {
  if (!isConfigured()) return nothingHere();
  const refusal = refusalOfForm(request, "reject");
  if (refusal) return refusal;
  const token = tokenOf(request);
  if (token === null) return refuse("reject", 401, "not_operator", "Sign in as an operator first.");
  const body = await readObject(request, "reject");
  if (body instanceof Response) return body;
  const { id, digest, reason } = body;
  if (!isId(id) || !isDigest(digest)) return refuse("reject", 400, "bad_request", "An id and a digest are needed.");
  if (!isReason(reason)) return refuse("reject", 400, "bad_reason", "A reason of 1 to 2,000 characters is needed.");
  return decide(rejectCall(token, id, digest, reason.trim()), id, digest);
}
