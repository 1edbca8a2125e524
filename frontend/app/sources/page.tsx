import type { Metadata } from "next";
import Sources from "../../components/Sources";

export const metadata: Metadata = { title: "Sources" };

export default function Page() {
  return <Sources />;
}
