"use client";

import { useRef, useState } from "react";
import type { SystemStatus } from "../lib/approval";
import { type Followed, progressOf, recallFollowed, rememberFollowed } from "../lib/followed";
import ApprovalPanel from "./approval/ApprovalPanel";
import Missed from "./approval/Missed";
import styles from "./approval/approval.module.css";
import ProgressCard from "./approval/ProgressCard";
import { useFollowedState } from "./approval/use-followed-state";
import { useStatus } from "./approval/use-status";
import { SparkIcon } from "./icons";

const UNKNOWN: SystemStatus = { running: true, health: {}, improvements: [], deploying: null, missed: [], devUrl: "" };

interface Props {
  /** The server says that this browser is not an operator's. */
  onSignedOut: () => void;
}

function OpenButton({ count, onOpen }: { count: number; onOpen: () => void }) {
  if (count === 0) return null;
  return (
    <button type="button" className={styles.button} data-testid="ai-button" aria-haspopup="dialog" onClick={onOpen}>
      <SparkIcon />
      <span className={styles.label}>{count === 1 ? "Improvement ready" : "Improvements ready"}</span>
      <span className={styles.badge}>
        {count}
        <span className="visually-hidden"> waiting for approval</span>
      </span>
    </button>
  );
}

/** For a signed-in operator: what waits for a decision, and what became of the last one. */
export default function AIApprovalButton({ onSignedOut }: Props) {
  const [followed, setFollowed] = useState<Followed | null>(recallFollowed);
  const [open, setOpen] = useState(false);
  const eager = useRef(false);
  const { status, unreachable, look } = useStatus(eager, onSignedOut);
  const state = useFollowedState(followed, status);
  const progress = followed && progressOf(followed, status ?? UNKNOWN, state);
  eager.current = progress !== null && !progress.final;

  // What was just decided may still be listed by an older answer.
  const decidedDigest = followed && !followed.refusal ? followed.digest : null;
  const waiting = (status?.improvements ?? []).filter(
    (improvement) => improvement.status === "AWAITING_APPROVAL" && improvement.digest !== decidedDigest,
  );
  const follow = (next: Followed | null) => {
    rememberFollowed(next);
    setFollowed(next);
    look();
  };
  const decided = (next: Followed) => {
    if (!next.refusal) setOpen(false);
    follow(next);
  };

  return (
    <div className={styles.corner}>
      <OpenButton count={waiting.length} onOpen={() => setOpen(true)} />
      <Missed missed={status?.missed ?? []} />
      {followed && progress && (
        <ProgressCard followed={followed} progress={progress} unreachable={unreachable} onDismiss={() => follow(null)} />
      )}
      {open && status && (
        <ApprovalPanel waiting={waiting} status={status} onClose={() => setOpen(false)} onFollow={decided} />
      )}
    </div>
  );
}
