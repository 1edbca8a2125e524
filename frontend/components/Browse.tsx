"use client";

import { useRef } from "react";
import { library, type VideoPage } from "../lib/library";
import { addressOf, backendSearch, isFiltered, PAGE_SIZE, parseQuery, type VideoQuery } from "../lib/query";
import { type Loaded, useLoaded } from "../lib/use-loaded";
import { plural } from "../lib/words";
import styles from "./Browse.module.css";
import Filters from "./Filters";
import { EmptyNotice, ErrorNotice } from "./Notice";
import Pager from "./Pager";
import SearchBox from "./SearchBox";
import VideoGrid, { GridSkeleton } from "./VideoGrid";

interface Props {
  /** The query string in the address bar. */
  search: string;
  /** Changes the address; `typing` does not leave an entry in the history for every letter. */
  onAddress: (address: string, typing: boolean) => void;
}

function headingFor(query: VideoQuery): string {
  if (query.q.trim()) return `Results for “${query.q.trim()}”`;
  if (query.favourite) return "Favourites";
  return query.category || (query.tag && `Tagged ${query.tag}`) || "All videos";
}

function Nothing({ query, onClear }: { query: VideoQuery; onClear: () => void }) {
  if (!isFiltered(query)) {
    return (
      <EmptyNotice title="The library is still empty">
        <p>
          Add a page or a feed under <a href="/sources">Sources</a> and its videos appear here.
        </p>
      </EmptyNotice>
    );
  }
  return (
    <EmptyNotice title="Nothing found">
      <p>Try fewer or other words, or look without filters.</p>
      <button type="button" className="button" onClick={onClear} style={{ marginTop: "0.9rem" }}>
        Clear search and filters
      </button>
    </EmptyNotice>
  );
}

function Results({ query, results, onClear }: { query: VideoQuery; results: Loaded<VideoPage>; onClear: () => void }) {
  const { data, error, loading, change, reload } = results;
  const note = (id: number, favourite: boolean) =>
    change((page) => ({
      ...page,
      items: page.items.map((video) => (video.id === id ? { ...video, favourite } : video)),
    }));
  if (error && !loading) return <ErrorNotice message={error} onRetry={reload} />;
  if (!data) return <GridSkeleton />;
  if (data.items.length > 0) return <VideoGrid videos={data.items} stale={loading} onFavourite={note} />;
  return loading ? null : <Nothing query={query} onClear={onClear} />;
}

export default function Browse({ search, onAddress }: Props) {
  const query = parseQuery(search);
  const asked = backendSearch(query);
  const results = useLoaded<VideoPage>(asked, (signal) => library.videos(asked, signal));
  const categories = useLoaded("categories", library.categories);
  const tags = useLoaded("tags", library.tags);
  const heading = useRef<HTMLHeadingElement>(null);
  const { data, error, loading } = results;

  const go = (change: Partial<VideoQuery>, typing = false) =>
    onAddress(addressOf({ ...query, page: 1, ...change }), typing);
  const turnTo = (page: number) => {
    go({ page });
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: "center" });
  };
  const count = data && !error ? plural(data.total, "video") : "";
  return (
    <>
      <SearchBox value={query.q} onSearch={(q) => go({ q, sort: "" }, true)} />
      <Filters query={query} categories={categories.data ?? []} tags={tags.data ?? []} onChange={go} />
      <div className={styles.summary}>
        <h1 ref={heading} tabIndex={-1}>
          {headingFor(query)}
        </h1>
        <p className="soft" role="status" aria-live="polite">
          {loading ? <span className="visually-hidden">Searching</span> : count}
          {loading && count}
        </p>
      </div>
      <Results query={query} results={results} onClear={() => onAddress("/", false)} />
      {data && !error && <Pager page={query.page} pages={Math.ceil(data.total / PAGE_SIZE)} onPage={turnTo} />}
    </>
  );
}
