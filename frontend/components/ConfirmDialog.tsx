"use client";

import type { ReactNode } from "react";
import Dialog from "./Dialog";

interface Props {
  title: string;
  action: string;
  problem?: string;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something goes for good. */
export default function ConfirmDialog({ title, action, problem, onConfirm, onClose, children }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div className="row">
        <button type="button" className="button danger" onClick={onConfirm}>
          {action}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Keep it
        </button>
      </div>
      {problem && <p role="alert">{problem}</p>}
    </Dialog>
  );
}
