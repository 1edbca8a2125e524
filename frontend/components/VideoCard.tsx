"use client";

import Link from "next/link";
import { useState } from "react";
import type { Video } from "../lib/library";
import { clock, day, plural, webAddress } from "../lib/words";
import FavouriteButton from "./FavouriteButton";
import { PlayIcon } from "./icons";
import styles from "./VideoCard.module.css";

/** The picture of a video, or a calm stand-in when there is none or it does not load. */
export function Thumbnail({ video }: { video: Video }) {
  const [broken, setBroken] = useState(false);
  const address = webAddress(video.thumbnail_url);
  return (
    <span className={styles.picture}>
      {address && !broken ? (
        <img src={address} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />
      ) : (
        <PlayIcon />
      )}
      {video.duration !== null && <span className={styles.duration}>{clock(video.duration)}</span>}
    </span>
  );
}

export function facts(video: Video): string {
  return [video.category, day(video.published), video.plays > 0 ? plural(video.plays, "play") : ""]
    .filter(Boolean)
    .join(" · ");
}

interface Props {
  video: Video;
  onFavourite?: (favourite: boolean) => void;
}

export default function VideoCard({ video, onFavourite }: Props) {
  return (
    <article className={styles.card}>
      <Link href={`/videos/${video.id}`} prefetch={false} className={styles.link}>
        <Thumbnail video={video} />
        <h3 className={styles.title}>{video.title}</h3>
      </Link>
      <div className={styles.foot}>
        <p className={`soft small ${styles.facts}`}>{facts(video)}</p>
        <FavouriteButton video={video} onChange={onFavourite} />
      </div>
    </article>
  );
}
