"use client";

import { usePathname } from "next/navigation";
import { useEffect } from "react";
import { library } from "../lib/library";

/** The kind of page without its number: enough to know what is used, nothing about who. */
export function kindOfPage(path: string): string {
  return path.replace(/\/\d+(?=\/|$)/g, "/:id").slice(0, 100);
}

export default function PageViews() {
  const path = usePathname();
  useEffect(() => {
    // A lost event is no reason to bother a visitor.
    if (path) library.pageView(kindOfPage(path)).catch(() => undefined);
  }, [path]);
  return null;
}
