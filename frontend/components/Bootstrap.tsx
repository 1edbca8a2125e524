"use client";

import { type ComponentType, useEffect, useState } from "react";
import { captureSecret, isMarked, takeSecret } from "../lib/operator-mark";

type Corner = ComponentType<{ secret: string | null }>;

/** For a visitor this does nothing, asks nothing and loads nothing. */
export default function Bootstrap() {
  const [shown, setShown] = useState<{ Corner: Corner; secret: string | null } | null>(null);

  useEffect(() => {
    const start = async () => {
      captureSecret();
      const secret = takeSecret();
      if (secret === null && !isMarked()) return;
      const { default: Corner } = await import("./approval/OperatorCorner");
      setShown({ Corner, secret });
    };
    const tryToStart = () => void start().catch(() => undefined); // the next page load tries again
    tryToStart();
    window.addEventListener("hashchange", tryToStart);
    return () => window.removeEventListener("hashchange", tryToStart);
  }, []);

  return shown && <shown.Corner key={shown.secret} secret={shown.secret} />;
}
