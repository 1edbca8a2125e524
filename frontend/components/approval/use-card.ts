"use client";

import { useCallback, useEffect, useState } from "react";
import type { Card } from "../../lib/approval";
import { fetchCard } from "../../lib/approval-client";

export interface LoadedCard {
  card: Card | null;
  problem: string;
  /** Reads the card anew and answers it. */
  reload: () => Promise<Card | null>;
}

/** The card of one improvement, read once and again on demand: never changed under the reader's eyes. */
export function useCard(id: string): LoadedCard {
  const [card, setCard] = useState<Card | null>(null);
  const [problem, setProblem] = useState("");

  const reload = useCallback(async () => {
    const answer = await fetchCard(id);
    if (answer.kind === "ok") {
      setCard(answer.data);
      setProblem("");
      return answer.data;
    }
    setProblem(answer.kind === "signed-out" ? "You are no longer signed in." : answer.words);
    return null;
  }, [id]);

  useEffect(() => {
    void reload();
  }, [reload]);
  return { card: card?.id === id ? card : null, problem, reload };
}
