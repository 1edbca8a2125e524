"use client";

import { type FormEvent, useEffect, useState } from "react";
import type { Card } from "../../lib/approval";
import { type Answer, approve, reject } from "../../lib/approval-client";
import Plain from "./Plain";
import styles from "./approval.module.css";

export type Verb = "approve" | "reject";
type Outcome = Answer<Record<string, unknown>>;

/** A card that was just replaced must not be decided by a click that was meant for the one before. */
const SETTLE_MS = 1500;

interface Props {
  card: Card;
  onAnswer: (verb: Verb, card: Card, answer: Outcome) => Promise<void>;
}

function useSettled(digest: string): boolean {
  const [settled, setSettled] = useState(digest);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(digest), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [digest]);
  return settled === digest;
}

function Reason({ value, onChange }: { value: string; onChange: (reason: string) => void }) {
  return (
    <label className={styles.reason}>
      <span className="small">Reason, if you reject it</span>
      <textarea
        className="field"
        data-testid="ai-reason"
        rows={1}
        maxLength={2000}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

/** What must be typed before a change without a way back can be approved. */
const ONE_WAY = "one way";

function OneWay({ why, value, onChange }: { why: string; value: string; onChange: (typed: string) => void }) {
  return (
    <label className={styles.reason}>
      <span className="small">
        <Plain>{why}</Plain>. Type “{ONE_WAY}” to approve it all the same.
      </span>
      <input
        className="field"
        data-testid="ai-one-way"
        autoComplete="off"
        maxLength={20}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

/** The two buttons. They take one click each until the answer is there. */
export default function Decision({ card, onAnswer }: Props) {
  const [under, setUnder] = useState<Verb | null>(null);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState({ digest: "", words: "" });
  const settled = useSettled(card.digest);
  const open = card.status === "AWAITING_APPROVAL" && under === null && settled;

  const words = typed.digest === card.digest ? typed.words : "";
  const known = !card.oneWay || words.trim().toLowerCase() === ONE_WAY;

  const decide = async (verb: Verb, ask: () => Promise<Outcome>) => {
    if (!open) return;
    setUnder(verb);
    await onAnswer(verb, card, await ask());
    setUnder(null);
  };
  const sendReason = (event: FormEvent) => {
    event.preventDefault();
    void decide("reject", () => reject(card.id, card.digest, reason.trim()));
  };

  return (
    <form className={styles.decision} onSubmit={sendReason} aria-label="Decision">
      {card.oneWay && (
        <OneWay why={card.rollback} value={words} onChange={(words) => setTyped({ digest: card.digest, words })} />
      )}
      <Reason value={reason} onChange={setReason} />
      <button type="submit" className="button danger" data-testid="ai-reject" disabled={!open || !reason.trim()}>
        {under === "reject" ? "Rejecting…" : "Reject"}
      </button>
      <button
        type="button"
        className="button primary"
        data-testid="ai-approve"
        disabled={!open || !known}
        onClick={() => known && decide("approve", () => approve(card.id, card.digest, card.oneWay))}
      >
        {under === "approve" ? "Approving…" : "Approve & Deploy"}
      </button>
    </form>
  );
}
