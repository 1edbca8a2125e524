"use client";

import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { library, type Video } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import { clock, day, plural, webAddress } from "../lib/words";
import AddToPlaylist from "./AddToPlaylist";
import FavouriteButton from "./FavouriteButton";
import { ErrorNotice } from "./Notice";
import Player from "./Player";
import UpNext from "./UpNext";
import styles from "./Watch.module.css";

function About({ video, plays }: { video: Video; plays: number }) {
  const origin = webAddress(video.url);
  const line = [day(video.published), clock(video.duration), plural(plays, "play")].filter(Boolean).join(" · ");
  return (
    <>
      <p className="soft">{line}</p>
      {video.description && <p className={styles.description}>{video.description}</p>}
      <ul className="row small">
        {video.category && (
          <li>
            <Link href={`/?category=${encodeURIComponent(video.category)}`} className={styles.tag}>
              {video.category}
            </Link>
          </li>
        )}
        {video.tags.map((tag) => (
          <li key={tag}>
            <Link href={`/?tag=${encodeURIComponent(tag)}`} className={styles.tag}>
              #{tag}
            </Link>
          </li>
        ))}
      </ul>
      {origin && (
        <p className="small">
          <a href={origin} target="_blank" rel="noreferrer">
            Where this video comes from
          </a>
        </p>
      )}
    </>
  );
}

function Loading() {
  return (
    <div className={styles.stage} role="status">
      <span className="visually-hidden">Loading the video</span>
      <div className={styles.skeleton} aria-hidden="true" />
    </div>
  );
}

export default function Watch({ id }: { id: string }) {
  const router = useRouter();
  const playlist = useSearchParams().get("playlist");
  const { data: video, error, loading, reload } = useLoaded(`video ${id}`, (signal) => library.video(id, signal));
  const [counted, setCounted] = useState<number | null>(null);
  const [next, setNext] = useState<number | null>(null);

  useEffect(() => {
    if (video) document.title = `${video.title} · Video Library`;
  }, [video]);

  if (error && !loading) return <ErrorNotice message={error} onRetry={reload} />;
  if (!video) return <Loading />;
  const playNext = () => next !== null && router.push(`/videos/${next}?playlist=${playlist}`);
  return (
    <div className={styles.layout}>
      <article className={styles.stage}>
        <Player video={video} autoPlay={playlist !== null} onPlayed={setCounted} onEnded={playNext} />
        <h1>{video.title}</h1>
        <div className="row">
          <FavouriteButton video={video} withLabel />
          <AddToPlaylist video={video} />
        </div>
        <About video={video} plays={counted ?? video.plays} />
      </article>
      <UpNext video={video} playlist={playlist} onNext={setNext} />
    </div>
  );
}
