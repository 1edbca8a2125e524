"use client";

import { useCallback, useEffect, useState } from "react";
import { login } from "../../lib/approval-client";
import { isMarked, removeMark, setMark } from "../../lib/operator-mark";
import AIApprovalButton from "../AIApprovalButton";
import styles from "./approval.module.css";

/** Signs in with the secret of a one-time link, if there is one, and then shows the button. */
export default function OperatorCorner({ secret }: { secret: string | null }) {
  const [signedIn, setSignedIn] = useState(secret === null && isMarked());
  const [problem, setProblem] = useState("");

  useEffect(() => {
    if (secret === null) return;
    void login(secret).then((answer) => {
      if (answer.kind === "ok") {
        setMark();
        return setSignedIn(true);
      }
      const why = answer.kind === "signed-out" ? "It is not valid here." : answer.words;
      setProblem(`This link did not sign you in. ${why} Run aiimprove operator link for a new one.`);
      setSignedIn(isMarked());
    });
  }, [secret]);

  const signOut = useCallback(() => {
    removeMark();
    setSignedIn(false);
  }, []);

  return (
    <>
      {problem && (
        <div role="alert" className={styles.note}>
          <p>{problem}</p>
          <button type="button" className="button" onClick={() => setProblem("")}>
            Close
          </button>
        </div>
      )}
      {signedIn && <AIApprovalButton onSignedOut={signOut} />}
    </>
  );
}
