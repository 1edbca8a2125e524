"use client";

import { useEffect, useState } from "react";
import type { SystemStatus } from "../../lib/approval";
import { fetchCard } from "../../lib/approval-client";
import type { Followed } from "../../lib/followed";

export interface FollowedState {
  id: string;
  status: string;
  digest: string;
  message: string;
}

const NEEDS_WORDS = new Set(["ROLLED_BACK", "FAILED", "UNPROVEN", "REJECTED"]);

const asSentence = (words: string) => words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** The followed improvement's state: from the status, or from its card when the status is silent or too short. */
export function useFollowedState(followed: Followed | null, status: SystemStatus | null): FollowedState | null {
  const [told, setTold] = useState<FollowedState | null>(null);
  const id = followed?.id ?? "";
  const listed = status?.improvements.find((improvement) => improvement.id === id);
  const ask = id !== "" && !followed?.refusal && status !== null && (!listed || NEEDS_WORDS.has(listed.status));

  useEffect(() => {
    let left = false;
    if (!ask) return;
    fetchCard(id).then((answer) => {
      if (left || answer.kind !== "ok") return;
      const { status: state, digest, lastMessage, comesBack } = answer.data;
      setTold({ id, status: state, digest, message: state === "REJECTED" ? asSentence(comesBack) : lastMessage });
    }, () => undefined);
    return () => {
      left = true;
    };
  }, [ask, id, status]);

  const card = told?.id === id ? told : null;
  if (listed && (!card || card.status !== listed.status)) return { ...listed, message: "" };
  return listed ? card : ask ? card : null;
}
