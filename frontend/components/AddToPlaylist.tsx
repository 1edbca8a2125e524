"use client";

import { type FormEvent, useState } from "react";
import { library, type Playlist, sentenceOf, type Video } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import styles from "./AddToPlaylist.module.css";
import Dialog from "./Dialog";
import { ListIcon } from "./icons";
import { ErrorNotice } from "./Notice";

function Chooser({ video, onClose }: { video: Video; onClose: () => void }) {
  const { data: playlists, error, loading, reload } = useLoaded("playlists", library.playlists);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);

  const attempt = async (change: () => Promise<string>) => {
    setBusy(true);
    setSaid(await change().catch(sentenceOf));
    setBusy(false);
  };
  const add = ({ id, name }: Playlist) =>
    attempt(async () => {
      await library.addToPlaylist(id, video.id);
      return `Added to ${name}.`;
    });
  const createAndAdd = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get("name")).trim();
    if (!name) return;
    void attempt(async () => {
      const { id } = await library.createPlaylist(name);
      await library.addToPlaylist(id, video.id);
      form.reset();
      reload();
      return `Added to ${name}.`;
    });
  };

  return (
    <Dialog title="Add to playlist" onClose={onClose}>
      {error && !loading && <ErrorNotice message={error} onRetry={reload} />}
      {playlists && (
        <ul className={styles.list}>
          {playlists.map((playlist) => (
            <li key={playlist.id}>
              <button type="button" className="button" disabled={busy} onClick={() => add(playlist)}>
                {playlist.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form className="row" onSubmit={createAndAdd}>
        <label htmlFor="new-playlist" className="visually-hidden">
          Name of a new playlist
        </label>
        <input id="new-playlist" name="name" className={`field ${styles.name}`} placeholder="New playlist" maxLength={80} required />
        <button type="submit" className="button primary" disabled={busy}>
          Create and add
        </button>
      </form>
      <p role="status" aria-live="polite">
        {said}
      </p>
    </Dialog>
  );
}

export default function AddToPlaylist({ video }: { video: Video }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        <ListIcon />
        Add to playlist
      </button>
      {open && <Chooser video={video} onClose={() => setOpen(false)} />}
    </>
  );
}
