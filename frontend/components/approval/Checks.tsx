import type { CheckResult } from "../../lib/approval";
import styles from "./approval.module.css";
import Plain from "./Plain";

export default function Checks({ checks, notChecked }: { checks: CheckResult[]; notChecked: string[] }) {
  return (
    <>
      <section className={styles.part} aria-labelledby="ai-checks-heading">
        <h3 id="ai-checks-heading">What was checked</h3>
        <ul className={styles.checks} data-testid="ai-checks">
          {checks.map(({ name, verdict, summary, seconds }, index) => (
            <li key={index}>
              <span className={styles.verdict} data-verdict={verdict}>
                {verdict || "unknown"}
              </span>
              <strong>
                <Plain>{name}</Plain>
              </strong>
              <span className={styles.figure}>
                <Plain>{summary}</Plain>
                {seconds !== null && <span className="soft"> {seconds.toFixed(1)} s</span>}
              </span>
            </li>
          ))}
          {checks.length === 0 && <li>Nothing is on record.</li>}
        </ul>
      </section>
      <section className={styles.part} aria-labelledby="ai-gaps-heading">
        <h3 id="ai-gaps-heading">What was not checked</h3>
        {notChecked.length === 0 && <p className="soft">Nothing is on record.</p>}
        <ul className={styles.gaps}>
          {notChecked.map((gap, index) => (
            <li key={index}>
              <Plain>{gap}</Plain>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
