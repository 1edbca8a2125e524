import { type SystemStatus, text } from "../../lib/approval";
import styles from "./approval.module.css";

const NAMES: [string, string][] = [
  ["live", "Live"],
  ["dev", "Dev"],
  ["backend", "Backend"],
  ["database", "Database"],
];

function scoreInWords(score: unknown): string {
  return typeof score === "number" ? `${Math.round(score)} of 100` : "not measured yet";
}

export default function Health({ status }: { status: SystemStatus }) {
  const { health, running } = status;
  return (
    <section className={styles.part} aria-labelledby="ai-health-heading">
      <h3 id="ai-health-heading">The system right now</h3>
      <ul className={styles.health}>
        <li>Score {scoreInWords(health.score)}</li>
        {health.errors !== undefined && <li>Errors {text(health.errors)}</li>}
        {NAMES.filter(([key]) => health[key] !== undefined).map(([key, name]) => (
          <li key={key} data-state={text(health[key])}>
            {name} {text(health[key])}
          </li>
        ))}
        {!running && <li data-state="failing">aiimprove is not running</li>}
      </ul>
    </section>
  );
}
