"use client";

import { type FormEvent, useEffect, useState } from "react";
import { type Crawl, library, sentenceOf, type Source } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import Crawls from "./Crawls";
import { EmptyNotice, ErrorNotice } from "./Notice";
import SourceRow from "./SourceRow";
import styles from "./Sources.module.css";

const LOOK_AGAIN_MS = 2000;

export function isUnderWay(crawl: Crawl): boolean {
  return !crawl.finished && /^(queued|running)$/.test(crawl.status);
}

function AddSource({ onAdded }: { onAdded: (source: Source) => void }) {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);

  const add = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const url = String(new FormData(form).get("url")).trim();
    setBusy(true);
    try {
      onAdded(await library.addSource(url));
      form.reset();
      setSaid(`Added ${url}.`);
    } catch (error) {
      setSaid(sentenceOf(error));
    }
    setBusy(false);
  };

  return (
    <form className="row" onSubmit={add}>
      <label htmlFor="source-url" className="visually-hidden">
        Address of a page or feed
      </label>
      <input id="source-url" name="url" type="url" className={`field ${styles.url}`} placeholder="https://example.org/videos" maxLength={2000} required />
      <button type="submit" className="button primary" disabled={busy}>
        Add source
      </button>
      <p role="status" aria-live="polite" className={styles.said}>
        {said}
      </p>
    </form>
  );
}

export default function Sources() {
  const sources = useLoaded("sources", library.sources);
  const crawls = useLoaded("crawls", library.crawls);
  const [said, setSaid] = useState("");
  const underWay = Boolean(crawls.data?.some(isUnderWay));

  useEffect(() => {
    if (!underWay || crawls.loading) return;
    const timer = setTimeout(crawls.reload, LOOK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [underWay, crawls.loading, crawls.reload]);

  const { reload: reloadSources } = sources;
  useEffect(() => (underWay ? reloadSources : undefined), [underWay, reloadSources]); // their counts are new afterwards

  const attempt = async (change: () => Promise<string>) => {
    setSaid(await change().catch(sentenceOf));
    sources.reload();
    crawls.reload();
  };
  const crawl = (source: Source) =>
    attempt(async () => {
      await library.crawl(source.id);
      return `Looking for videos at ${source.url}.`;
    });
  const remove = (source: Source) =>
    attempt(async () => {
      await library.deleteSource(source.id);
      return `Removed ${source.url}.`;
    });

  return (
    <>
      <h1>Sources</h1>
      <p className="soft">Pages, feeds and sitemaps the library collects videos from.</p>
      <AddSource onAdded={sources.reload} />
      {sources.error && !sources.loading && <ErrorNotice message={sources.error} onRetry={sources.reload} />}
      {!sources.data && sources.loading && <p role="status">Loading sources…</p>}
      {sources.data?.length === 0 && <EmptyNotice title="No sources yet" />}
      <p role="status" aria-live="polite" className={styles.said}>
        {said}
      </p>
      <ul className={styles.list}>
        {sources.data?.map((source) => (
          <SourceRow key={source.id} source={source} onCrawl={() => crawl(source)} onRemove={() => remove(source)} />
        ))}
      </ul>
      <Crawls crawls={crawls} sources={sources.data ?? []} />
    </>
  );
}
