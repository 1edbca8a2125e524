"use client";

import { type RefObject, useCallback, useEffect, useState } from "react";
import type { SystemStatus } from "../../lib/approval";
import { fetchStatus } from "../../lib/approval-client";

const CALM_MS = 4000;
const EAGER_MS = 1500;

export interface Watched {
  status: SystemStatus | null;
  /** The last poll got no answer; the status is the one from before. */
  unreachable: boolean;
  /** Asks again now. */
  look: () => void;
}

/** Polls the status while the page can be seen, more often while `eager`, and goes on through errors. */
export function useStatus(eager: RefObject<boolean>, onSignedOut: () => void): Watched {
  const [status, setStatus] = useState<SystemStatus | null>(null);
  const [unreachable, setUnreachable] = useState(false);
  const [round, setRound] = useState(0);

  useEffect(() => {
    let left = false;
    let timer: ReturnType<typeof setTimeout>;
    const poll = async () => {
      if (!document.hidden) {
        const answer = await fetchStatus();
        if (left) return;
        if (answer.kind === "signed-out") return onSignedOut();
        if (answer.kind === "ok") setStatus(answer.data);
        setUnreachable(answer.kind !== "ok");
      }
      timer = setTimeout(poll, eager.current ? EAGER_MS : CALM_MS);
    };
    void poll();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [round, eager, onSignedOut]);

  const look = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [look]);
  return { status, unreachable, look };
}
