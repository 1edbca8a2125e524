"use client";

import { useCallback, useEffect, useState } from "react";
import { sentenceOf } from "./library";

export interface Loaded<T> {
  /** The last good answer; it stays on show while the next one is loading. */
  data: T | null;
  /** A sentence when the last attempt failed. */
  error: string | null;
  loading: boolean;
  /** Asks again. */
  reload: () => void;
  /** Shows a change at once, before it is asked for again. */
  change: (edit: (data: T) => T) => void;
}

interface Outcome<T> {
  key: string;
  data: T | null;
  error: string | null;
}

/** Loads what `key` names; a newer key or leaving the page aborts the older request. */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [attempt, setAttempt] = useState(0);
  const [outcome, setOutcome] = useState<Outcome<T>>({ key: "", data: null, error: null });
  const wanted = `${attempt} ${key}`;

  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (data) => controller.signal.aborted || setOutcome({ key: wanted, data, error: null }),
      (error: unknown) =>
        controller.signal.aborted ||
        setOutcome((last) => ({ key: wanted, data: last.data, error: sentenceOf(error) })),
    );
    return () => controller.abort();
    // `load` is named by the key.
  }, [wanted]);

  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  const change = useCallback(
    (edit: (data: T) => T) => setOutcome((last) => (last.data === null ? last : { ...last, data: edit(last.data) })),
    [],
  );
  return { data: outcome.data, error: outcome.error, loading: outcome.key !== wanted, reload, change };
}
