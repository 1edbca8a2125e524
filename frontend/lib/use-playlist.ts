"use client";

import { useState } from "react";
import { library, type Playlist, sentenceOf, type Video } from "./library";
import { type Loaded, useLoaded } from "./use-loaded";

/** The list with the video at `index` moved by one place. */
export function moved(videos: Video[], index: number, by: -1 | 1): Video[] {
  const copy = [...videos];
  const [video] = copy.splice(index, 1);
  if (video) copy.splice(index + by, 0, video);
  return copy;
}

export interface EditedPlaylist {
  loaded: Loaded<Playlist>;
  items: Video[];
  said: string;
  busy: boolean;
  move: (index: number, by: -1 | 1) => void;
  remove: (video: Video) => void;
}

/** A playlist whose changes show at once and are taken back when the library refuses them. */
export function usePlaylist(id: string): EditedPlaylist {
  const loaded = useLoaded(`playlist ${id}`, (signal) => library.playlist(id, signal));
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const items = loaded.data?.items ?? [];
  const show = (next: Video[]) => loaded.change((before) => ({ ...before, items: next }));

  const edit = async (next: Video[], save: (playlist: number) => Promise<unknown>, done: string) => {
    if (!loaded.data) return;
    setBusy(true);
    show(next);
    try {
      await save(loaded.data.id);
      setSaid(done);
    } catch (problem) {
      show(items);
      setSaid(sentenceOf(problem));
    }
    setBusy(false);
  };
  const move = (index: number, by: -1 | 1) => {
    const next = moved(items, index, by);
    const done = `${items[index]?.title ?? "Video"} is now number ${index + by + 1} of ${items.length}.`;
    void edit(next, (playlist) => library.orderPlaylist(playlist, next.map((video) => video.id)), done);
  };
  const remove = (video: Video) => {
    const next = items.filter((other) => other.id !== video.id);
    void edit(next, (playlist) => library.removeFromPlaylist(playlist, video.id), `Removed ${video.title}.`);
  };
  return { loaded, items, said, busy, move, remove };
}
