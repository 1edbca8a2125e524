import type { Followed, Progress } from "../../lib/followed";
import { CloseIcon } from "../icons";
import styles from "./approval.module.css";
import Plain from "./Plain";

const STEPS: [Progress["step"], string][] = [
  ["approved", "Approved"],
  ["deploying", "Deploying"],
  ["live", "Live"],
];

interface Props {
  followed: Followed;
  progress: Progress;
  unreachable: boolean;
  onDismiss: () => void;
}

/** How what was approved gets to live, for as long as it takes. */
export default function ProgressCard({ followed, progress, unreachable, onDismiss }: Props) {
  const at = STEPS.findIndex(([step]) => step === progress.step);
  const waiting = unreachable && !progress.final;
  return (
    <section className={styles.progress} data-testid="ai-progress" data-step={progress.step} aria-label="Progress">
      <header>
        <strong>
          <Plain>{followed.title || followed.id}</Plain>
        </strong>
        <button type="button" className="button square" aria-label="Dismiss" onClick={onDismiss}>
          <CloseIcon />
        </button>
      </header>
      {at >= 0 && (
        <ol className={styles.steps}>
          {STEPS.map(([step, name], index) => (
            <li key={step} data-done={index <= at} aria-current={index === at ? "step" : undefined}>
              {name}
            </li>
          ))}
        </ol>
      )}
      <p role="status" aria-live="polite">
        <Plain>{progress.words}</Plain>
        {waiting && " The server is not answering for a moment; still watching."}
      </p>
    </section>
  );
}
