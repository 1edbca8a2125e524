"use client";

import Link from "next/link";
import { useState } from "react";
import type { Source } from "../lib/library";
import { plural } from "../lib/words";
import ConfirmDialog from "./ConfirmDialog";
import styles from "./Sources.module.css";

interface Props {
  source: Source;
  onCrawl: () => void;
  onRemove: () => void;
}

export default function SourceRow({ source, onCrawl, onRemove }: Props) {
  const [asking, setAsking] = useState(false);
  const { id, url, videos, last_crawl: lastCrawl } = source;
  const remove = () => {
    setAsking(false);
    onRemove();
  };
  return (
    <li className={`card ${styles.row}`}>
      <div className={styles.what}>
        <strong className={styles.address}>{url}</strong>
        <span className="soft small">
          <Link href={`/?source=${id}`}>{videos === undefined ? "Show its videos" : plural(videos, "video")}</Link>
          {lastCrawl ? ` · last crawl: ${lastCrawl}` : " · never crawled"}
        </span>
      </div>
      <div className="row">
        <button type="button" className="button" aria-label={`Crawl ${url} now`} onClick={onCrawl}>
          Crawl now
        </button>
        <button type="button" className="button danger" aria-label={`Remove ${url}`} onClick={() => setAsking(true)}>
          Remove
        </button>
      </div>
      {asking && (
        <ConfirmDialog title="Remove this source?" action="Remove source" onConfirm={remove} onClose={() => setAsking(false)}>
          <p className={styles.address}>{url}</p>
          <p>The library stops looking there for new videos.</p>
        </ConfirmDialog>
      )}
    </li>
  );
}
