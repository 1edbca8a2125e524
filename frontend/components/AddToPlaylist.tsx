"use client";

import { useState } from "react";
import { library, type Playlist, sentenceOf, type Video } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import styles from "./AddToPlaylist.module.css";
import Dialog from "./Dialog";
import { ListIcon } from "./icons";
import NameForm from "./NameForm";
import { ErrorNotice } from "./Notice";

function Chooser({ video, onClose }: { video: Video; onClose: () => void }) {
  const { data: playlists, error, loading, reload } = useLoaded("playlists", library.playlists);
  const [said, setSaid] = useState("");

  const add = async ({ id, name }: Playlist) => {
    await library.addToPlaylist(id, video.id);
    return `Added to ${name}.`;
  };
  const choose = async (playlist: Playlist) => setSaid(await add(playlist).catch(sentenceOf));
  const createAndAdd = async (name: string) => {
    setSaid("");
    const done = await add(await library.createPlaylist(name));
    reload();
    return done;
  };

  return (
    <Dialog title="Add to playlist" onClose={onClose}>
      {error && !loading && <ErrorNotice message={error} onRetry={reload} />}
      <ul className={styles.list}>
        {playlists?.map((playlist) => (
          <li key={playlist.id}>
            <button type="button" className="button" onClick={() => choose(playlist)}>
              {playlist.name}
            </button>
          </li>
        ))}
      </ul>
      <p role="status" aria-live="polite">
        {said}
      </p>
      <NameForm label="Name of a new playlist" action="Create and add" onName={createAndAdd} />
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
