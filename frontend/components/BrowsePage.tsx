"use client";

import { useSearchParams } from "next/navigation";
import Browse from "./Browse";

/** The history API is followed by the router, and costs no request to the server. */
function setAddress(address: string, typing: boolean): void {
  if (typing) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
}

export default function BrowsePage() {
  const search = useSearchParams().toString();
  return <Browse search={search} onAddress={setAddress} />;
}
