import type { Crawl, Source } from "../lib/library";
import type { Loaded } from "../lib/use-loaded";
import { dayAndTime, plural } from "../lib/words";
import { ErrorNotice } from "./Notice";
import styles from "./Sources.module.css";

const MOST = 20;

interface Props {
  crawls: Loaded<Crawl[]>;
  sources: Source[];
}

function outcome(crawl: Crawl): string {
  const parts = [
    crawl.pages ? `${plural(crawl.pages, "page")} read` : "",
    crawl.skipped ? `${crawl.skipped} off limits` : "",
    crawl.added ? `${crawl.added} new` : "",
    crawl.updated ? `${crawl.updated} updated` : "",
    crawl.failed ? `${crawl.failed} failed` : "",
  ];
  return parts.filter(Boolean).join(", ");
}

function CrawlRow({ crawl, address }: { crawl: Crawl; address: string }) {
  const errors = crawl.errors ?? [];
  return (
    <li className={`card ${styles.crawl}`}>
      <span className={styles.state} data-state={crawl.status}>
        {crawl.status}
      </span>
      <span className={styles.address}>{address}</span>
      <span className="soft small">{[dayAndTime(crawl.started ?? crawl.queued), outcome(crawl)].filter(Boolean).join(" · ")}</span>
      {errors.length > 0 && (
        <details className="small">
          <summary>{plural(errors.length, "page")} could not be read</summary>
          <ul>
            {errors.map(({ url, error }) => (
              <li key={url} className={styles.address}>
                {url}: {error}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

export default function Crawls({ crawls, sources }: Props) {
  const addressOf = (crawl: Crawl) =>
    crawl.url ?? sources.find(({ id }) => id === crawl.source_id)?.url ?? "A source that was removed";
  return (
    <section className={styles.crawls} aria-labelledby="crawls">
      <h2 id="crawls">Recent crawls</h2>
      {crawls.error && !crawls.loading && <ErrorNotice message={crawls.error} onRetry={crawls.reload} />}
      {crawls.data?.length === 0 && <p className="soft">Nothing was crawled yet.</p>}
      <ul className={styles.list}>
        {crawls.data?.slice(0, MOST).map((crawl) => (
          <CrawlRow key={crawl.id} crawl={crawl} address={addressOf(crawl)} />
        ))}
      </ul>
    </section>
  );
}
