"use client";

import Link from "next/link";
import { type FormEvent, useState } from "react";
import { library, sentenceOf } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import { plural } from "../lib/words";
import { EmptyNotice, ErrorNotice } from "./Notice";
import styles from "./Playlists.module.css";

function NewPlaylist({ onCreated }: { onCreated: () => void }) {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);

  const create = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get("name")).trim();
    if (!name) return;
    setBusy(true);
    try {
      await library.createPlaylist(name);
      form.reset();
      setSaid(`Created ${name}.`);
      onCreated();
    } catch (error) {
      setSaid(sentenceOf(error));
    }
    setBusy(false);
  };

  return (
    <form className="row" onSubmit={create}>
      <label htmlFor="playlist-name" className="visually-hidden">
        Name of the new playlist
      </label>
      <input id="playlist-name" name="name" className={`field ${styles.name}`} placeholder="Name of a new playlist" maxLength={80} required />
      <button type="submit" className="button primary" disabled={busy}>
        Create
      </button>
      <p role="status" aria-live="polite">
        {said}
      </p>
    </form>
  );
}

export default function Playlists() {
  const { data: playlists, error, loading, reload } = useLoaded("playlists", library.playlists);
  return (
    <>
      <h1>Playlists</h1>
      <NewPlaylist onCreated={reload} />
      {error && !loading && <ErrorNotice message={error} onRetry={reload} />}
      {!playlists && loading && <p role="status">Loading playlists…</p>}
      {playlists?.length === 0 && (
        <EmptyNotice title="No playlists yet">
          <p>Create one here, or from any video with “Add to playlist”.</p>
        </EmptyNotice>
      )}
      {playlists && playlists.length > 0 && (
        <ul className={styles.list} aria-busy={loading}>
          {playlists.map(({ id, name, count }) => (
            <li key={id}>
              <Link href={`/playlists/${id}`} prefetch={false} className={`card ${styles.item}`}>
                <strong>{name}</strong>
                {count !== undefined && <span className="soft small">{plural(count, "video")}</span>}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
