"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { library, type Playlist, sentenceOf } from "../lib/library";
import ConfirmDialog from "./ConfirmDialog";
import Dialog from "./Dialog";
import NameForm from "./NameForm";

interface Props {
  playlist: Playlist;
  onRenamed: (name: string) => void;
}

function Rename({ playlist, onRenamed, onClose }: Props & { onClose: () => void }) {
  const rename = async (name: string) => {
    await library.renamePlaylist(playlist.id, name);
    onRenamed(name);
    onClose();
    return "";
  };
  return (
    <Dialog title="Rename playlist" onClose={onClose}>
      <NameForm label="New name" action="Save" initial={playlist.name} onName={rename} />
    </Dialog>
  );
}

function Delete({ playlist, onClose }: { playlist: Playlist; onClose: () => void }) {
  const router = useRouter();
  const [problem, setProblem] = useState("");
  const remove = () =>
    library.deletePlaylist(playlist.id).then(
      () => router.push("/playlists"),
      (error: unknown) => setProblem(sentenceOf(error)),
    );
  return (
    <ConfirmDialog title="Delete this playlist?" action="Delete playlist" problem={problem} onConfirm={remove} onClose={onClose}>
      <p>“{playlist.name}” goes for good. Its videos stay in the library.</p>
    </ConfirmDialog>
  );
}

/** The heading of a playlist, with its rename and delete. */
export default function PlaylistName({ playlist, onRenamed }: Props) {
  const [asking, setAsking] = useState<"rename" | "delete" | null>(null);
  const close = () => setAsking(null);
  return (
    <div className="row" style={{ justifyContent: "space-between" }}>
      <h1>{playlist.name}</h1>
      <div className="row">
        <button type="button" className="button" onClick={() => setAsking("rename")}>
          Rename
        </button>
        <button type="button" className="button danger" onClick={() => setAsking("delete")}>
          Delete
        </button>
      </div>
      {asking === "rename" && <Rename playlist={playlist} onRenamed={onRenamed} onClose={close} />}
      {asking === "delete" && <Delete playlist={playlist} onClose={close} />}
    </div>
  );
}
