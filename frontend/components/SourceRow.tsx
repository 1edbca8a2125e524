"use client";

import Link from "next/link";
import { useState } from "react";
import type { Source } from "../lib/library";
import { plural } from "../lib/words";
import Dialog from "./Dialog";
import styles from "./Sources.module.css";

interface Props {
  source: Source;
  onCrawl: () => Promise<void>;
  onRemove: () => Promise<void>;
}

export default function SourceRow({ source, onCrawl, onRemove }: Props) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);

  const hold = async (change: () => Promise<void>) => {
    setBusy(true);
    await change();
    setBusy(false);
  };

  return (
    <li className={`card ${styles.row}`}>
      <div className={styles.what}>
        <strong className={styles.address}>{source.url}</strong>
        <span className="soft small">
          <Link href={`/?source=${source.id}`}>
            {source.videos === undefined ? "Show its videos" : plural(source.videos, "video")}
          </Link>
          {source.last_crawl ? ` · last crawl: ${source.last_crawl}` : " · never crawled"}
        </span>
      </div>
      <div className="row">
        <button type="button" className="button" disabled={busy} aria-label={`Crawl ${source.url} now`} onClick={() => hold(onCrawl)}>
          Crawl now
        </button>
        <button type="button" className="button danger" aria-label={`Remove ${source.url}`} onClick={() => setAsking(true)}>
          Remove
        </button>
      </div>
      {asking && (
        <Dialog title="Remove this source?" onClose={() => setAsking(false)}>
          <p className={styles.address}>{source.url}</p>
          <p>The library stops looking there for new videos.</p>
          <div className="row">
            <button
              type="button"
              className="button danger"
              onClick={() => {
                setAsking(false);
                void hold(onRemove);
              }}
            >
              Remove source
            </button>
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </li>
  );
}
