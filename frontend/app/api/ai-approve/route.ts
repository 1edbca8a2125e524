import { approveCall, isConfigured, isDigest, isId } from "../../../lib/aiimprove";
import { decide } from "../../../lib/approval-desk";
import { nothingHere, readObject, refusalOfForm, refuse, tokenOf } from "../../../lib/operator-request";

export const dynamic = "force-dynamic";

/** Approves the improvement and exactly the digest that the operator saw. Deploying is the engine's. */
export async function POST(request: Request): Promise<Response> {
  if (!isConfigured()) return nothingHere();
  const refusal = refusalOfForm(request, "approve");
  if (refusal) return refusal;
  const token = tokenOf(request);
  if (token === null) return refuse("approve", 401, "not_operator", "Sign in as an operator first.");
  const body = await readObject(request, "approve");
  if (body instanceof Response) return body;
  const { id, digest, one_way: oneWay } = body;
  if (!isId(id) || !isDigest(digest)) return refuse("approve", 400, "bad_request", "An id and a digest are needed.");
  return decide(approveCall(token, id, digest, oneWay === true), id, digest);
}
