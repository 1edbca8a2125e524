import Link from "next/link";
import type { Video } from "../lib/library";
import { CloseIcon, DownIcon, UpIcon } from "./icons";
import styles from "./PlaylistEditor.module.css";
import { Thumbnail } from "./VideoCard";

interface Props {
  video: Video;
  playlist: number;
  first: boolean;
  last: boolean;
  busy: boolean;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

/** aria-disabled instead of disabled: a button that loses its use while focused must not lose the focus. */
export default function PlaylistItem({ video, playlist, first, last, busy, onMove, onRemove }: Props) {
  const up = !first && !busy;
  const down = !last && !busy;
  return (
    <li className={`card ${styles.item}`}>
      <Link href={`/videos/${video.id}?playlist=${playlist}`} prefetch={false} className={styles.link}>
        <Thumbnail video={video} />
        <strong>{video.title}</strong>
      </Link>
      <div className={styles.actions}>
        <button type="button" className="button square" aria-disabled={!up} aria-label={`Move ${video.title} up`} onClick={() => up && onMove(-1)}>
          <UpIcon />
        </button>
        <button type="button" className="button square" aria-disabled={!down} aria-label={`Move ${video.title} down`} onClick={() => down && onMove(1)}>
          <DownIcon />
        </button>
        <button type="button" className="button square danger" aria-label={`Remove ${video.title}`} onClick={() => busy || onRemove()}>
          <CloseIcon />
        </button>
      </div>
    </li>
  );
}
