/** The decision whose outcome this browser is waiting for; it outlives a reload. */
import type { Deploying, SystemStatus } from "./approval";
import { forget, recall, remember } from "./operator-mark";

const KEY = "aiimprove.followed";

export interface Followed {
  id: string;
  title: string;
  digest: string;
  verb: "approve" | "reject";
  /** Why the decision was not taken, if it was refused. */
  refusal: string;
}

export interface Progress {
  step: "approved" | "deploying" | "live" | "stopped" | "rejected";
  words: string;
  final: boolean;
}

export function recallFollowed(): Followed | null {
  try {
    const { id, title, digest, verb, refusal } = JSON.parse(recall(KEY) ?? "null") as Followed;
    const whole = [id, title, digest, refusal].every((value) => typeof value === "string");
    return whole ? { id, title, digest, verb: verb === "reject" ? "reject" : "approve", refusal } : null;
  } catch {
    return null;
  }
}

export function rememberFollowed(followed: Followed | null): void {
  if (followed) remember(KEY, JSON.stringify(followed));
  else forget(KEY);
}

const STEP_WORDS: Record<string, string> = {
  PREPARED: "Preparing the new release.",
  STARTED: "The new release is starting beside the one that serves.",
  CANARY: "The new release answers a small share of the traffic.",
  WATCHING: "The new release serves; its health is being watched.",
};

const REJECTED = "Rejected.";

const ENDINGS: Record<string, string> = {
  ROLLED_BACK: "Rolled back. The previous release serves; nothing was lost.",
  REJECTED: "It was rejected after all.",
  FAILED: "A check failed, so it was not deployed.",
  UNPROVEN: "It could not be proven again, so it was not deployed.",
  SUPERSEDED: "Another change took its place.",
  EXPIRED: "It was not deployed in time and has expired.",
};

function underWay({ status, message }: Deploying): Progress {
  return { step: "deploying", words: message || STEP_WORDS[status] || "Deploying.", final: false };
}

function approved(running: boolean): Progress {
  const words = running
    ? "Approved. The deployment is about to begin."
    : "Approved, but aiimprove is not running: start it, or run aiimprove deploy in a terminal.";
  return { step: "approved", words, final: false };
}

/** How far a followed improvement is; `state` is its status and digest as last heard. */
export function progressOf(
  followed: Followed,
  status: SystemStatus,
  state: { status: string; digest: string; message?: string } | null,
): Progress {
  const { deploying, running } = status;
  if (followed.refusal) return { step: "stopped", words: followed.refusal, final: true };
  if (followed.verb === "reject") {
    const remembered = state?.status === "REJECTED" ? state.message : "";
    return { step: "rejected", words: [REJECTED, remembered].filter(Boolean).join(" "), final: true };
  }
  if (state?.status === "LIVE") return { step: "live", words: "Live.", final: true };
  const ending = state && ENDINGS[state.status];
  if (ending) return { step: "stopped", words: [ending, state.message].filter(Boolean).join(" "), final: true };
  if (deploying?.improvement === followed.id) return underWay(deploying);
  const asksAgain = state?.status === "AWAITING_APPROVAL" && state.digest !== followed.digest;
  if (asksAgain) return { step: "stopped", words: "Live moved on, so it was proven anew and asks again.", final: true };
  if (state?.status === "GENERATED" || state?.status === "VERIFIED") {
    return { step: "approved", words: "Live moved on; it is being proven anew before it asks again.", final: false };
  }
  return approved(running);
}
