"use client";

import Link from "next/link";
import type { Playlist } from "../lib/library";
import { type EditedPlaylist, usePlaylist } from "../lib/use-playlist";
import { plural } from "../lib/words";
import { EmptyNotice, ErrorNotice } from "./Notice";
import styles from "./PlaylistEditor.module.css";
import PlaylistItem from "./PlaylistItem";
import PlaylistName from "./PlaylistName";

function Items({ playlist, edited }: { playlist: Playlist; edited: EditedPlaylist }) {
  const { items, busy, move, remove } = edited;
  return (
    <ol className={styles.list}>
      {items.map((video, index) => (
        <PlaylistItem
          key={video.id}
          video={video}
          playlist={playlist.id}
          first={index === 0}
          last={index === items.length - 1}
          busy={busy}
          onMove={(by) => move(index, by)}
          onRemove={() => remove(video)}
        />
      ))}
    </ol>
  );
}

export default function PlaylistEditor({ id }: { id: string }) {
  const edited = usePlaylist(id);
  const { loaded, items, said } = edited;
  const { data: playlist, error, loading, reload, change } = loaded;

  if (error && !loading) return <ErrorNotice message={error} onRetry={reload} />;
  if (!playlist) return <p role="status">Loading the playlist…</p>;
  return (
    <>
      <PlaylistName playlist={playlist} onRenamed={(name) => change((before) => ({ ...before, name }))} />
      <div className="row">
        <span className="soft">{plural(items.length, "video")}</span>
        {items[0] && (
          <Link href={`/videos/${items[0].id}?playlist=${playlist.id}`} className="button primary" prefetch={false}>
            Play all
          </Link>
        )}
      </div>
      <p role="status" aria-live="polite" className="small">
        {said}
      </p>
      {items.length === 0 && (
        <EmptyNotice title="Nothing in this playlist yet">
          <p>Open a video and choose “Add to playlist”.</p>
        </EmptyNotice>
      )}
      <Items playlist={playlist} edited={edited} />
    </>
  );
}
