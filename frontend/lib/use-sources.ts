"use client";

import { useEffect, useState } from "react";
import { type Crawl, library, sentenceOf, type Source } from "./library";
import { type Loaded, useLoaded } from "./use-loaded";

const LOOK_AGAIN_MS = 2000;

function isUnderWay(crawl: Crawl): boolean {
  return !crawl.finished && /^(queued|running)$/.test(crawl.status);
}

export interface WatchedSources {
  sources: Loaded<Source[]>;
  crawls: Loaded<Crawl[]>;
  said: string;
  crawl: (source: Source) => void;
  remove: (source: Source) => void;
}

/** The sources and their crawls; while a crawl is under way it is looked at again and again. */
export function useSources(): WatchedSources {
  const sources = useLoaded("sources", library.sources);
  const crawls = useLoaded("crawls", library.crawls);
  const [said, setSaid] = useState("");
  const underWay = Boolean(crawls.data?.some(isUnderWay));
  const { reload: reloadSources } = sources;

  useEffect(() => {
    if (!underWay || crawls.loading) return;
    const timer = setTimeout(crawls.reload, LOOK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [underWay, crawls.loading, crawls.reload]);
  useEffect(() => (underWay ? reloadSources : undefined), [underWay, reloadSources]); // their counts are new afterwards

  const attempt = async (change: Promise<unknown>, done: string) => {
    setSaid(await change.then(() => done, sentenceOf));
    reloadSources();
    crawls.reload();
  };
  return {
    sources,
    crawls,
    said,
    crawl: ({ id, url }) => void attempt(library.crawl(id), `Looking for videos at ${url}.`),
    remove: ({ id, url }) => void attempt(library.deleteSource(id), `Removed ${url}.`),
  };
}
