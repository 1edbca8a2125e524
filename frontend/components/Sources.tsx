"use client";

import { type FormEvent, useState } from "react";
import { library, sentenceOf, type Source } from "../lib/library";
import { useSources } from "../lib/use-sources";
import Crawls from "./Crawls";
import { EmptyNotice, ErrorNotice } from "./Notice";
import SourceRow from "./SourceRow";
import styles from "./Sources.module.css";

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
  const { sources, crawls, said, crawl, remove } = useSources();
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
