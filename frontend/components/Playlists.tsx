"use client";

import Link from "next/link";
import { library } from "../lib/library";
import { useLoaded } from "../lib/use-loaded";
import { plural } from "../lib/words";
import NameForm from "./NameForm";
import { EmptyNotice, ErrorNotice } from "./Notice";
import styles from "./Playlists.module.css";

export default function Playlists() {
  const { data: playlists, error, loading, reload } = useLoaded("playlists", library.playlists);
  const create = async (name: string) => {
    await library.createPlaylist(name);
    reload();
    return `Created ${name}.`;
  };
  return (
    <>
      <h1>Playlists</h1>
      <NameForm label="Name of a new playlist" action="Create" onName={create} />
      {error && !loading && <ErrorNotice message={error} onRetry={reload} />}
      {!playlists && loading && <p role="status">Loading playlists…</p>}
      {playlists?.length === 0 && (
        <EmptyNotice title="No playlists yet">
          <p>Create one here, or from any video with “Add to playlist”.</p>
        </EmptyNotice>
      )}
      <ul className={styles.list} aria-busy={loading}>
        {playlists?.map(({ id, name, count }) => (
          <li key={id}>
            <Link href={`/playlists/${id}`} prefetch={false} className={`card ${styles.item}`}>
              <strong>{name}</strong>
              {count !== undefined && <span className="soft small">{plural(count, "video")}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
