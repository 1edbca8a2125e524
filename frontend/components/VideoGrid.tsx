import type { Video } from "../lib/library";
import VideoCard from "./VideoCard";
import styles from "./VideoGrid.module.css";

interface Props {
  videos: Video[];
  stale?: boolean;
  onFavourite?: (id: number, favourite: boolean) => void;
}

export default function VideoGrid({ videos, stale = false, onFavourite }: Props) {
  return (
    <ul className={styles.grid} aria-busy={stale} data-stale={stale || undefined}>
      {videos.map((video) => (
        <li key={video.id}>
          <VideoCard video={video} onFavourite={(favourite) => onFavourite?.(video.id, favourite)} />
        </li>
      ))}
    </ul>
  );
}

const PLACES = Array.from({ length: 8 }, (_, index) => index);

export function GridSkeleton() {
  return (
    <div className={styles.grid} role="status">
      <span className="visually-hidden">Loading videos</span>
      {PLACES.map((place) => (
        <div key={place} className={styles.skeleton} aria-hidden="true" />
      ))}
    </div>
  );
}
