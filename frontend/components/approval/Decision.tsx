"use client";

import { type FormEvent, useEffect, useState } from "react";
import type { Card } from "../../lib/approval";
import { type Answer, approve, reject } from "../../lib/approval-client";
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

/** The two buttons. They take one click each until the answer is there. */
export default function Decision({ card, onAnswer }: Props) {
  const [under, setUnder] = useState<Verb | null>(null);
  const [reason, setReason] = useState("");
  const settled = useSettled(card.digest);
  const open = card.status === "AWAITING_APPROVAL" && under === null && settled;

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
      <Reason value={reason} onChange={setReason} />
      <button type="submit" className="button danger" data-testid="ai-reject" disabled={!open || !reason.trim()}>
        {under === "reject" ? "Rejecting…" : "Reject"}
      </button>
      <button
        type="button"
        className="button primary"
        data-testid="ai-approve"
        disabled={!open}
        onClick={() => decide("approve", () => approve(card.id, card.digest))}
      >
        {under === "approve" ? "Approving…" : "Approve & Deploy"}
      </button>
    </form>
  );
}
