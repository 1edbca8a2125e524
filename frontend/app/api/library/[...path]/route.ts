import { proxy } from "../../../../lib/backend-proxy";

export const dynamic = "force-dynamic";

export { proxy as DELETE, proxy as GET, proxy as PATCH, proxy as POST, proxy as PUT };
