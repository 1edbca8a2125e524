"use client";

import { useRef, useState } from "react";
import { library, type Video } from "../lib/library";
import { webAddress } from "../lib/words";
import { EmptyNotice } from "./Notice";
import styles from "./Player.module.css";

interface Props {
  video: Video;
  autoPlay?: boolean;
  onPlayed?: (plays: number) => void;
  onEnded?: () => void;
}

function Elsewhere({ video, broken }: { video: Video; broken: boolean }) {
  const origin = webAddress(video.url);
  return (
    <EmptyNotice title={broken ? "This video does not load" : "This video cannot be played here"}>
      {origin && (
        <a href={origin} target="_blank" rel="noreferrer">
          Watch it where it comes from
        </a>
      )}
    </EmptyNotice>
  );
}

/** Plays a video in the page and counts one play, however often it is paused. */
export default function Player({ video, autoPlay = false, onPlayed, onEnded }: Props) {
  const counted = useRef(false);
  const [broken, setBroken] = useState(false);
  const media = webAddress(video.media_url);

  const countPlay = () => {
    if (counted.current) return;
    counted.current = true;
    library.play(video.id).then(
      ({ plays }) => onPlayed?.(plays),
      () => undefined, // watching matters more than counting
    );
  };

  if (!media || broken) return <Elsewhere video={video} broken={broken} />;
  return (
    <video
      className={styles.player}
      src={media}
      poster={webAddress(video.thumbnail_url) ?? undefined}
      controls
      autoPlay={autoPlay}
      playsInline
      preload="metadata"
      aria-label={video.title}
      onPlay={countPlay}
      onEnded={onEnded}
      onError={() => setBroken(true)}
    />
  );
}
