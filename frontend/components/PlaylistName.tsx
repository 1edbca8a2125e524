"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { library, type Playlist, sentenceOf } from "../lib/library";
import Dialog from "./Dialog";

interface Props {
  playlist: Playlist;
  onRenamed: (name: string) => void;
}

/** The heading of a playlist, with its rename and delete. */
export default function PlaylistName({ playlist, onRenamed }: Props) {
  const router = useRouter();
  const [asking, setAsking] = useState<"rename" | "delete" | null>(null);
  const [problem, setProblem] = useState("");

  const ask = (what: typeof asking) => {
    setProblem("");
    setAsking(what);
  };
  const rename = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    if (!name) return;
    try {
      await library.renamePlaylist(playlist.id, name);
      onRenamed(name);
      setAsking(null);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const remove = async () => {
    try {
      await library.deletePlaylist(playlist.id);
      router.push("/playlists");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };

  return (
    <div className="row" style={{ justifyContent: "space-between" }}>
      <h1>{playlist.name}</h1>
      <div className="row">
        <button type="button" className="button" onClick={() => ask("rename")}>
          Rename
        </button>
        <button type="button" className="button danger" onClick={() => ask("delete")}>
          Delete
        </button>
      </div>
      {asking === "rename" && (
        <Dialog title="Rename playlist" onClose={() => setAsking(null)}>
          <form className="row" onSubmit={rename}>
            <label htmlFor="rename">New name</label>
            <input id="rename" name="name" className="field" defaultValue={playlist.name} maxLength={80} required />
            <button type="submit" className="button primary">
              Save
            </button>
          </form>
          <p role="alert">{problem}</p>
        </Dialog>
      )}
      {asking === "delete" && (
        <Dialog title="Delete this playlist?" onClose={() => setAsking(null)}>
          <p>“{playlist.name}” goes for good. Its videos stay in the library.</p>
          <div className="row">
            <button type="button" className="button danger" onClick={remove}>
              Delete playlist
            </button>
            <button type="button" className="button" onClick={() => setAsking(null)}>
              Keep it
            </button>
          </div>
          <p role="alert">{problem}</p>
        </Dialog>
      )}
    </div>
  );
}
