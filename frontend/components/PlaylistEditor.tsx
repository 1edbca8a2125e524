"use client";

import Link from "next/link";
import { useState } from "react";
import { library, type Playlist, sentenceOf, type Video } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import { plural } from "../lib/words";
import { EmptyNotice, ErrorNotice } from "./Notice";
import styles from "./PlaylistEditor.module.css";
import PlaylistItem from "./PlaylistItem";
import PlaylistName from "./PlaylistName";

/** The list with the video at `index` moved by one place. */
export function moved(videos: Video[], index: number, by: -1 | 1): Video[] {
  const copy = [...videos];
  const [video] = copy.splice(index, 1);
  if (video) copy.splice(index + by, 0, video);
  return copy;
}

export default function PlaylistEditor({ id }: { id: string }) {
  const loaded = useLoaded(`playlist ${id}`, (signal) => library.playlist(id, signal));
  const { data: playlist, error, loading, reload, change } = loaded;
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);

  if (error && !loading) return <ErrorNotice message={error} onRetry={reload} />;
  if (!playlist) return <p role="status">Loading the playlist…</p>;
  const items = playlist.items ?? [];

  const edit = async (next: Video[], save: () => Promise<unknown>, done: string) => {
    setBusy(true);
    change((before: Playlist) => ({ ...before, items: next }));
    try {
      await save();
      setSaid(done);
    } catch (problem) {
      change((before: Playlist) => ({ ...before, items }));
      setSaid(sentenceOf(problem));
    }
    setBusy(false);
  };
  const move = (index: number, by: -1 | 1) => {
    const next = moved(items, index, by);
    const ids = next.map((video) => video.id);
    const done = `${items[index]?.title ?? "Video"} is now number ${index + by + 1} of ${items.length}.`;
    void edit(next, () => library.orderPlaylist(playlist.id, ids), done);
  };
  const remove = (video: Video) => {
    const next = items.filter(({ id: other }) => other !== video.id);
    void edit(next, () => library.removeFromPlaylist(playlist.id, video.id), `Removed ${video.title}.`);
  };

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
    </>
  );
}
