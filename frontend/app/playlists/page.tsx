import type { Metadata } from "next";
import Playlists from "../../components/Playlists";

export const metadata: Metadata = { title: "Playlists" };

export default function Page() {
  return <Playlists />;
}
