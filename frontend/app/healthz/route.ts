export const dynamic = "force-dynamic";

/** Says that this server answers; it does not ask the backend. */
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } });
}
