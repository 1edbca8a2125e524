import type { Miss } from "../../lib/approval";
import styles from "./approval.module.css";
import Plain from "./Plain";

const COMMAND = "aiimprove rollback";

/** What is live and does not do there what its proof predicted. The way back is a command: no page may take it. */
export default function Missed({ missed }: { missed: Miss[] }) {
  if (missed.length === 0) return null;
  return (
    <section className={styles.progress} data-testid="ai-missed" data-step="stopped" aria-label="Not as predicted">
      <strong>Live, but not as predicted</strong>
      <ul className={styles.gaps}>
        {missed.map(({ id, title, why }) => (
          <li key={id}>
            <Plain>{`${title || id}: ${why}`}</Plain>
          </li>
        ))}
      </ul>
      <p className="small">
        In a terminal, <code>{COMMAND}</code> takes the last one back.
      </p>
    </section>
  );
}
