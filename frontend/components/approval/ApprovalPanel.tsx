"use client";

import { useState } from "react";
import type { Card, SystemStatus } from "../../lib/approval";
import type { Answer } from "../../lib/approval-client";
import type { Followed } from "../../lib/followed";
import Dialog from "../Dialog";
import styles from "./approval.module.css";
import Decision, { type Verb } from "./Decision";
import ImprovementCard from "./ImprovementCard";
import Plain from "./Plain";
import { useCard } from "./use-card";

interface Props {
  /** What waits when the panel opens; the first is shown. */
  waiting: { id: string; title: string }[];
  status: SystemStatus;
  onClose: () => void;
  /** A decision was taken, or refused: what is to be followed from here. */
  onFollow: (followed: Followed) => void;
}

function Choice({ waiting, chosen, onChoose }: Pick<Props, "waiting"> & { chosen: string; onChoose: (id: string) => void }) {
  const others = waiting.some(({ id }) => id !== chosen);
  if (!others) return null;
  return (
    <label className={styles.reason}>
      <span className="small">{waiting.length === 1 ? "Another improvement waits" : `${waiting.length} improvements wait`}</span>
      <select className="field" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {waiting.every(({ id }) => id !== chosen) && <option value={chosen}>This one needs no decision</option>}
        {waiting.map(({ id, title }) => (
          <option key={id} value={id}>
            {title || id}
          </option>
        ))}
      </select>
    </label>
  );
}

function Problem({ words, onRetry }: { words: string; onRetry?: () => void }) {
  if (!words) return null;
  return (
    <div role="alert" className={styles.refusal}>
      <p>
        <Plain>{words}</Plain>
      </p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

const DECIDED = new Set(["APPROVED", "LIVE"]);

function Title({ card }: { card: Card | null }) {
  if (!card) return "An improvement waits for you";
  return (
    <>
      {card.kind && <span className={styles.kind}>{card.kind}</span>} <Plain>{card.title || card.id}</Plain>
    </>
  );
}

export default function ApprovalPanel({ waiting, status, onClose, onFollow }: Props) {
  const [chosen, setChosen] = useState(waiting[0]?.id ?? "");
  const { card, problem, reload } = useCard(chosen);
  const [refusal, setRefusal] = useState("");

  const hear = async (verb: Verb, { id, title, digest }: Card, answer: Answer<unknown>) => {
    const followed = { id, title, digest, verb, refusal: "" };
    if (answer.kind === "ok") return onFollow(followed);
    const words = answer.kind === "signed-out" ? "You are no longer signed in." : answer.words;
    setRefusal(words);
    const now = await reload();
    // An answer that got lost on its way is told by the card.
    const lost = answer.kind === "unreachable" || (answer.kind === "refused" && answer.code === "timeout");
    const done = verb === "approve" && lost && now !== null && DECIDED.has(now.status);
    onFollow(done ? followed : { ...followed, refusal: words });
  };

  return (
    <Dialog title={<Title card={card} />} onClose={onClose} wide testId="ai-panel">
      <Choice waiting={waiting} chosen={chosen} onChoose={setChosen} />
      <Problem words={refusal} />
      {!card && <Problem words={problem} onRetry={reload} />}
      {!card && !problem && <p role="status">Loading what is known…</p>}
      {card && card.status !== "AWAITING_APPROVAL" && <p role="status">It is {card.status} now and needs no decision.</p>}
      {card && <ImprovementCard card={card} status={status} />}
      {card && <Decision key={card.id} card={card} onAnswer={hear} />}
    </Dialog>
  );
}
