import { type Card, type SystemStatus, text } from "../../lib/approval";
import { webAddress } from "../../lib/words";
import styles from "./approval.module.css";
import Checks from "./Checks";
import Diff from "./Diff";
import Health from "./Health";
import Plain from "./Plain";

function Found({ card }: { card: Card }) {
  const { summary, where, impact, probe } = card.finding;
  const facts: [string, string][] = [
    ["Where", where],
    ["Impact", impact],
    ["Shown by", text(probe)],
    ["Found by", card.detector],
    ["Written by", card.author],
  ];
  return (
    <section className={styles.part} aria-labelledby="ai-found-heading">
      <h3 id="ai-found-heading">What was found</h3>
      {summary && (
        <p>
          <Plain>{summary}</Plain>
        </p>
      )}
      <dl className={styles.facts}>
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Plain>{value}</Plain>
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function BeforeAfter({ before, after }: { before: string; after: string }) {
  if (!before && !after) return null;
  return (
    <section className={styles.change} aria-label="Before and after">
      <div>
        <h3>Before</h3>
        <p>
          <Plain>{before || "not measured"}</Plain>
        </p>
      </div>
      <span aria-hidden="true">→</span>
      <div>
        <h3>After</h3>
        <p>
          <Plain>{after || "not measured"}</Plain>
        </p>
      </div>
    </section>
  );
}

function Prediction({ words, also }: { words: string; also: string[] }) {
  return (
    <section className={styles.part} data-testid="ai-prediction">
      <h3>What live will show</h3>
      <p className={words ? undefined : "soft"}>
        <Plain>{words || "Nothing is predicted: the probe gives no figure."}</Plain>
      </p>
      {also.map((title, index) => (
        <p key={index}>
          It mends too: <Plain>{title}</Plain>
        </p>
      ))}
    </section>
  );
}

function Against({ refusals }: { refusals: string[] }) {
  if (refusals.length === 0) return null;
  return (
    <section className={styles.part}>
      <h3>What speaks against it</h3>
      <ul className={styles.gaps}>
        {refusals.map((refusal, index) => (
          <li key={index}>
            <Plain>{refusal}</Plain>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** All that is known about one improvement, for the one who decides. */
export default function ImprovementCard({ card, status }: { card: Card; status: SystemStatus }) {
  const dev = webAddress(card.devUrl || status.devUrl);
  return (
    <>
      <Found card={card} />
      <BeforeAfter before={card.before} after={card.after} />
      {card.claim && (
        <section className={styles.part}>
          <h3>What its author says</h3>
          <blockquote className={styles.claim}>
            <Plain>{card.claim}</Plain>
          </blockquote>
        </section>
      )}
      <section className={styles.part} aria-labelledby="ai-diff-heading">
        <h3 id="ai-diff-heading">The change{card.files.length > 0 && <Plain>{` in ${card.files.join(", ")}`}</Plain>}</h3>
        {card.diff ? <Diff diff={card.diff} /> : <p className="soft">No diff is on record.</p>}
      </section>
      <Checks checks={card.checks} notChecked={card.notChecked} />
      <Prediction words={card.prediction} also={card.also} />
      {card.rollback && (
        <p data-testid="ai-rollback">
          The way back: <Plain>{card.rollback}</Plain>
        </p>
      )}
      <Against refusals={card.refusals} />
      <Health status={status} />
      {dev && (
        <p>
          <a href={dev} target="_blank" rel="noreferrer" className="button" data-testid="ai-dev-link">
            Try it on the development copy
          </a>
        </p>
      )}
    </>
  );
}
