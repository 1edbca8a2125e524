import type { Metadata } from "next";
import PlaylistEditor from "../../../components/PlaylistEditor";

export const metadata: Metadata = { title: "Playlist" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <PlaylistEditor key={id} id={id} />;
}
