"use client";

import Link from "next/link";
import { useEffect } from "react";
import { library, type Video } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import { facts, Thumbnail } from "./VideoCard";
import styles from "./UpNext.module.css";

const MOST = 8;

interface Props {
  video: Video;
  playlist: string | null;
  /** Told the video that follows in the playlist, if any. */
  onNext: (id: number | null) => void;
}

interface Shelf {
  title: string;
  videos: Video[];
}

async function loadShelf(video: Video, playlist: string | null, signal: AbortSignal): Promise<Shelf> {
  if (playlist) {
    const { name, items } = await library.playlist(playlist, signal);
    return { title: name, videos: items ?? [] };
  }
  const search = new URLSearchParams({ sort: "newest", page_size: String(MOST + 1) });
  if (video.category) search.set("category", video.category);
  const { items } = await library.videos(search.toString(), signal);
  const others = items.filter(({ id }) => id !== video.id).slice(0, MOST);
  return { title: video.category ? `More in ${video.category}` : "More videos", videos: others };
}

/** What to watch after this: the rest of the playlist, or more of the same category. */
export default function UpNext({ video, playlist, onNext }: Props) {
  const { data } = useLoaded(`${video.id} ${playlist}`, (signal) => loadShelf(video, playlist, signal));
  const here = data ? data.videos.findIndex(({ id }) => id === video.id) : -1;
  const next = here >= 0 ? (data?.videos[here + 1]?.id ?? null) : null;

  useEffect(() => onNext(next), [next, onNext]);

  if (!data || data.videos.length === 0) return null;
  const suffix = playlist ? `?playlist=${playlist}` : "";
  return (
    <aside className={styles.shelf} aria-label={data.title}>
      <h2>{data.title}</h2>
      <ol className={styles.list}>
        {data.videos.map((other) => (
          <li key={other.id}>
            <Link
              href={`/videos/${other.id}${suffix}`}
              prefetch={false}
              className={styles.item}
              aria-current={other.id === video.id ? "true" : undefined}
            >
              <Thumbnail video={other} />
              <span>
                <strong>{other.title}</strong>
                <span className="soft small">{facts(other)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </aside>
  );
}
